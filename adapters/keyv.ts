/**
 * Any store of this module as a storage adapter of [Keyv](https://keyv.org),
 * for the libraries that take a Keyv instance.
 *
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { Keyv5Storage } from "@org/kv/keyv";
 * import { assertEquals } from "@std/assert";
 * import { Keyv } from "keyv";
 *
 * const kv = new MemoryKvStore();
 * const store = new Keyv5Storage(kv); // KeyvStorage with Keyv 6
 * const keyv = new Keyv({ store, namespace: "http" });
 * await keyv.set("https://example.com/", "cached", 60_000);
 * assertEquals(await keyv.get("https://example.com/"), "cached");
 * ```
 *
 * @module
 */
import type { KvKey, KvStore, KvStoreListEntry } from "../kv/store.ts";

export type {
  KvKey,
  KvListOptions,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  Ttl,
} from "../kv/store.ts";

/** How many keys `clear()` deletes at once. */
const batchLength = 256;

/**
 * Options of {@linkcode KeyvStorage}.
 *
 * @example Usage
 * ```ts
 * import type { KeyvStorageOptions } from "@org/kv/keyv";
 *
 * const options: KeyvStorageOptions = { prefix: ["cache", "keyv"] };
 * ```
 */
export interface KeyvStorageOptions {
  /**
   * The leading parts of every key. `clear()` deletes nothing outside of them.
   *
   * @default {["keyv"]}
   */
  prefix?: KvKey;
}

/**
 * A storage adapter for Keyv 6.
 *
 * The key `k` of the namespace `n` is stored under `[...prefix, "n", "k"]`, a
 * key without a namespace under `[...prefix, "k"]`.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { KeyvStorage } from "@org/kv/keyv";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = new KeyvStorage(new MemoryKvStore());
 * await storage.set("a", "1", Date.now() + 60_000);
 * assertEquals(await storage.get("a"), "1");
 * assertEquals(await storage.deleteMany(["a", "b"]), [true, false]);
 * ```
 */
export class KeyvStorage {
  /** The namespace of all keys; Keyv sets it. */
  namespace: string | undefined = undefined;

  /** Tells Keyv that `set` takes an absolute expiry. */
  readonly capabilities: { readonly expires: true } = { expires: true };

  /** The store. */
  protected readonly kv: KvStore;
  readonly #prefix: KvKey;

  /**
   * Creates an adapter. It never closes the store.
   *
   * @param kv The store.
   * @param options The prefix of all keys.
   */
  constructor(kv: KvStore, options: KeyvStorageOptions = {}) {
    this.kv = kv;
    this.#prefix = options.prefix ?? ["keyv"];
  }

  /**
   * Reads a value.
   *
   * @typeParam Value The type that the caller knows the value to have.
   * @param key The key.
   * @returns The value, or `undefined` if it is missing.
   */
  async get<Value>(key: string): Promise<Value | undefined> {
    return await this.kv.get<Value>(this.keyOf(key));
  }

