/**
 * Listing entries of Workers KV: names first, then their values.
 *
 * @module
 */

import type { WorkersKvNamespace } from "./client.ts";
import { KeyedValue, type WorkersValue } from "./codec.ts";
import type { WorkersName, WorkersNames } from "./names.ts";
import { MAX_NAMES, readEntries, type WorkersEntry } from "./read.ts";
import { compareStrings, encodeKey, startsWith } from "../core/key.ts";
import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";

/** About how many bytes of values are read at once, not counting the last value. */
const READ_BYTES = 8_388_608;

/**
 * Lists entries in key order. Workers KV lists names forward only: a list in
 * reverse collects the names, not the values, before it begins.
 *
 * @param namespace The namespace to read.
 * @param names The names of the store.
 * @param prefix The parts of the prefix.
 * @param request What else the core wants.
 */
export async function* listEntries(
  namespace: WorkersKvNamespace,
  names: WorkersNames,
  prefix: readonly string[],
  request: KvPageRequest,
): AsyncGenerator<KvStoredEntry<WorkersValue>[]> {
  for await (const group of groups(select(namespace, names, prefix, request))) {
    const read = group.filter(({ isShortened }) =>
      isShortened || !request.keysOnly
    );
    if (read.length === 0) {
      yield group.map(({ key, expiry }) => ({ key, expiry }));
      continue;
    }
    const byName = new Map(group.map((each) => [each.name, each]));
    let page: KvStoredEntry<WorkersValue>[] = [];
    let next = 0;
    // Names whose values are not needed come along in their place.
    const skipTo = (name: string | undefined) => {
      for (; next < group.length && group[next]!.name !== name; next++) {
        const { key, expiry } = group[next]!;
        page.push({ key, expiry });
      }
      next++;
    };
    for await (
      const entries of readEntries(namespace, read.map(({ name }) => name))
    ) {
      request.alive();
      for (const entry of entries) {
        skipTo(entry.name);
        const name = byName.get(entry.name)!;
        page.push(...storedEntry(names, name, entry, prefix));
      }
      yield page;
      page = [];
    }
    skipTo(undefined);
    yield page;
  }
}

/** The names to list, in the order in which to list them. */
async function* select(
  namespace: WorkersKvNamespace,
  names: WorkersNames,
  prefix: readonly string[],
  { after, reverse, alive }: KvPageRequest,
): AsyncGenerator<WorkersName> {
  const limit = after && encodeKey(names.of(after).key);
  const collected: WorkersName[] = [];
  for await (const name of names.list(namespace, prefix, alive)) {
    if (limit !== undefined) {
      const order = compareStrings(encodeKey(name.key), limit);
      if (reverse && order >= 0) break;
      if (!reverse && order <= 0) continue;
    }
    if (reverse) collected.push(name);
    else yield name;
  }
  yield* collected.reverse();
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
