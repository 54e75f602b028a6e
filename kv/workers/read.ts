/**
 * Reading entries of Workers KV, as many at once as possible.
 *
 * @module
 */

import type { WorkersKvNamespace, WorkersKvResult } from "./client.ts";
import { isTooLarge, retryKv } from "./errors.ts";
import { expiryOf } from "./metadata.ts";
import type { EncodedValue } from "../core/value.ts";

/** The most names that one operation reads. */
export const MAX_NAMES = 100;

/** An entry as it was found, or why it cannot be read. */
export type WorkersEntry =
  & { readonly name: string }
  & (
    | {
      /** The stored value; `undefined` if the entry is missing. */
      readonly stored: EncodedValue | undefined;
      /** When it expires, in epoch milliseconds; `undefined` for never. */
      readonly expiry: number | undefined;
    }
    | { readonly error: unknown }
  );

/**
 * Reads entries: all at once if they are not too large for that, one by one at
 * worst.
 *
 * @param namespace The namespace to read.
 * @param names At most a hundred different names.
 * @returns The entries in the order of their names, in pages.
 */
export async function* readEntries(
  namespace: WorkersKvNamespace,
  names: string[],
): AsyncGenerator<WorkersEntry[]> {
  if (names.length === 0) return;
  if (names.length === 1) return yield [await readEntry(namespace, names[0]!)];
  let entries: WorkersEntry[];
  try {
    entries = await readTogether(namespace, names);
  } catch (error) {
    if (!isTooLarge(error)) {
      return yield names.map((name) => ({ name, error }));
    }
    const half = names.length >> 1;
    yield* readEntries(namespace, names.slice(0, half));
    yield* readEntries(namespace, names.slice(half));
    return;
  }
  yield entries;
}

/** Reads bytes, which JSON and CBOR both are. */
async function readEntry(
  namespace: WorkersKvNamespace,
  name: string,
): Promise<WorkersEntry> {
  try {
    const { value, metadata } = await retryKv(() =>
      namespace.getWithMetadata(name, "arrayBuffer")
    );
    const stored = value === null ? undefined : new Uint8Array(value);
    return { name, stored, expiry: expiryOf(metadata) };
  } catch (error) {
    return { name, error };
  }
}

/** Reads text, the only form in which several values come. */
async function readTogether(
  namespace: WorkersKvNamespace,
  names: string[],
): Promise<WorkersEntry[]> {
  const results = await retryKv(() => namespace.getWithMetadata(names, "text"));
  return await Promise.all(names.map((name) => {
    const { value, metadata }: WorkersKvResult<string> = results.get(name) ??
      { value: null, metadata: null };
    // The first byte of CBOR becomes this character, which JSON never has there.
    return value?.startsWith("\ufffd")
      ? readEntry(namespace, name)
      : { name, stored: value ?? undefined, expiry: expiryOf(metadata) };
  }));
}
