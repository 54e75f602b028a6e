/**
 * Listing entries of Workers KV: names first, then their values.
 *
 * @module
 */

import type { WorkersKvNamespace } from "./client.ts";
import { KeyedValue, type WorkersValue } from "./codec.ts";
import type { WorkersName, WorkersNames } from "./names.ts";
import { MAX_NAMES, readEntries, type WorkersEntry } from "./read.ts";
import { startsWith } from "../core/key.ts";
import type { KvStoredEntry } from "../core/listing.ts";

/** About how many bytes of values are read at once, beside the last value. */
const READ_BYTES = 8_388_608;

/**
 * Lists entries in key order.
 *
 * @param namespace The namespace to read.
 * @param names The names of the store.
 * @param prefix The parts of the prefix.
 * @param alive Is called for every answer of the platform.
 */
export async function* listEntries(
  namespace: WorkersKvNamespace,
  names: WorkersNames,
  prefix: readonly string[],
  alive: () => void,
): AsyncGenerator<KvStoredEntry<WorkersValue>[]> {
  for await (const group of groups(names.list(namespace, prefix, alive))) {
    const byName = new Map(group.map((each) => [each.name, each]));
    for await (const page of readEntries(namespace, [...byName.keys()])) {
      alive();
      yield page.flatMap((entry) =>
        storedEntry(names, byName.get(entry.name)!, entry, prefix)
      );
    }
  }
}

/** Groups of names whose values can be read together. */
async function* groups(
  names: AsyncIterable<WorkersName>,
): AsyncGenerator<WorkersName[]> {
  let group: WorkersName[] = [];
  let bytes = 0;
  for await (const name of names) {
    bytes += name.bytes;
    if (
      group.length === MAX_NAMES || (bytes > READ_BYTES && group.length > 0)
    ) {
      yield group;
      group = [];
      bytes = name.bytes;
    }
    group.push(name);
  }
  yield group;
}

function storedEntry(
  names: WorkersNames,
  { name, key, isShortened }: WorkersName,
  entry: WorkersEntry,
  prefix: readonly string[],
): KvStoredEntry<WorkersValue>[] {
  if ("error" in entry) throw entry.error;
  const { stored, expiry } = entry;
  if (stored === undefined) return [];
  if (!isShortened) return [{ key, value: stored, expiry }];
  const value = new KeyedValue(stored, (key) => names.of(key).name === name);
  let trueKey;
  try {
    trueKey = value.decode().key;
  } catch (error) {
    return [{ key, error }];
  }
  return startsWith(trueKey, prefix) ? [{ key: trueKey, value, expiry }] : [];
}
