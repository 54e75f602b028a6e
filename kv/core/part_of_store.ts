/**
 * The store that holds what another one holds under a prefix.
 *
 * @module
 */

import { assertKey, checkPrefix } from "./key.ts";
import { checkListOptions, failing, type ListAction } from "./listing.ts";
import { clearEntries, countEntries } from "./operations.ts";
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
} from "../store.ts";

/** A store that has `cas()`. */
export type Swaps = Required<Pick<KvStore, "cas">>;

/** A store under a prefix; see `withPrefix()`. */
export class PartOfStore<Store extends KvExtendedStore = KvExtendedStore>
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
      "list",
      prefix,
      options,
      (prefix, options) => this.store.list(prefix, options),
    );
  }

  keys(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvKeyEntry> {
    return this.#keys("list keys", prefix, options);
  }

  count(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number> {
    return countEntries(
      (listOptions) => this.#keys("count", prefix, listOptions),
      options,
    );
  }

  clear(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number> {
    return clearEntries(
      (listOptions) => this.#keys("clear", prefix, listOptions),
      (key) => this.delete(key),
      options,
    );
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

  #keys(
    action: ListAction,
    prefix: unknown,
    options: KvListOptions | undefined,
  ): AsyncIterable<KvKeyEntry> {
    return this.#strip(
      action,
      prefix,
      options,
      (prefix, options) => this.store.keys(prefix, options),
    );
  }

  #strip<Entry extends KvKeyEntry>(
    action: ListAction,
    prefix: unknown,
    options: KvListOptions | undefined,
    entries: (
      prefix: KvKey,
      options: KvListOptions | undefined,
    ) => AsyncIterable<Entry>,
  ): AsyncIterable<Entry> {
    let iterate: () => AsyncGenerator<Entry>;
    try {
      const parts = checkPrefix(prefix, action);
      const checked = checkListOptions(action, parts, options, this.traits) ??
        {};
      const { limit = Infinity, after } = checked;
      const whole = [...this.#prefix, ...parts] as unknown as KvKey;
      const all = entries(whole, {
        ...checked,
        // The entry at the prefix itself must not count toward the limit.
        limit: limit + 1,
        after: after === undefined ? undefined : this.whole(after, action),
      });
      iterate = () => strip(all, this.#prefix.length, limit);
    } catch (error) {
      iterate = () => failing(error);
    }
    return { [Symbol.asyncIterator]: iterate };
  }
}

async function* strip<Entry extends KvKeyEntry>(
  entries: AsyncIterable<Entry>,
  length: number,
  limit: number,
): AsyncGenerator<Entry> {
  let left = limit;
  for await (const entry of entries) {
    if (entry.key.length === length) continue;
    if (left-- <= 0) return;
    yield { ...entry, key: entry.key.slice(length) as unknown as KvKey };
  }
}

/** One that has `cas()`. */
export class SwappingPartOfStore<Store extends KvExtendedStore & Swaps>
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
