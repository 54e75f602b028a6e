/**
 * The slowest set while many entries expire at once.
 *
 * @module
 */
import type { Backend } from "../backend.ts";
import { limits } from "../targets.ts";
import { load, type Subject } from "../subject.ts";
import { keyOf, valueOf } from "../values.ts";
import { withStore } from "./stores.ts";

/** How long sets took, in milliseconds. */
export interface Times {
  readonly sets: number;
  readonly median: number;
  readonly p999: number;
  readonly slowest: number;
  /** How many took longer than the limit. */
  readonly tooLong: number;
}

/** Makes sets one after the other, before entries expire and while they do. */
export function slowestSet(
  backend: Backend,
  { entries, milliseconds }: { entries: number; milliseconds: number },
): Promise<{ before: Times; during: Times }> {
  return withStore(backend, async (subject) => {
    const end = Date.now() + 30_000 + entries / 10;
    const loader: Subject = {
      ...subject,
      setWithTtl: (key, value) => subject.setFor!(key, value, end - Date.now()),
    };
    for (let i = 0; i < entries; i += 5_000) {
      await load(
        loader,
        Array.from({ length: 5_000 }, (_, j) => ({
          key: keyOf("expiring", i + j),
          value: valueOf(100, i + j),
          expires: true,
        })),
      );
    }
    await timeSets(subject, 1_000);
    const before = await timeSets(subject, milliseconds);
    if (Date.now() >= end) throw new Error("loading the entries took too long");
    await new Promise((resolve) => setTimeout(resolve, end - Date.now()));
    return { before, during: await timeSets(subject, milliseconds) };
  });
}

async function timeSets(
  subject: Subject,
  milliseconds: number,
): Promise<Times> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const key = keyOf("live", times.length % 1_000);
    const value = valueOf(100, end + times.length);
    const start = performance.now();
    await subject.set(key, value);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return {
    sets: times.length,
    median: times[Math.floor(times.length / 2)]!,
    p999: times[Math.floor(times.length * 0.999)]!,
    slowest: times.at(-1)!,
    tooLong: times.filter((time) => time > limits.setMilliseconds).length,
  };
}
