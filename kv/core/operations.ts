/**
 * Operations on many entries, in small steps.
 *
 * @module
 */

import { checkOptions, type OptionRule, SIGNAL } from "./options.ts";
import type {
  KvExtendedStore,
  KvKey,
  KvKeyEntry,
  KvProgressOptions,
} from "../store.ts";
import { traceCall, tracePromise, traceRoundTrip } from "./trace.ts";
import { turn, TURN_BUDGET } from "./turn.ts";

/** How many entries to delete at once. */
const STEP = 256;

const PROGRESS_OPTIONS: Record<string, OptionRule> = {
  signal: SIGNAL,
  onProgress: { type: "function", must: "be a function" },
};

/**
 * Checks the options of an operation on many entries.
 *
 * @param action The operation.
 * @param options What the caller gave.
 * @throws {TypeError} If an option is unknown or has a wrong type.
 */
export function checkProgressOptions(action: string, options: unknown): void {
  checkOptions(action, options, PROGRESS_OPTIONS);
}

/** Lists the keys to count or to delete. */
type ListKeys = (
  options: Pick<KvProgressOptions, "signal">,
) => AsyncIterable<KvKeyEntry>;

/**
 * Counts entries.
 *
 * @param keys Lists their keys.
 * @param options What the caller gave.
 * @returns The number of entries.
 * @throws {TypeError} If an option is unknown or has a wrong type.
 */
export async function countEntries(
  keys: ListKeys,
  options: KvProgressOptions = {},
): Promise<number> {
  checkProgressOptions("count", options);
  const { signal, onProgress } = options;
  let entries = 0;
  let reported = performance.now();
  for await (const _ of keys({ signal })) {
    entries++;
    if (onProgress !== undefined && performance.now() - reported > 100) {
      reported = performance.now();
      onProgress(entries);
    }
  }
  onProgress?.(entries);
  return entries;
}

/**
 * Deletes entries.
 *
 * @param keys Lists their keys.
 * @param remove Deletes one.
 * @param options What the caller gave.
 * @returns How many entries there were.
 * @throws {TypeError} If an option is unknown or has a wrong type.
 */
export async function clearEntries(
  keys: ListKeys,
  remove: (key: KvKey) => Promise<void>,
  options: KvProgressOptions = {},
): Promise<number> {
  checkProgressOptions("clear", options);
  const { signal, onProgress } = options;
  let entries = 0;
  let step: Promise<void>[] = [];
  const finish = async () => {
    await Promise.all(step);
    entries += step.length;
    step = [];
    onProgress?.(entries);
    signal?.throwIfAborted();
  };
  try {
    for await (const { key } of keys({ signal })) {
      const removal = remove(key);
      // It may fail while the next page is read.
      removal.catch(() => {});
      step.push(removal);
      if (step.length === STEP) await finish();
    }
    await finish();
  } catch (error) {
    // What was begun counts, too.
    const outcomes = await Promise.allSettled(step);
    entries += outcomes.filter(({ status }) => status === "fulfilled").length;
    onProgress?.(entries);
    throw error;
  }
  return entries;
}

/** Reclaims expired entries until none are left. */
export async function sweepAll(
  store: Pick<KvExtendedStore, "traits">,
  reclaim: () => number | Promise<number>,
  { signal, onProgress }: KvProgressOptions,
): Promise<number> {
  return await tracePromise(traceCall(store, "sweep"), async () => {
    let entries = 0;
    let turnStart = performance.now();
    while (true) {
      signal?.throwIfAborted();
      const trip = traceRoundTrip(store, "sweep");
      const reclaimed = await tracePromise(trip, reclaim);
      if (reclaimed === 0) return entries;
      entries += reclaimed;
      onProgress?.(entries);
      if (performance.now() - turnStart > TURN_BUDGET) {
        await turn();
        turnStart = performance.now();
      }
    }
  });
}
