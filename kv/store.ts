/**
 * The contract that every driver keeps: its types, and its guarantees in prose.
 *
 * @module
 */

import type { KvStoreTraits } from "./traits.ts";

export type { KvGuarantee, KvStoreTraits } from "./traits.ts";

/**
 * A key: one or more parts, each any well-formed string.
 *
 * Two different sequences of parts are always two different keys. All parts
 * together take at most 8 KiB of UTF-8.
 *
 * @example Usage
 * ```ts
 * import { type KvKey, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const key: KvKey = ["users", "https://example.com/@alice"];
 * await kv.set(key, "Alice");
 * assertEquals(await kv.get(["users", "https://example.com/@alice"]), "Alice");
 * ```
 */
export type KvKey = readonly [string] | readonly [string, ...string[]];

/**
 * How long an entry lives: milliseconds, or a duration with a total in
 * milliseconds, such as a `Temporal.Duration`.
 *
 * Rounded up to whole milliseconds. Zero or less means already expired. A
 * duration in weeks, months or years counts from now, in UTC.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore, type Ttl } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const ttl: Ttl = Temporal.Duration.from({ months: 1 }); // or milliseconds
 * await kv.set(["session"], "abc", { ttl });
 * assertEquals(await kv.get(["session"]), "abc");
 * ```
 */
export type Ttl = number | { total(unit: "milliseconds"): number };

/**
 * Options of {@linkcode KvStore.set} and {@linkcode KvStore.cas}.
 *
 * @example Usage
 * ```ts
 * import { type KvStoreSetOptions, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const expired: KvStoreSetOptions = { ttl: 0 };
 * await kv.set(["session"], "abc", expired);
 * assertEquals(await kv.get(["session"]), undefined);
 * ```
 */
export interface KvStoreSetOptions {
  /**
   * How long the entry lives. Without it, and without `expires`, the entry has no
   * TTL, whatever it had before.
   *
   * @default {undefined}
   */
  ttl?: Ttl | undefined;
  /**
   * When the entry expires, in epoch milliseconds, in place of a TTL. Rounded up
   * to whole milliseconds. A moment that has passed means already expired.
   *
   * It is stored as it is: a store on a server compares it with the server's
   * clock.
   *
   * @default {undefined}
   */
  expires?: number | undefined;
}

/**
 * An entry that {@linkcode KvStore.list} yields.
 *
 * @example Usage
 * ```ts
 * import { type KvStoreListEntry, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * await kv.set(["a", "b"], 1);
 *
 * const entries: KvStoreListEntry[] = await Array.fromAsync(kv.list(["a"]));
 * assertEquals(entries, [{ key: ["a", "b"], value: 1 }]);
 * ```
 */
export interface KvStoreListEntry {
  /** The key of the entry. */
  readonly key: KvKey;
  /** The value of the entry. */
  readonly value: unknown;
  /** When the entry expires, in epoch milliseconds, if it has a TTL. */
  readonly expires?: number;
}

/**
 * A key that `keys()` yields.
 *
 * @example Usage
 * ```ts
 * import { type KvKeyEntry, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * await kv.set(["a", "b"], 1);
 *
 * const keys: KvKeyEntry[] = await Array.fromAsync(kv.keys(["a"]));
 * assertEquals(keys, [{ key: ["a", "b"] }]);
 * ```
 */
export interface KvKeyEntry {
  /** The key of the entry. */
  readonly key: KvKey;
  /** When the entry expires, in epoch milliseconds, if it has a TTL. */
  readonly expires?: number;
}

/**
 * Options of `list()` and `keys()`.
 *
 * @example Usage
 * ```ts
 * import { type KvListOptions, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * for (const part of ["a", "b", "c"]) await kv.set([part], part);
 *
 * const options: KvListOptions = { after: ["a"], limit: 1 };
 * const entries = await Array.fromAsync(kv.list([], options));
 * assertEquals(entries, [{ key: ["b"], value: "b" }]);
 * ```
 */
export interface KvListOptions {
  /**
   * The most entries to yield.
   *
   * @default {Infinity}
   */
  readonly limit?: number | undefined;
  /**
   * The key to continue after, whether it exists or not. It must start with the
   * prefix. With `reverse`, the entries before it follow.
   */
  readonly after?: KvKey | undefined;
  /**
   * Whether to list from the last key to the first.
   *
   * @default {false}
   */
  readonly reverse?: boolean | undefined;
  /** Ends the listing with the reason of the signal once it is aborted. */
  readonly signal?: KvSignal | undefined;
}

/**
 * What a store uses of an `AbortSignal`, so that these types need neither those
 * of the DOM nor of Node.
 *
 * @example Usage
 * ```ts
 * import { type KvSignal, MemoryKvStore } from "@org/kv";
 * import { assertRejects } from "@std/assert";
 *
 * const signal: KvSignal = AbortSignal.abort(new Error("stopped"));
 * const kv = new MemoryKvStore();
 * await assertRejects(() => kv.count([], { signal }), Error, "stopped");
 * ```
 */
