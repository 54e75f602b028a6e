/**
 * A cache in the memory of the process, in front of a store.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import { copyValue } from "../kv/core/copy.ts";
import { copyPlain } from "../kv/core/plain.ts";
import { checkAndEncodeKey } from "../kv/core/key.ts";
import { checkOptions, type OptionRule } from "../kv/core/options.ts";
import { paced } from "../kv/core/turn.ts";
import { encodeValue } from "../kv/core/value.ts";
import type {
  KvExtendedStore,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
} from "../kv/store.ts";

/**
 * Options of {@linkcode cached}.
 *
 * @example Usage
 * ```ts
 * import type { CachedOptions } from "@org/kv/cached";
 *
 * const options: CachedOptions = { maxAge: 5_000, maxEntries: 50_000 };
 * ```
 */
export interface CachedOptions {
  /**
   * How old a value that `get()` returns may be, in milliseconds: what other
   * processes write is seen at the latest after this time.
   *
   * @default {1000}
   */
  readonly maxAge?: number;
  /**
   * The most entries to keep, including those known to be missing.
   *
   * @default {10000}
   */
  readonly maxEntries?: number;
  /**
   * About how many bytes the values may take together, by their encoding.
   *
   * @default {Infinity}
   */
  readonly maxBytes?: number;
}

const positive = (value: unknown) => (value as number) > 0;

const RULES: Record<string, OptionRule> = {
  maxAge: {
    type: "number",
    must: "be a number of milliseconds above 0",
    accepts: positive,
  },
  maxEntries: {
    type: "number",
    must: "be a whole number above 0",
    accepts: (value) => Number.isInteger(value) && positive(value),
  },
  maxBytes: {
    type: "number",
    must: "be a number of bytes above 0",
    accepts: positive,
  },
};

/** A value as the cache keeps it: nobody else has a reference to it. */
interface Kept {
  readonly value: unknown;
  readonly plain: boolean;
  /** When it was requested, by `performance.now()`. */
  readonly time: number;
}

/** A read of the store that is not settled. */
interface Read {
  readonly kept: Promise<Kept>;
  readonly time: number;
}

/**
 * Puts a cache in front of a store. A read of an entry that was read in
 * the last `maxAge` milliseconds costs what a read of a `MemoryKvStore` costs.
 *
 * - A `get()` returns a value that the store held at most `maxAge` milliseconds
 *   ago, also if it has expired since. An entry that is missing is remembered too.
 * - The process's own writes through this cache are visible at once.
 * - `cas()` is always decided by the store. `list()`, `keys()` and `count()`
 *   always read the store.
 * - Concurrent reads of one key that is not cached read the store once.
 *
 * @param store The store.
 * @param options How long, and how many entries to keep.
 * @returns The cache.
 * @throws {TypeError} If an option is unknown or has a wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { cached } from "@org/kv/cached";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = cached(new MemoryKvStore(), { maxAge: 5_000 });
 * await kv.set(["users", "alice"], { visits: 1 });
 * assertEquals(await kv.get(["users", "alice"]), { visits: 1 });
 * ```
 */
export function cached(
  store: KvExtendedStore,
  options: CachedOptions = {},
): CachedKvStore {
  return new CachedKvStore(store, options);
}

/**
 * A cache in front of a store; see {@linkcode cached}.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { CachedKvStore } from "@org/kv/cached";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new CachedKvStore(new MemoryKvStore());
 * assertEquals(await kv.get(["missing"]), undefined);
 * ```
 */
export class CachedKvStore implements KvExtendedStore {
  /** Those of the store, without linearizable reads. */
  readonly traits: KvStoreTraits;

  readonly #store: KvExtendedStore;
  readonly #maxAge: number;
  readonly #kept: LRUCache<string, Kept>;
  readonly #reads = new Map<string, Read>();
  /** The number of writes of each key that are not settled. */
  readonly #writes = new Map<string, number>();

  /**
   * Makes a cache.
   *
   * @param store The store.
   * @param options How long, and how many entries to keep.
   * @throws {TypeError} If an option is unknown or has a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(store: KvExtendedStore, options: CachedOptions = {}) {
    checkOptions("make a cached store", options, RULES);
    const { maxAge = 1_000, maxEntries = 10_000, maxBytes } = options;
    this.#store = store;
    this.#maxAge = maxAge;
    this.#kept = maxBytes === undefined || maxBytes === Infinity
      ? new LRUCache({ max: maxEntries })
      : new LRUCache({
        max: maxEntries,
        maxSize: maxBytes,
        sizeCalculation: ({ value }, id) =>
          id.length + (encodeValue(value)?.length ?? 0) + 1,
      });
    this.traits = {
      ...store.traits,
      without: {
        ...store.traits.without,
        linearizable: `get() may return a value that is up to ${maxAge} ms old`,
      },
    };
  }

  /** The number of calls of the store that are not settled yet. */
  get pending(): number {
    return this.#store.pending;
  }

