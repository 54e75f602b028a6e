// The assertions of the cases, and the error that they throw.
import type { KvKey, KvStore, KvStoreListEntry } from "../kv/store.ts";
import { difference } from "./difference.ts";
import { compareKeys } from "./order.ts";
import { show } from "./show.ts";

/**
 * A store breaks a line of the contract, which the message quotes.
 *
 * @example Usage
 * ```ts
 * import { ConformanceError } from "@org/kv/testing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ConformanceError("null is lost").name, "ConformanceError");
 * ```
 */
export class ConformanceError extends Error {
  /** The name of the class. */
  override name = "ConformanceError";
}

/** Fails with the message unless the condition holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message);
}

/** Fails unless both are the same, by content and by type. */
export function expectSame(
  actual: unknown,
  expected: unknown,
  what: string,
): void {
  const found = difference(actual, expected);
  if (found === undefined) return;
  throw new ConformanceError(
    `${what}: they differ ${found}\n    expected: ${
      show(expected)
    }\n    actual:   ${show(actual)}`,
  );
}

/** Fails unless `get` gives the value for the key; `undefined` is no entry. */
export async function expectEntry(
  store: KvStore,
  key: KvKey,
  value: unknown,
  when = "",
): Promise<void> {
  expectSame(
    await store.get(key),
    value,
    `get(${show(key)})${when && " "}${when}`,
  );
}

/** Fails unless the list yields exactly these keys, in any order. */
export async function expectKeys(
  store: KvStore,
  prefix: KvKey | undefined,
  keys: readonly KvKey[],
  when = "",
): Promise<void> {
  const listed = await keysOf(store, prefix);
  expectSame(
    listed.sort(compareKeys),
    keys.toSorted(compareKeys),
    `sorted keys of list(${show(prefix)})${when && " "}${when}`,
  );
}

/** Fails unless the list yields exactly these entries, in any order. */
export async function expectEntries(
  store: KvStore,
  prefix: KvKey | undefined,
  entries: readonly KvStoreListEntry[],
): Promise<void> {
  const listed = await collect(store.list(prefix));
  expectSame(
    listed.sort((a, b) => compareKeys(a.key, b.key)),
    entries.toSorted((a, b) => compareKeys(a.key, b.key)),
    `sorted entries of list(${show(prefix)})`,
  );
}

/** Fails unless the call returns a promise that rejects; returns its error. */
export async function rejection(
  what: string,
  call: () => Promise<unknown>,
): Promise<Error> {
  let promise;
  try {
    promise = call();
  } catch (cause) {
    throw new ConformanceError(
      `${what} must return a promise that rejects, and threw at once: ${
        show(cause)
      }`,
      { cause },
    );
  }
  let result;
  try {
    result = await promise;
  } catch (error) {
    expect(
      error instanceof Error,
      `${what} must reject with an Error, and rejected with ${show(error)}`,
    );
    return error;
  }
  throw new ConformanceError(
    `${what} must reject, and resolved to ${show(result)}`,
  );
}

/** Reads a list to its end. */
export async function collect(
  list: AsyncIterable<KvStoreListEntry>,
): Promise<KvStoreListEntry[]> {
  const entries = [];
  for await (const entry of list) entries.push(entry);
  return entries;
}

/** Reads the keys of a list to its end. */
export async function keysOf(
  store: KvStore,
  prefix?: KvKey,
): Promise<KvKey[]> {
  return (await collect(store.list(prefix))).map(({ key }) => key);
}

/** Returns the store with a `cas` that is there, or fails. */
export function withCas(
  store: KvStore,
): KvStore & Required<Pick<KvStore, "cas">> {
  expect(
    typeof store.cas === "function",
    "the store has no method cas, and `without.cas` gives no reason",
  );
  return store as KvStore & Required<Pick<KvStore, "cas">>;
}

const waveLength = 256;

/** Calls `fn` for each item, so many at once that a driver can batch them. */
export async function inWaves<T>(
  items: readonly T[],
  fn: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += waveLength) {
    const wave = items.slice(start, start + waveLength);
    await Promise.all(wave.map((item, i) => fn(item, start + i)));
  }
}
