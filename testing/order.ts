// Key order, shuffling and random numbers, independently of the stores.
import type { KvKey } from "../kv/store.ts";

/** Compares keys part by part, each by code point; a shorter key is less. */
export function compareKeys(a: KvKey, b: KvKey): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareParts(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  // Behind equal halves of surrogate pairs, the other halves decide.
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}

/** Returns the items in an order that looks random and is always the same. */
export function shuffled<T>(items: readonly T[]): T[] {
  const random = randomNumbers(items.length);
  return items.map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Returns a source of numbers from 0 to below 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
