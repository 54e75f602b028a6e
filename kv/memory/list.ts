/**
 * Listing the entries of a memory store without holding up the event loop.
 *
 * @module
 */

import type { Entries } from "./entries.ts";
import type { Entry } from "./entry.ts";
import { checkPrefix } from "../core/key.ts";
import {
  checkListOptions,
  failing,
  keysOf,
  type ListAction,
} from "../core/listing.ts";
import { clearEntries, countEntries } from "../core/operations.ts";
import type {
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvStoreListEntry,
  KvStoreTraits,
} from "../store.ts";
import { traceListing } from "../core/trace.ts";
import { turn, TURN_BUDGET } from "../core/turn.ts";
import type { Node } from "./trie.ts";
import { walk } from "./walk.ts";

/** Lists, counts and deletes many entries. */
export class MemoryLister {
  readonly #entries: Entries;
  readonly #traits: KvStoreTraits;

  /**
   * @param entries The entries of the store.
   * @param traits The traits of the store.
   */
  constructor(entries: Entries, traits: KvStoreTraits) {
    this.#entries = entries;
    this.#traits = traits;
  }

  /** Lists entries: what `list()` returns. */
  list(
    prefix: unknown,
    options: KvListOptions | undefined,
    action: ListAction = "list",
  ): AsyncIterable<KvStoreListEntry> {
    let iterate: () => AsyncGenerator<KvStoreListEntry>;
    try {
      const parts = checkPrefix(prefix, action);
      const checked = checkListOptions(action, parts, options, this.#traits);
      const keysOnly = action !== "list";
      iterate = () =>
        traceListing(
          { traits: this.#traits },
          action,
          listEntries(this.#entries.root, parts, checked ?? {}, keysOnly),
        );
    } catch (error) {
      iterate = () => failing(error);
    }
    return { [Symbol.asyncIterator]: iterate };
  }

  /** Lists keys: what `keys()` returns. */
  keys(
    prefix: unknown,
    options: KvListOptions | undefined,
  ): AsyncIterable<KvKeyEntry> {
    return keysOf(this.list(prefix, options, "list keys"));
  }

  /** Counts entries: what `count()` returns. */
  count(prefix: unknown, options?: KvProgressOptions): Promise<number> {
    return countEntries((it) => this.list(prefix, it, "count"), options);
  }

  /** Deletes entries: what `clear()` returns. */
  clear(prefix: unknown, options?: KvProgressOptions): Promise<number> {
    return clearEntries(
      (it) => this.list(prefix, it, "clear"),
      // deno-lint-ignore require-await
      async (key) => this.#entries.write(key, undefined),
      options,
    );
  }
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
