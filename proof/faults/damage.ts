/** Entries whose stored form is damaged at random, on every driver. */
import { KvCorruptionError } from "../../kv/errors.ts";
import { encodeValue } from "../../kv/core/value.ts";
import type { KvKey } from "../../kv/store.ts";
import { oneOf, type Random, randomOf } from "../random.ts";
import {
  type Options,
  type Progress,
  type Result,
  type Suite,
  within,
} from "./suite.ts";
import { VICTIMS, type Victims } from "./victims.ts";
import { damageObjects } from "./objects.ts";

/** How many entries are damaged and read at a time. */
const GROUP = 50;

/** How long a call on a damaged entry may take, in milliseconds. */
const DEADLINE = 10_000;

/** How much memory the process may take in addition, in bytes. */
const MEMORY = 500e6;

const ORIGINALS: readonly [unknown, ...unknown[]] = [
  null,
  "Hello",
  12_345,
  { name: "Ærøskøbing", tags: ["a", "b"], at: 1_700_000_000_000 },
  { text: "x".repeat(3_000) },
  [1n, new Date(0), new Map([["a", new Set([1])]]), NaN],
  new Uint8Array(500).fill(7),
  { big: 2n ** 200n, list: [undefined, -Infinity] },
];

/** Every so manieth value takes several chunks in Deno KV. */
const LARGE_EVERY = 40;
const LARGE = Array.from({ length: 10_000 }, (_, i) => `value ${i}`);

/** What a read led to: a value, or the damaged key. */
type Outcome = { readonly value: unknown } | "damaged";

interface Entry {
  readonly key: KvKey;
  readonly neighbour: KvKey;
  readonly value: unknown;
}

async function run(
  open: () => Promise<Victims>,
  { entries, seed }: Options,
  progress: Progress,
): Promise<Result> {
  const random = randomOf(seed);
  const counts = { right: 0, damaged: 0, other: 0, absent: 0 };
  const failures: string[] = [];
  await using victims = await open();
  const before = Deno.memoryUsage().rss;
  let slowest = 0;
  for (let done = 0; done < entries && failures.length < 5; done += GROUP) {
    for (const entry of await makeEntries(victims, done, random)) {
      const start = performance.now();
      const verdict = await within(
        DEADLINE,
        judge(victims, entry, random).catch((error) => error as Error),
      );
      slowest = Math.max(slowest, performance.now() - start);
      if (typeof verdict === "string") {
        counts[verdict]++;
      } else {
        failures.push(
          `${entry.key.join("!")}: ${verdict?.stack ?? "it hangs"}`,
        );
      }
    }
    progress(done / entries, `${counts.damaged} corrupt`);
  }
  const grown = Deno.memoryUsage().rss - before;
  if (grown > MEMORY) failures.push(`the process took ${grown} bytes more`);
  const { right, damaged, other, absent } = counts;
  return {
    summary: `${right + damaged + other + absent} damaged entries: ` +
      `${damaged} corrupt, ${right} right, ${other} another value, ` +
      `${absent} expired or foreign, slowest ${Math.round(slowest)} ms, ` +
      `${Math.round(grown / 1e6)} MB more`,
    failures,
  };
}

async function makeEntries(
  { kv }: Victims,
  start: number,
  random: Random,
): Promise<Entry[]> {
  const entries = Array.from({ length: GROUP }, (_, i): Entry => {
    const name = `${start + i}`;
    // Some keys are longer than any backend takes.
    const rest = random() < 0.1 ? ["é".repeat(2_000)] : [];
    return {
      key: ["victim", name, ...rest],
      neighbour: ["victim", `${name} neighbour`, ...rest],
      value: (start + i) % LARGE_EVERY === 0 ? LARGE : oneOf(random, ORIGINALS),
    };
  });
  await Promise.all(
    entries.flatMap(({ key, neighbour, value }) => [
      kv.set(key, value),
      kv.set(neighbour, value),
    ]),
  );
  return entries;
}

/** Damages an entry and says what it became. */
async function judge(
  victims: Victims,
  { key, neighbour, value }: Entry,
  random: Random,
): Promise<"right" | "damaged" | "other" | "absent"> {
  const { kv } = victims;
  const mayBeAbsent = await victims.damage(key, random);
  const [found, listed] = await Promise.all([
    outcomeOf(key, kv.get(key)),
    outcomeOf(key, listOne(victims, key)),
  ]);
  if (textOf(found) !== textOf(listed)) {
    throw new Error(`get: ${textOf(found)}, list: ${textOf(listed)}`);
  }
  const other = await kv.get(neighbour);
  if (textOf({ value: other }) !== textOf({ value })) {
    throw new Error("its neighbour changed");
  }
  const isDamaged = found === "damaged";
  const isAbsent = !isDamaged && found.value === undefined;
  if (isAbsent && !mayBeAbsent) throw new Error("it is missing");
  if (kv.cas !== undefined && !isAbsent) {
    const miss = await outcomeOf(key, kv.cas(key, "something else", 1));
    if (miss !== "damaged" && miss.value !== false) {
      throw new Error(`cas of something else: ${textOf(miss)}`);
    }
    const expected = isDamaged ? value : found.value;
    const swap = isStorable(expected)
      ? await outcomeOf(key, kv.cas(key, expected, value))
      : "damaged";
    // A text that is not UTF-8 can be read in some clients, and not compared.
    const isRight = isDamaged
      ? swap === "damaged"
      : swap === "damaged" || swap.value === true;
    if (!isRight) throw new Error(`cas: ${textOf(swap)}`);
  }
  await kv.set(key, "whole");
  if (await kv.get(key) !== "whole") throw new Error("it cannot be repaired");
  await kv.delete(key);
  if (await kv.get(key) !== undefined) throw new Error("it cannot be deleted");
  if (isDamaged) return "damaged";
  if (isAbsent) return "absent";
  return textOf(found) === textOf({ value }) ? "right" : "other";
}

async function listOne({ kv }: Victims, key: KvKey): Promise<unknown> {
  for await (const entry of kv.list!(key)) {
    if (entry.key.length === key.length) return entry.value;
  }
  return undefined;
}

async function outcomeOf(
  key: KvKey,
  call: Promise<unknown>,
): Promise<Outcome> {
  try {
    return { value: await call };
  } catch (error) {
    const isNamed = error instanceof KvCorruptionError &&
      // The true key of an entry that is stored under a digest is lost with it.
      error.message.includes(JSON.stringify(key.slice(0, 2)).slice(0, -1));
    if (isNamed) return "damaged";
    throw error;
  }
}

function textOf(outcome: Outcome): string {
  if (outcome === "damaged" || outcome.value === undefined) return `${outcome}`;
  const { value } = outcome;
  return isStorable(value) ? String(encodeValue([value])) : Deno.inspect(value);
}

/** Deno KV may hold what no store writes, such as a counter. */
function isStorable(value: unknown): boolean {
  try {
    encodeValue([value]);
    return true;
  } catch {
    return false;
  }
}

/** Each entry is right, or corrupt, or another value, and never more than that. */
export const damage: Suite = {
  text: "stored entries are cut, flipped, mixed and replaced by foreign ones",
  trials: [
    ...Object.entries(VICTIMS).map(([backend, open]) => ({
      backend,
      title: "damage",
      run: (options: Options, progress: Progress) =>
        run(open, options, progress),
    })),
    { backend: "durable-object", title: "damage", run: damageObjects },
  ],
};
