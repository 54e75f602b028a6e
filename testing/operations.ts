// What the cases about the operations beyond get, set, delete, cas and list use.
import type {
  KvExtendedStore,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvStore,
} from "../kv/store.ts";
import { expect, inWaves } from "./expect.ts";
import { compareKeys, shuffled } from "./order.ts";
import { show } from "./show.ts";

const methods = ["keys", "count", "clear", "sweep", "check"] as const;

/** Returns the store with the operations that are there, or fails. */
export function withOperations(store: KvStore): KvExtendedStore {
  const extended = store as KvExtendedStore;
  for (const method of methods) {
    expect(
      typeof extended[method] === "function",
      `the store has no method ${method}, and \`without.operations\` gives no ` +
        "reason",
    );
  }
  return extended;
}

/** Reads the keys of a stream to its end. */
export async function keysIn(
  entries: AsyncIterable<KvKeyEntry>,
): Promise<KvKey[]> {
  const keys = [];
  for await (const { key } of entries) keys.push(key);
  return keys;
}

/** Writes the keys in any order; returns them in the order of the store. */
export async function fill(
  store: KvStore,
  keys: readonly KvKey[],
): Promise<KvKey[]> {
  await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
  return await keysIn(store.list());
}

/** Both streams of a store, with what to call them. */
export function streams(
  store: KvExtendedStore,
  prefix: KvKey | readonly [],
  options: KvListOptions,
): [what: string, entries: AsyncIterable<KvKeyEntry>][] {
  const given = `(${show(prefix)}, ${show(options)})`;
  return [
    [`list${given}`, store.list(prefix, options)],
    [`keys${given}`, store.keys(prefix, options)],
  ];
}

/** Fails unless the error is the reason of the signal. */
export function expectReason(
  error: unknown,
  signal: AbortSignal,
  what: string,
): void {
  expect(
    error === signal.reason,
    `${what} must reject with the reason of its signal, and rejected with ${
      show(error)
    }`,
  );
}

/** Keys of every length, short and longer than backends hold as one. */
export function mixedKeys(): KvKey[] {
  const lengths = [1, 505, 600, 2_049, 2_705, 8_000];
  return lengths.flatMap((length): KvKey[] => {
    const part = "x".repeat(length);
    return [
      [part],
      ["lead", part],
      ["lead", `${part.slice(1)}y`],
      ["lead", part, "tail"],
      ["z", part],
    ].map(([first, ...rest]): KvKey => [first!, ...rest])
      .filter((key) => key.join("").length <= 8_192);
  }).concat([["lead"], ["a"], ["lead", "short"], ["z"]]).sort(compareKeys);
}
