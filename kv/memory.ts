/**
 * A store in the memory of the process.
 *
 * @module
 */

import { copyValue } from "./core/copy.ts";
import { equalValues } from "./core/equal.ts";
import { type Expiring, ExpiryQueue } from "./memory/expiry_queue.ts";
import { assertKey, checkPrefix } from "./core/key.ts";
import { rejection } from "./core/message.ts";
import { copyPlain } from "./core/plain.ts";
import type {
  KvKey,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
} from "./store.ts";
import { Node } from "./memory/trie.ts";
import { ttlOf } from "./core/ttl.ts";

/** How many expired entries a write may remove. */
const SWEEP_STEP = 32;

/** A value as it is kept: nobody else has a reference to it. */
class Entry {
  constructor(readonly value: unknown, readonly plain: boolean) {}

  copyOfValue(): unknown {
    return this.plain ? copyPlain(this.value) : copyValue(this.value).value;
  }
}

/** One that expires. */
class ExpiringEntry extends Entry implements Expiring {
  place = -1;
  constructor(
    value: unknown,
    plain: boolean,
    readonly key: KvKey,
    public expiry: number,
  ) {
    super(value, plain);
  }
}

/**
 * A store in the memory of the process, for tests, caches and single-process
 * applications that need not remember. It keeps every promise of the contract
 * but, of course, no entry beyond the end of the process.
 *
 * `get`, `set`, `delete` and `cas` take time proportional to the number of parts
 * of the key and to the size of the value, which is copied on its way in and out.
 * Each write removes a few expired entries.
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
export class MemoryKvStore implements KvStore {
  /** What the store is; it makes every promise. */
  readonly traits: KvStoreTraits = {
    driver: "memory",
    persistent: false,
    shared: "process",
    maxValueBytes: Infinity,
    without: {},
  };

  readonly #root = new Node<Entry>();
  readonly #expiring = new ExpiryQueue<ExpiringEntry>();
  #size = 0;

  /**
   * The number of entries that the store holds, with those that are expired and
   * not reclaimed yet.
   */
  get size(): number {
    return this.#size;
  }

  /**
   * Reads an entry.
   *
   * @typeParam T The type that the caller knows the value to have.
   * @param key The key to read.
   * @returns The value, or `undefined` if there is no entry.
   * @throws {TypeError} If the key is no sequence of well-formed strings.
   * @throws {RangeError} If the key takes more than 8 KiB.
   */
  // deno-lint-ignore require-await
  async get<T = unknown>(key: KvKey): Promise<T | undefined> {
    assertKey(key, "get");
    return this.#find(key)?.copyOfValue() as T | undefined;
  }

  /**
   * Writes an entry, or deletes it if the value is `undefined`.
   *
   * @param key The key to write.
   * @param value The value; it may be changed freely after the call.
   * @param options The TTL.
   * @throws {TypeError} If the key, the value or the TTL is of a wrong type.
   * @throws {RangeError} If the key is too large, or the TTL is not finite.
   */
  // deno-lint-ignore require-await
  async set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<void> {
    assertKey(key, "set");
    this.#write(key, entryOf("set", key, value, options));
  }

  /**
   * Deletes an entry, if there is one.
   *
   * @param key The key to delete.
   * @throws {TypeError} If the key is no sequence of well-formed strings.
   * @throws {RangeError} If the key takes more than 8 KiB.
   */
  // deno-lint-ignore require-await
  async delete(key: KvKey): Promise<void> {
    assertKey(key, "delete");
    this.#delete(key);
    this.#sweep();
  }

  /**
   * Writes an entry if, and only if, its value equals the expected one by
   * content. `undefined` stands for no entry on both sides.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL.
   * @returns Whether the swap was made.
   * @throws {TypeError} If the key, a value or the TTL is of a wrong type.
   * @throws {RangeError} If the key is too large, or the TTL is not finite.
   */
  // deno-lint-ignore require-await
  async cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    assertKey(key, "cas");
    const entry = entryOf("cas", key, newValue, options);
    const expected = copyOf("cas", key, expectedValue).value;
    if (!equalValues(this.#find(key)?.value, expected)) return false;
    this.#write(key, entry);
    return true;
  }

  /**
   * Lists the entries whose key starts with the prefix, in key order. The first
   * listing of many keys with the same leading parts sorts them; from then on
   * their order is kept up.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @returns The entries, as a stream. Iterating throws a `TypeError` or
   * `RangeError` if the prefix is wrong.
   */
  list(prefix?: KvKey): AsyncIterable<KvStoreListEntry> {
    const copy = Array.isArray(prefix) ? [...prefix] : prefix;
    return { [Symbol.asyncIterator]: () => this.#list(copy) };
  }

  async *#list(prefix: unknown): AsyncGenerator<KvStoreListEntry> {
    const parts = checkPrefix(prefix);
    let node: Node<Entry> | undefined = this.#root;
    for (const part of parts) node = node?.child(part);
    if (node === undefined) return;
    for (const [key, { entry }] of node.walk(parts)) {
      if (entry === undefined || isExpired(entry)) continue;
      yield { key: key as unknown as KvKey, value: entry.copyOfValue() };
    }
  }

  #find(key: KvKey): Entry | undefined {
    let node: Node<Entry> | undefined = this.#root;
    for (let i = 0; i < key.length; i++) {
      node = node.child(key[i]!);
      if (node === undefined) return undefined;
    }
    const { entry } = node;
    return entry === undefined || isExpired(entry) ? undefined : entry;
  }

  #write(key: KvKey, entry: Entry | undefined) {
    if (entry === undefined) {
      this.#delete(key);
    } else {
      let node = this.#root;
      for (let i = 0; i < key.length; i++) node = node.ensureChild(key[i]!);
      if (node.entry !== undefined) this.#forget(node.entry);
      node.entry = entry;
      this.#size++;
      if (entry instanceof ExpiringEntry) this.#expiring.add(entry);
    }
    this.#sweep();
  }

  #delete(key: KvKey) {
    const path = [this.#root];
    for (const part of key) {
      const node = path.at(-1)!.child(part);
      if (node === undefined) return;
      path.push(node);
    }
    const last = path.pop()!;
    if (last.entry === undefined) return;
    this.#forget(last.entry);
    last.entry = undefined;
    for (let i = path.length - 1; i >= 0; i--) path[i]!.prune(key[i]!);
  }

  #forget(entry: Entry) {
    this.#size--;
    if (entry instanceof ExpiringEntry) this.#expiring.remove(entry);
  }

  #sweep() {
    let { first } = this.#expiring;
    if (first === undefined) return;
    const now = Date.now();
    for (let i = 0; i < SWEEP_STEP; i++) {
      if (first === undefined || first.expiry > now) return;
      this.#delete(first.key);
      first = this.#expiring.first;
    }
  }
}

function isExpired(entry: Entry): boolean {
  return entry instanceof ExpiringEntry && entry.expiry <= Date.now();
}

/** Checks a write and copies its value; nothing is left of a deletion. */
function entryOf(
  action: string,
  key: KvKey,
  value: unknown,
  options: KvStoreSetOptions | undefined,
): Entry | undefined {
  const ttl = checkedTtl(action, key, options);
  const copy = copyOf(action, key, value);
  if (copy.value === undefined || (ttl !== undefined && ttl <= 0)) {
    return undefined;
  }
  return ttl === undefined
    ? new Entry(copy.value, copy.plain)
    : new ExpiringEntry(
      copy.value,
      copy.plain,
      key.slice() as unknown as KvKey,
      Date.now() + ttl,
    );
}

function checkedTtl(
  action: string,
  key: KvKey,
  options: KvStoreSetOptions | undefined,
): number | undefined {
  try {
    return ttlOf(options);
  } catch (error) {
    throw rejection(action, key, error);
  }
}

function copyOf(action: string, key: KvKey, value: unknown) {
  try {
    return copyValue(value);
  } catch (error) {
    throw rejection(action, key, error);
  }
}
