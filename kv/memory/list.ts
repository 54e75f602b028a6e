/**
 * Listing the entries of a memory store without holding up the event loop.
 *
 * @module
 */

import type { Entry } from "./entry.ts";
import { checkPrefix } from "../core/key.ts";
import { checkListOptions, failing, listKeys } from "../core/listing.ts";
import type {
  KvKeyEntry,
  KvListOptions,
  KvStoreListEntry,
  KvStoreTraits,
} from "../store.ts";
import { turn, TURN_BUDGET } from "../core/turn.ts";
import type { Node } from "./trie.ts";
import { walk } from "./walk.ts";

/** Lists entries: what `list()` returns. */
export function listing(
  root: Node<Entry>,
  traits: KvStoreTraits,
  prefix: unknown,
  options: KvListOptions | undefined,
  keysOnly = false,
): AsyncIterable<KvStoreListEntry> {
  let iterate: () => AsyncGenerator<KvStoreListEntry>;
  try {
    const parts = checkPrefix(prefix);
    const checked = checkListOptions(parts, options, traits) ?? {};
    iterate = () => listEntries(root, parts, checked, keysOnly);
  } catch (error) {
    iterate = () => failing(error);
  }
  return { [Symbol.asyncIterator]: iterate };
}

/** Lists keys: what `keys()` returns. */
export function keyListing(
  root: Node<Entry>,
  traits: KvStoreTraits,
  prefix: unknown,
  options: KvListOptions | undefined,
): AsyncIterable<KvKeyEntry> {
  const entries = listing(root, traits, prefix, options, true);
  return { [Symbol.asyncIterator]: () => listKeys(entries) };
}

/**
 * Lists entries, and copies each value when the caller reaches it.
 *
 * @param root The root of the trie.
 * @param prefix The parts that all keys start with.
 * @param options Where to begin and to end, checked.
 * @param keysOnly Whether to leave the values out.
 */
async function* listEntries(
  root: Node<Entry>,
  prefix: readonly string[],
  options: KvListOptions,
  keysOnly: boolean,
): AsyncGenerator<KvStoreListEntry> {
  const { limit = Infinity, after, reverse = false, signal } = options;
  signal?.throwIfAborted();
  let left = limit;
  if (left === 0) return;
  let turnStart = performance.now();
  for (const step of walk(root, { prefix, after, reverse })) {
    if (performance.now() - turnStart > TURN_BUDGET) {
      await turn();
      turnStart = performance.now();
    }
    signal?.throwIfAborted();
    if (step === undefined) continue;
    const [key, node] = step;
    const { entry } = node;
    if (entry === undefined || entry.isExpired) continue;
    const { expires } = entry;
    const value = keysOnly ? undefined : entry.copyOfValue();
    const listed = { key: key as unknown as KvStoreListEntry["key"], value };
    yield expires === undefined ? listed : { ...listed, expires };
    if (--left === 0) return;
  }
}
