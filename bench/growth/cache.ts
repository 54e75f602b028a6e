/**
 * A cache in front of a store: what it gains, and what it must keep.
 *
 * @module
 */
import { cached, memoize } from "../../cached/mod.ts";
import type { KvExtendedStore, KvKey } from "../../kv/store.ts";
import { ratio, type Spread } from "../statistics.ts";
import { valueOf } from "../values.ts";

const KEYS = 20_000;
const HOT = 50;
const ROUNDS = 7;
const MILLISECONDS = 1_000;

/** What a cache gains over the bare store. */
export interface Gain {
  /** Gets per second with 32 callers, as a ratio. */
  readonly throughput: Spread;
  /** The mean latency of a get with one caller, as a ratio. */
  readonly latency: Spread;
}

/** Plays a mix whose gets are mostly of few keys, with and without a cache. */
export async function gainOf(store: KvExtendedStore): Promise<Gain> {
  for (let i = 0; i < KEYS; i += 500) {
    await Promise.all(
      Array.from(
        { length: 500 },
        (_, j) => store.set(keyOf(i + j), valueOf(1_000, i)),
      ),
    );
  }
  const cache = cached(store);
  const gets = { cache: [] as number[], store: [] as number[] };
  const latencies = { cache: [] as number[], store: [] as number[] };
  const both = [["cache", cache], ["store", store]] as const;
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, kv] of round % 2 === 0 ? both : both.toReversed()) {
      const many = await play(kv, 32);
      const one = await play(kv, 1);
      // The first round is for the compiler and the caches.
      if (round < 0) continue;
      gets[name].push(many.gets);
      latencies[name].push(one.latency);
    }
  }
  return {
    throughput: ratio(gets.cache, gets.store),
    latency: ratio(latencies.cache, latencies.store),
  };
}

/** 19 gets per set, four of five gets on hot keys; half of the sets expire. */
async function play(
  kv: KvExtendedStore,
  callers: number,
): Promise<{ gets: number; latency: number }> {
  const end = performance.now() + MILLISECONDS;
  let gets = 0;
  let sets = 0;
  let waited = 0;
  await Promise.all(Array.from({ length: callers }, async () => {
    while (performance.now() < end) {
      if (Math.random() < 0.05) {
        const key = keyOf(HOT + Math.floor(Math.random() * (KEYS - HOT)));
        await kv.set(
          key,
          valueOf(1_000, sets),
          sets++ % 2 ? { ttl: 86_400_000 } : {},
        );
        continue;
      }
      const among = Math.random() < 0.8 ? HOT : KEYS;
      const key = keyOf(Math.floor(Math.random() * among));
      const start = performance.now();
      await kv.get(key);
      waited += performance.now() - start;
      gets++;
    }
  }));
  return { gets, latency: waited / gets };
}

function keyOf(i: number): KvKey {
  return ["cache", `entry${i}`];
}

/** How often a loader runs when so many processes miss the same key at once. */
export async function loadsOfProcesses(
  url: string,
  processes: number,
): Promise<number> {
  const outputs = await Promise.all(
    Array.from({ length: processes }, () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--allow-all", "--no-check", import.meta.filename!],
          url,
        ],
      }).output()),
  );
  let loads = 0;
  for (const { success, stdout, stderr } of outputs) {
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    loads += Number(new TextDecoder().decode(stdout));
  }
  return loads;
}

if (import.meta.main) {
  const [url] = Deno.args as [string];
  const { openKv } = await import("../../open/mod.ts");
  await using kv = await openKv(url);
  let loads = 0;
  const load = async () => {
    loads++;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    return 1;
  };
  await Promise.all(
    Array.from(
      { length: 500 },
      () => memoize(kv, ["slow"], load, { ttl: 3_600_000, timeout: 60_000 }),
    ),
  );
  console.log(loads);
}