export interface KvSignal {
  /** Whether it is aborted. */
  readonly aborted: boolean;
  /** Why it was aborted. */
  readonly reason: unknown;
  /** Throws the reason if it is aborted. */
  throwIfAborted(): void;
  /** Calls a function once it is aborted. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Forgets a function. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Options of `count()`, `clear()` and `sweep()`, which take long on many entries.
 *
 * @example Usage
 * ```ts
 * import { type KvProgressOptions, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * await kv.set(["a"], 1);
 *
 * const options: KvProgressOptions = { onProgress: (done) => assertEquals(done, 1) };
 * assertEquals(await kv.clear([], options), 1);
 * ```
 */
export interface KvProgressOptions {
  /** Stops the operation with the reason of the signal once it is aborted. */
  readonly signal?: KvSignal | undefined;
  /** Is called now and then with the number of entries so far. */
  readonly onProgress?: ((entries: number) => void) | undefined;
}

/**
 * A key–value store over keys that are tuples of strings.
 *
 * It is structurally the `KvStore` of Fedify, and every class of this module
 * gives the same guarantees:
 *
 * - **Keys**: the parts are any well-formed strings. An empty sequence, a part
 *   that is not a string and a part with a lone surrogate throw a `TypeError`; a
 *   key of more than 8 KiB throws a `RangeError`.
 * - **Values**: JSON plus `undefined` in arrays, `NaN`, the infinities,
 *   `BigInt`, `Date`, `Map`, `Set`, `ArrayBuffer` and typed arrays. Reads return
 *   an equal value of the same type. A function, a symbol, a `RegExp` or a cycle
 *   throws a `TypeError` that names its path. `null` is a value; `undefined`
 *   means no entry.
 * - **Isolation**: changing a value after the call never changes the store.
 * - **TTL**: from its expiry on, to the millisecond, an entry is absent.
 * - **Calls in flight** take effect, per key, in the order in which they were
 *   made, whether or not they are awaited. Each succeeds or fails on its own.
 * - **Failures**: a rejected call changed nothing, unless it rejects with
 *   {@linkcode KvOutcomeUnknownError}.
 *
 * @example Usage
 * ```ts
 * import { type KvStore, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv: KvStore = new MemoryKvStore();
 * await kv.set(["greeting", "en"], "Hello");
 * assertEquals(await kv.get(["greeting", "en"]), "Hello");
 * ```
 */
export interface KvStore {
  /**
   * Reads an entry.
   *
   * @typeParam T The type that the caller knows the value to have.
   * @param key The key to read.
   * @returns The value, or `undefined` if there is no entry.
   */
  get<T = unknown>(key: KvKey): Promise<T | undefined>;

  /**
   * Writes an entry, or deletes it if the value is `undefined`.
   *
   * @param key The key to write.
   * @param value The value; it may be changed freely after the call.
   * @param options The TTL or the expiry.
   */
  set(key: KvKey, value: unknown, options?: KvStoreSetOptions): Promise<void>;

  /**
   * Deletes an entry, if there is one.
   *
   * @param key The key to delete.
   */
  delete(key: KvKey): Promise<void>;

  /**
   * Writes an entry if, and only if, its value equals the expected one by
   * content. `undefined` stands for no entry on both sides.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL or the expiry.
   * @returns Whether the swap was made.
   */
  cas?(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean>;

  /**
   * Lists the entries whose key starts with the prefix, in key order.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options Where to begin and to end.
   * @returns The entries, as a stream.
   */
  list(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvStoreListEntry>;
}

/**
 * What every store of this module offers beyond Fedify's `KvStore`.
 *
 * @example Usage
 * ```ts
 * import { type KvExtendedStore, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv: KvExtendedStore = new MemoryKvStore();
 * await kv.set(["sessions", "x1"], "alice");
 * assertEquals(await kv.count(["sessions"]), 1);
 * assertEquals(await kv.clear(["sessions"]), 1);
 * ```
 */
export interface KvExtendedStore extends KvStore {
  /** What the store is and what it does not guarantee. */
  readonly traits: KvStoreTraits;

  /** The number of calls that are not settled yet. */
  readonly pending: number;

  /**
   * Lists the keys that start with the prefix, in key order, without reading the
   * values where the backend allows it.
   *
   * @param prefix The leading parts; without it, or empty, all keys.
   * @param options Where to begin and to end.
   * @returns The keys, as a stream.
   */
  keys(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvKeyEntry>;

  /**
   * Counts the entries whose key starts with the prefix.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options A signal, and what to tell about the progress.
   * @returns The number of entries.
   */
  count(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number>;

  /**
   * Deletes the entries whose key starts with the prefix, in small steps.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options A signal, and what to tell about the progress.
   * @returns How many entries it deleted.
   */
  clear(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number>;

  /**
   * Reclaims the entries that have expired, in small steps.
   *
   * @param options A signal, and what to tell about the progress.
   * @returns How many entries it removed; 0 where the backend does it.
   */
  sweep(options?: KvProgressOptions): Promise<number>;

  /** Makes one cheap round trip, for health endpoints. */
  check(): Promise<void>;
}
