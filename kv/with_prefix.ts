/**
 * A part of a store as a store of its own.
 *
 * @module
 */

import { assertKey, checkPrefix } from "./core/key.ts";
import {
  checkProgressOptions,
  countKeys,
  deleteKeys,
} from "./core/operations.ts";
import type {
  KvExtendedStore,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
} from "./store.ts";

/** A store that has `cas()`. */
type Swaps = Required<Pick<KvStore, "cas">>;

/**
 * A store that holds the entries of another one whose keys start with a prefix,
 * under the rest of their keys. Several applications, or several parts of one,
 * can share a store this way.
 *
 * An entry whose key is the prefix itself does not belong to it. The prefix
 * counts toward the 8 KiB that a key may take. Messages of the underlying store
 * name whole keys.
 *
 * @typeParam Store The type of the store.
 * @param store The store that holds the entries.
 * @param prefix The leading parts of their keys.
 * @returns The store of what follows the prefix; it has `cas()` if the store has.
 * @throws {TypeError} If the prefix is not a key.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore, withPrefix } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const sessions = withPrefix(kv, ["sessions"]);
 * await sessions.set(["x1"], "alice");
 *
 * assertEquals(await kv.get(["sessions", "x1"]), "alice");
 * assertEquals(await sessions.count(), 1);
 * ```
 */
export function withPrefix<Store extends KvExtendedStore>(
  store: Store,
  prefix: KvKey,
): Store extends Swaps ? KvExtendedStore & Swaps : KvExtendedStore {
  assertKey(prefix, "make a store with the prefix");
  const copy = prefix.slice() as unknown as KvKey;
  const part = store.cas === undefined
    ? new PartOfStore(store, copy)
    : new SwappingPartOfStore(store as Store & Swaps, copy);
  return part as unknown as Store extends Swaps ? KvExtendedStore & Swaps
    : KvExtendedStore;
}

class PartOfStore<Store extends KvExtendedStore = KvExtendedStore>
  implements KvExtendedStore {
  protected readonly store: Store;
  readonly #prefix: KvKey;

  constructor(store: Store, prefix: KvKey) {
    this.store = store;
    this.#prefix = prefix;
  }

  get traits(): KvStoreTraits {
    return this.store.traits;
  }

  get pending(): number {
    return this.store.pending;
  }

  // deno-lint-ignore require-await -- a wrong key must reject
  async get<T = unknown>(key: KvKey): Promise<T | undefined> {
    return this.store.get<T>(this.whole(key, "get"));
  }

  // deno-lint-ignore require-await
  async set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<void> {
    return this.store.set(this.whole(key, "set"), value, options);
  }

  // deno-lint-ignore require-await
  async delete(key: KvKey): Promise<void> {
    return this.store.delete(this.whole(key, "delete"));
  }

  list(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvStoreListEntry> {
    return this.#strip(
      prefix,
      options,
      (prefix, options) => this.store.list(prefix, options),
    );
  }

  keys(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvKeyEntry> {
    return this.#strip(
      prefix,
      options,
      (prefix, options) => this.store.keys(prefix, options),
    );
  }

  async count(
    prefix?: KvKey | readonly [],
    options: KvProgressOptions = {},
  ): Promise<number> {
    checkProgressOptions("count", options);
    const { signal } = options;
    return await countKeys(this.keys(prefix, { signal }), options);
  }

  async clear(
    prefix?: KvKey | readonly [],
    options: KvProgressOptions = {},
  ): Promise<number> {
    checkProgressOptions("clear", options);
    const { signal } = options;
    const keys = this.keys(prefix, { signal });
    return await deleteKeys(keys, (key) => this.delete(key), options);
  }

  sweep(options?: KvProgressOptions): Promise<number> {
    return this.store.sweep(options);
  }

  check(): Promise<void> {
    return this.store.check();
  }

  protected whole(key: KvKey, action: string): KvKey {
    assertKey(key, action);
    return [...this.#prefix, ...key] as unknown as KvKey;
  }

  #strip<Entry extends KvKeyEntry>(
    prefix: unknown,
    options: KvListOptions | undefined,
    entries: (
      prefix: KvKey,
      options: KvListOptions | undefined,
    ) => AsyncIterable<Entry>,
  ): AsyncIterable<Entry> {
    const { length } = this.#prefix;
    // The entry at the prefix itself must not count toward the limit.
    const { limit = Infinity, after } = options ?? {};
    const iterate = async function* (this: PartOfStore<Store>) {
      const parts = checkPrefix(prefix);
      const whole = [...this.#prefix, ...parts] as unknown as KvKey;
      const all = entries(
        whole,
        options === undefined ? undefined : {
          ...options,
          limit: limit + 1,
          after: after === undefined ? undefined : this.whole(after, "list"),
        },
      );
      let left = limit;
      for await (const entry of all) {
        if (entry.key.length === length) continue;
        if (left-- <= 0) return;
        yield { ...entry, key: entry.key.slice(length) as unknown as KvKey };
      }
    };
    const copy = Array.isArray(prefix) ? prefix.slice() : prefix;
    prefix = copy;
    return { [Symbol.asyncIterator]: () => iterate.call(this) };
  }
}

class SwappingPartOfStore<Store extends KvExtendedStore & Swaps>
  extends PartOfStore<Store> {
  // deno-lint-ignore require-await
  async cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    return this.store.cas(
      this.whole(key, "cas"),
      expectedValue,
      newValue,
      options,
    );
  }
}
