/**
 * Reading entries of Workers KV, as many at once as possible.
 *
 * @module
 */

import { isTooLarge, tryPatiently } from "./errors.ts";
import type { WorkersKvNamespace, WorkersKvResult } from "./client.ts";
import type { EncodedValue } from "../core/value.ts";

/** The most names that may be asked for at once. */
export const MAX_NAMES = 100;

/** An entry as it was found. */
export interface WorkersEntry {
  readonly name: string;
  /** The stored value; `undefined` if there is none. */
  readonly stored: EncodedValue | undefined;
  /** When it expires, in epoch milliseconds; `undefined` for never. */
  readonly expiry: number | undefined;
}

/**
 * Reads entries: all at once if they are not too large for that, one after the
 * other at worst.
 *
 * @param namespace Where to read.
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
    if (!isTooLarge(error)) throw error;
    const half = names.length >> 1;
    yield* readEntries(namespace, names.slice(0, half));
    yield* readEntries(namespace, names.slice(half));
    return;
  }
  yield entries;
}

/** As bytes, which JSON and CBOR both are. */
async function readEntry(
  namespace: WorkersKvNamespace,
  name: string,
): Promise<WorkersEntry> {
  const result = await tryPatiently(() =>
    namespace.getWithMetadata(name, "arrayBuffer")
  );
  return {
    name,
    stored: result.value === null ? undefined : new Uint8Array(result.value),
    expiry: expiryOf(result),
  };
}

/** As text, which is all that several values may come as. */
async function readTogether(
  namespace: WorkersKvNamespace,
  names: string[],
): Promise<WorkersEntry[]> {
  const results = await tryPatiently(() =>
    namespace.getWithMetadata(names, "text")
  );
  return await Promise.all(names.map((name) => {
    const result = results.get(name);
    const stored = result?.value ?? undefined;
    // That is what becomes of CBOR's first byte, and what JSON never starts with.
    return stored?.startsWith("\ufffd")
      ? readEntry(namespace, name)
      : { name, stored, expiry: result ? expiryOf(result) : undefined };
  }));
}

function expiryOf({ metadata }: WorkersKvResult<unknown>): number | undefined {
  const { expires } = (metadata ?? {}) as { expires?: unknown };
  return typeof expires === "number" ? expires : undefined;
}