  /**
   * Reads an entry from the cache, or else from the store.
   *
   * @typeParam T The type that the caller knows the value to have.
   * @param key The key to read.
   * @returns The value, or `undefined` if there is no entry.
   * @throws As the `get()` of the store does.
   */
  async get<T = unknown>(key: KvKey): Promise<T | undefined> {
    const id = checkAndEncodeKey(key, "get");
    const kept = this.#kept.get(id);
    if (kept !== undefined && this.#isFresh(kept)) {
      return paced(copyOf(kept) as T | undefined);
    }
    // A write that is not settled comes first; its result is in the store.
    if (this.#writes.has(id)) return await this.#store.get<T>(key);
    let read = this.#reads.get(id);
    if (read === undefined || !this.#isFresh(read)) read = this.#read(key, id);
    return copyOf(await read.kept) as T | undefined;
  }

  /**
   * Writes an entry to the store, and forgets what is cached of it.
   *
   * @param key The key to write.
   * @param value The value; it may be changed freely after the call.
   * @param options The TTL or the expiry.
   * @throws As the `set()` of the store does.
   */
  async set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<void> {
    await this.#write(key, "set", () => this.#store.set(key, value, options));
  }

  /**
   * Deletes an entry.
   *
   * @param key The key to delete.
   * @throws As the `delete()` of the store does.
   */
  async delete(key: KvKey): Promise<void> {
    await this.#write(key, "delete", () => this.#store.delete(key));
  }

  /**
   * Swaps a value in the store.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL or the expiry.
   * @returns Whether the swap was made.
   * @throws {TypeError} If the store has no `cas()`.
   * @throws As the `cas()` of the store does.
   */
  async cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    const store = this.#store;
    if (store.cas === undefined) {
      throw new TypeError(
        `Cannot cas: the store has no cas(): ${store.traits.without.cas}`,
      );
    }
    return await this.#write(
      key,
      "cas",
      () => store.cas!(key, expectedValue, newValue, options),
    );
  }

  /**
   * Lists entries of the store.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options Where to begin and to end.
   * @returns The entries, as a stream.
   */
  list(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvStoreListEntry> {
    return this.#store.list(prefix, options);
  }

  /**
   * Lists keys of the store.
   *
   * @param prefix The leading parts; without it, or empty, all keys.
   * @param options Where to begin and to end.
   * @returns The keys, as a stream.
   */
  keys(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvKeyEntry> {
    return this.#store.keys(prefix, options);
  }

  /**
   * Counts entries of the store.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options A signal, and what to tell about the progress.
   * @returns The number of entries.
   */
  count(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number> {
    return this.#store.count(prefix, options);
  }

  /**
   * Deletes entries, and forgets everything that is cached.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options A signal, and what to tell about the progress.
   * @returns How many entries it deleted.
   */
  async clear(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number> {
    this.forget();
    try {
      return await this.#store.clear(prefix, options);
    } finally {
      this.forget();
    }
  }

  /**
   * Reclaims the expired entries of the store.
   *
   * @param options A signal, and what to tell about the progress.
   * @returns How many entries it removed.
   */
  sweep(options?: KvProgressOptions): Promise<number> {
    return this.#store.sweep(options);
  }

  /** Makes one cheap round trip to the store. */
  check(): Promise<void> {
    return this.#store.check();
  }

  /**
   * Forgets what is cached: the next reads go to the store.
   *
   * @param key The key of one entry, or everything.
   */
  forget(key?: KvKey): void {
    if (key === undefined) {
      this.#kept.clear();
      this.#reads.clear();
    } else {
      this.#forget(checkAndEncodeKey(key, "forget"));
    }
  }

  #forget(id: string): void {
    this.#kept.delete(id);
    this.#reads.delete(id);
  }

  #read(key: KvKey, id: string): Read {
    const time = performance.now();
    // Whoever writes meanwhile takes this read out, and it is not kept.
    const isLatest = () => this.#reads.get(id) === read;
    const kept = this.#store.get(key).then((found) => {
      const { value, plain } = copyValue(found);
      const kept = { value, plain, time };
      if (isLatest()) this.#kept.set(id, kept);
      return kept;
    }).finally(() => {
      if (isLatest()) this.#reads.delete(id);
    });
    const read: Read = { kept, time };
    this.#reads.set(id, read);
    return read;
  }

  #isFresh({ time }: { readonly time: number }): boolean {
    return performance.now() - time < this.#maxAge;
  }

  async #write<T>(
    key: KvKey,
    action: string,
    write: () => Promise<T>,
  ): Promise<T> {
    const id = checkAndEncodeKey(key, action);
    this.#forget(id);
    this.#writes.set(id, (this.#writes.get(id) ?? 0) + 1);
    try {
      return await write();
    } finally {
      const left = this.#writes.get(id)! - 1;
      if (left === 0) this.#writes.delete(id);
      else this.#writes.set(id, left);
      this.#forget(id);
    }
  }
}

function copyOf({ value, plain }: Kept): unknown {
  return plain ? copyPlain(value) : copyValue(value).value;
}
