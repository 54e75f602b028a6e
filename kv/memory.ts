/** @module A store in the memory of the process; docs/stores/memory.md says what it costs. */
// deno-lint-ignore-file require-await

import { assertKey } from "./core/key.ts";
import { checkedCopy, entryOf } from "./memory/entry.ts";
import { checkProgressOptions, sweepAll } from "./core/operations.ts";
import { Entries } from "./memory/entries.ts";
import type {
  KvExtendedStore,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
} from "./store.ts";
import { MemoryLister } from "./memory/list.ts";
import { TRAITS } from "./memory/traits.ts";
import { traceCall } from "./core/trace.ts";
import { paced } from "./core/turn.ts";

/**
 * A store in the memory of the process, for tests, caches and applications of
 * one process whose entries need not outlive it.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv/memory";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * await kv.set(["users", "alice"], { visits: 1 });
 *
 * const before = await kv.get(["users", "alice"]);
 * assert(await kv.cas(["users", "alice"], before, { visits: 2 }));
 * assertEquals(await Array.fromAsync(kv.list(["users"])), [
 *   { key: ["users", "alice"], value: { visits: 2 } },
 * ]);
 * ```
 */
export class MemoryKvStore implements KvExtendedStore {
  /** What the store is; it leaves no guarantee out. */
  readonly traits: KvStoreTraits = TRAITS;

  /** The number of calls that are not settled yet: none waits. */
  readonly pending = 0;
  readonly #entries = new Entries();
  readonly #lister = new MemoryLister(this.#entries, this.traits);

  /** The number of entries, with those that are expired but not reclaimed. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Reads an entry.
   *
   * @typeParam T The type that the caller knows the value to have.
   * @param key The key to read.
   * @returns The value, or `undefined` if there is no entry.
   * @throws {TypeError | RangeError} If the key is wrong.
   */
  async get<T = unknown>(key: KvKey): Promise<T | undefined> {
    assertKey(key, "get");
    const trace = traceCall(this, "get");
    const value = this.#entries.find(key)?.copyOfValue();
    trace?.finish();
    return paced(value as T | undefined);
  }

  /**
   * Writes an entry, or deletes it if the value is `undefined`.
   *
   * @param key The key to write.
   * @param value The value; it may be changed freely after the call.
   * @param options The TTL or the expiry.
   * @throws {TypeError | RangeError} If the key, the value or an option is wrong.
   */
  async set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<void> {
    assertKey(key, "set");
    const entry = entryOf("set", key, value, options);
    const trace = traceCall(this, "set");
    this.#entries.write(key, entry);
    return paced(trace?.finish());
  }

  /**
   * Deletes an entry, if there is one.
   *
   * @param key The key to delete.
   * @throws {TypeError | RangeError} If the key is wrong.
   */
  async delete(key: KvKey): Promise<void> {
    assertKey(key, "delete");
    const trace = traceCall(this, "delete");
    this.#entries.write(key, undefined);
    return paced(trace?.finish());
  }

  /**
   * Writes an entry if, and only if, its value equals the expected one by
   * content. `undefined` means no entry, on both sides.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL or the expiry.
   * @returns Whether the swap was made.
   * @throws {TypeError | RangeError} If the key, a value or an option is wrong.
   */
  async cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    assertKey(key, "cas");
    const entry = entryOf("cas", key, newValue, options);
    const expected = checkedCopy("cas", key, expectedValue).value;
    const trace = traceCall(this, "cas");
    const swapped = this.#entries.swap(key, expected, entry);
    trace?.finish(undefined, swapped);
    return paced(swapped);
  }

  /**
   * Lists the entries whose key starts with the prefix, in key order.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options Where to begin and to end.
   * @returns The entries. Iterating throws if an argument is wrong.
   */
  list(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvStoreListEntry> {
    return this.#lister.list(prefix, options);
  }

  /**
   * Lists the keys that start with the prefix, without copying the values.
   *
   * @param prefix The leading parts; without it, or empty, all keys.
   * @param options Where to begin and to end.
   * @returns The keys. Iterating throws if an argument is wrong.
   */
  keys(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvKeyEntry> {
    return this.#lister.keys(prefix, options);
  }

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
  ): Promise<number> {
    return this.#lister.count(prefix, options);
  }

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
  ): Promise<number> {
    return this.#lister.clear(prefix, options);
  }

  /**
   * Reclaims the entries that have expired, in small steps.
   *
   * @param options A signal, and what to tell about the progress.
   * @returns How many entries it removed.
   */
  async sweep(options: KvProgressOptions = {}): Promise<number> {
    checkProgressOptions("sweep", options);
    return await sweepAll(this, () => this.#entries.sweep(), options);
  }

  /** Resolves: the memory of the process is always there. */
  async check(): Promise<void> {}
}