  /**
   * Reads several values, in one batch.
   *
   * @typeParam Value The type that the caller knows the values to have.
   * @param keys The keys.
   * @returns The values, `undefined` where one is missing.
   */
  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return await Promise.all(keys.map((key) => this.get<Value>(key)));
  }

  /**
   * Writes a value.
   *
   * @param key The key.
   * @param value The value.
   * @param expires When it expires, in epoch milliseconds.
   * @returns `true`.
   */
  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    await this.kv.set(this.keyOf(key), value, { expires });
    return true;
  }

  /**
   * Writes several values, in one batch.
   *
   * @param entries The keys, values and expiries.
   * @returns `true` for each.
   */
  async setMany(
    entries: { key: string; value: unknown; expires?: number }[],
  ): Promise<boolean[]> {
    return await Promise.all(
      entries.map(({ key, value, expires }) => this.set(key, value, expires)),
    );
  }

  /**
   * Deletes a value.
   *
   * @param key The key.
   * @returns Whether there was one.
   */
  async delete(key: string): Promise<boolean> {
    const [existed] = await Promise.all([
      this.has(key),
      this.kv.delete(this.keyOf(key)),
    ]);
    return existed;
  }

  /**
   * Deletes several values, in one batch.
   *
   * @param keys The keys.
   * @returns Whether there was one, for each key.
   */
  async deleteMany(keys: string[]): Promise<boolean[] | boolean> {
    return await Promise.all(keys.map((key) => this.delete(key)));
  }

  /**
   * Tells whether there is a value.
   *
   * @param key The key.
   * @returns Whether there is one.
   */
  async has(key: string): Promise<boolean> {
    return await this.get(key) !== undefined;
  }

  /**
   * Tells which keys have a value.
   *
   * @param keys The keys.
   * @returns Whether there is one, for each key.
   */
  async hasMany(keys: string[]): Promise<boolean[]> {
    return await Promise.all(keys.map((key) => this.has(key)));
  }

  /** Deletes the values of the namespace; without one, those without one. */
  async clear(): Promise<void> {
    let deletions: Promise<void>[] = [];
    for await (const { key } of this.entries()) {
      if (deletions.push(this.kv.delete(key)) < batchLength) continue;
      await Promise.all(deletions);
      deletions = [];
    }
    await Promise.all(deletions);
  }

  /**
   * Yields the keys and values of the namespace; without one, those without
   * one.
   *
   * @typeParam Value The type that the caller knows the values to have.
   * @returns Pairs of a key and a value.
   */
  async *iterator<Value>(): AsyncGenerator<[key: string, value: Value], void> {
    for await (const { key, value } of this.entries()) {
      yield [key.at(-1)!, value as Value];
    }
  }

  /** The store's key for a key of Keyv. */
  protected keyOf(key: string): KvKey {
    return [...this.#parts(), key];
  }

  /** The entries of the namespace. */
  protected async *entries(): AsyncGenerator<KvStoreListEntry, void> {
    const parts = this.#parts();
    for await (const entry of this.kv.list(parts)) {
      if (entry.key.length === parts.length + 1) yield entry;
    }
  }

  #parts(): KvKey {
    const { namespace } = this;
    return namespace === undefined
      ? this.#prefix
      : [...this.#prefix, namespace];
  }
}

/**
 * A storage adapter for Keyv 5, with the same keys as {@linkcode KeyvStorage}.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { Keyv5Storage } from "@org/kv/keyv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const storage = new Keyv5Storage(kv);
 * storage.namespace = "http"; // as Keyv does
 * await storage.set("http:a", "1", 60_000);
 * assertEquals(await kv.get(["keyv", "http", "a"]), "1");
 * ```
 */
export class Keyv5Storage extends KeyvStorage {
  /** Keyv 5 iterates only over adapters that name one of Keyv's own dialects. */
  readonly opts: { readonly dialect: string } = { dialect: "redis" };

  /**
   * Writes a value.
   *
   * @param key The key.
   * @param value The value.
   * @param ttl How long it lives, in milliseconds.
   * @returns `true`.
   */
  override async set(
    key: string,
    value: unknown,
    ttl?: number,
  ): Promise<boolean> {
    await this.kv.set(this.keyOf(key), value, { ttl });
    return true;
  }

  /**
   * Writes several values, in one batch.
   *
   * @param entries The keys, values and TTLs.
   * @returns `true` for each.
   */
  override async setMany(
    entries: { key: string; value: unknown; ttl?: number }[],
  ): Promise<boolean[]> {
    return await Promise.all(
      entries.map(({ key, value, ttl }) => this.set(key, value, ttl)),
    );
  }

  /**
   * Deletes several values, in one batch.
   *
   * @param keys The keys.
   * @returns Whether there was any.
   */
  override async deleteMany(keys: string[]): Promise<boolean> {
    return (await Promise.all(keys.map((key) => this.delete(key))))
      .includes(true);
  }

  /**
   * Yields the keys and values of the namespace; without one, those without
   * one.
   *
   * @typeParam Value The type that the caller knows the values to have.
   * @returns Pairs of a key, with the namespace in front, and a value.
   */
  override async *iterator<Value>(): AsyncGenerator<
    [key: string, value: Value],
    void
  > {
    for await (const [key, value] of super.iterator<Value>()) {
      yield [this.#front() + key, value];
    }
  }

  /** Keyv 5 puts the namespace in front of each key. */
  protected override keyOf(key: string): KvKey {
    const front = this.#front();
    return super.keyOf(key.startsWith(front) ? key.slice(front.length) : key);
  }

  #front(): string {
    return this.namespace === undefined ? "" : `${this.namespace}:`;
  }
}
