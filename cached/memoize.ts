/**
 * Remembering in a store what a slow function returns.
 *
 * @module
 */

import { checkAndEncodeKey, describe } from "../kv/core/key.ts";
import { checkOptions, type OptionRule } from "../kv/core/options.ts";
import { pause } from "../kv/core/retry.ts";
import { ttlMilliseconds } from "../kv/core/ttl.ts";
import { KvError } from "../kv/errors.ts";
import type { KvKey, KvStore, Ttl } from "../kv/store.ts";

/**
 * Options of {@linkcode memoize}.
 *
 * @example Usage
 * ```ts
 * import type { MemoizeOptions } from "@org/kv/cached";
 *
 * const options: MemoizeOptions = { ttl: 60_000, grace: 3_600_000 };
 * ```
 */
export interface MemoizeOptions {
  /** How long a value is fresh. */
  readonly ttl: Ttl;
  /**
   * How long after that a value may still be returned while one process loads a
   * new one, or when the loader fails.
   *
   * @default {0}
   */
  readonly grace?: Ttl;
  /**
   * How long one process may load before another one tries, in milliseconds.
   *
   * @default {10000}
   */
  readonly timeout?: number;
}

const duration = (least: number, must: string): OptionRule => ({
  type: "number",
  must,
  accepts: (value) => (value as number) >= least,
});

const RULES: Record<string, OptionRule> = {
  ttl: duration(1, "be more than 0 milliseconds"),
  grace: duration(0, "be 0 milliseconds or more"),
  timeout: {
    type: "number",
    must: "be a number of milliseconds above 0",
    accepts: (value) => (value as number) > 0 && (value as number) < Infinity,
  },
};

/** What is stored under the key. */
interface Memo {
  readonly value: unknown;
  /** Until when it is fresh, in epoch milliseconds. */
  readonly fresh: number;
}

/** The loads of this process, by store and key. */
const loads = new WeakMap<KvStore, Map<string, Promise<unknown>>>();

/** The longest pause between two looks for a value that another process loads. */
const MAX_PAUSE = 250;

/**
 * Returns the stored value of a key, or loads and stores it.
 *
 * However many callers miss at once, one of a process loads, and if the store
 * has `cas()`, one of all processes that share it: a lease under the key and the
 * part `"@lease"` tells the others to wait. If a value is no longer fresh but
 * within its grace, it is returned at once, and one caller loads a new one in the
 * background. A loader that returns `undefined` stores nothing.
 *
 * @typeParam T What the loader returns.
 * @param store The store.
 * @param key The key of the value.
 * @param load Loads the value.
 * @param options How long it is fresh.
 * @returns The value.
 * @throws {TypeError} If the key or an option has a wrong type.
 * @throws {KvError} If the store fails.
 * @throws The error of the loader, if there is no value within its grace.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { memoize } from "@org/kv/cached";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * let loads = 0;
 * const load = () => Promise.resolve({ loads: ++loads });
 * const results = await Promise.all(
 *   Array.from({ length: 500 }, () =>
 *     memoize(kv, ["answer"], load, { ttl: 60_000 })),
 * );
 * assertEquals(loads, 1);
 * assertEquals(results[499], { loads: 1 });
 * ```
 */
export async function memoize<T>(
  store: KvStore,
  key: KvKey,
  load: () => T | Promise<T>,
  options: MemoizeOptions,
): Promise<T> {
  const id = checkAndEncodeKey(key, "memoize");
  const action = `memoize ${describe(key)}`;
  const times: Times = {
    timeout: 10_000,
    ...options,
    ttl: ttlMilliseconds(options.ttl) ?? 0,
    grace: ttlMilliseconds(options.grace) ?? 0,
  };
  checkOptions(action, times, RULES);
  const memo = await store.get<Memo>(key);
  if (memo !== undefined && memo.fresh > Date.now()) return memo.value as T;
  const loading = singleFlight(
    store,
    id,
    () => loadOnce(store, key, load, times),
  );
  if (memo === undefined) return await loading as T;
  loading.catch(() => {}); // within its grace, the old value will do
  return memo.value as T;
}

function singleFlight(
  store: KvStore,
  id: string,
  load: () => Promise<unknown>,
): Promise<unknown> {
  let ofStore = loads.get(store);
  if (ofStore === undefined) loads.set(store, ofStore = new Map());
  let loading = ofStore.get(id);
  if (loading === undefined) {
    loading = load().finally(() => ofStore.delete(id));
    ofStore.set(id, loading);
  }
  return loading.then(copyOfShared);
}

/** Each caller receives its own copy of the value. */
function copyOfShared(value: unknown): unknown {
  return typeof value === "object" && value !== null
    ? structuredClone(value)
    : value;
}

interface Times {
  readonly ttl: number;
  readonly grace: number;
  readonly timeout: number;
}

async function loadOnce(
  store: KvStore,
  key: KvKey,
  load: () => unknown,
  times: Times,
): Promise<unknown> {
  if (store.cas === undefined) {
    return await loadAndStore(store, key, load, times);
  }
  const lease = [...key, "@lease"] as unknown as KvKey;
  const token = crypto.randomUUID();
  for (let longest = 5;; longest = Math.min(2 * longest, MAX_PAUSE)) {
    const memo = await store.get<Memo>(key);
    if (memo !== undefined && memo.fresh > Date.now()) return memo.value;
    if (await store.cas(lease, undefined, token, { ttl: times.timeout })) break;
    await pause(longest * (0.5 + Math.random() / 2));
  }
  try {
    const memo = await store.get<Memo>(key);
    if (memo !== undefined && memo.fresh > Date.now()) return memo.value;
    return await loadAndStore(store, key, load, times);
  } finally {
    await store.cas(lease, token, undefined).catch((error) => {
      // The lease ends after its timeout.
      if (!(error instanceof KvError)) throw error;
    });
  }
}

async function loadAndStore(
  store: KvStore,
  key: KvKey,
  load: () => unknown,
  { ttl, grace }: Times,
): Promise<unknown> {
  const value = await load();
  if (value === undefined) return undefined;
  const memo: Memo = { value, fresh: Date.now() + ttl };
  await store.set(key, memo, { ttl: ttl + grace });
  return value;
}
