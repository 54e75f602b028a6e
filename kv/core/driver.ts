/**
 * What all drivers on a backend share: the public methods, which check and
 * encode, and the batch.
 *
 * @module
 */

import { Batch, type BatchOptions } from "./batcher.ts";
import { failure, KvCall, type KvCodec, refusal } from "./call.ts";
import { KvCorruptionError, KvError } from "../errors.ts";
import { checkAndEncodeKey, checkPrefix, describe } from "./key.ts";
import type {
  KvKey,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
} from "../store.ts";
import { ttlOf } from "./ttl.ts";
import { decodeValue, type EncodedValue, encodeValue } from "./value.ts";

/**
 * Options of a driver.
 *
 * @typeParam Stored The stored form of values.
 *
 * @example Usage
 * ```ts
 * import type { KvDriverOptions } from "@org/kv/driver";
 *
 * const options: KvDriverOptions = { maxCalls: 100, concurrency: 4 };
 * ```
 */
export interface KvDriverOptions<Stored = EncodedValue> extends BatchOptions {
  /**
   * How values are stored.
   *
   * @default {JSON text, or CBOR for values that need more}
   */
  readonly codec?: KvCodec<Stored>;
}

/**
 * An entry of a page that a driver reads for a listing.
 *
 * @example Usage
 * ```ts
 * import type { KvPageEntry } from "@org/kv/driver";
 *
 * const entry: KvPageEntry = { key: ["a"], value: 1, expiry: Date.now() + 500 };
 * ```
 */
export interface KvPageEntry extends KvStoreListEntry {
  /** When it expires, in epoch milliseconds by the clock of this process. */
  readonly expiry?: number | undefined;
}

const defaultCodec: KvCodec<EncodedValue> = {
  encode: encodeValue,
  decode: decodeValue,
  bytes: (stored) => stored.length,
};

/**
 * A store without compare-and-swap, on any backend: it checks and encodes what
 * it is given, keeps the order of calls, and hands batches to the driver.
 *
 * @typeParam Stored The stored form of values.
 *
 * @example Usage
 * ```ts
 * import { KvDriver, type KvStoreTraits } from "@org/kv/driver";
 *
 * abstract class ReadOnlyKvStore extends KvDriver {
 *   protected override execute(): void {
 *     throw new Error("this store is read-only");
 *   }
 * }
 * ```
 */
export abstract class KvDriver<Stored = EncodedValue> implements KvStore {
  /** What the store is and what it does not promise. */
  abstract readonly traits: KvStoreTraits;

  readonly #codec: KvCodec<Stored>;
  readonly #batch: Batch<Stored>;

  /**
   * Makes the part of a store that all drivers share.
   *
   * @param options How values are stored and calls put together.
   */
  constructor(options: KvDriverOptions<Stored> = {}) {
    this.#codec = options.codec ??
      defaultCodec as unknown as KvCodec<Stored>;
    this.#batch = new Batch((calls) => this.execute(calls), options);
  }

  /**
   * Carries out a batch of calls and settles each of them. Unless the driver is
   * `sequential`, no two of them touch the same key, but for reads, and they may
   * be carried out in any order. Calls left unsettled when it throws or rejects
   * fail with that error: they must have changed nothing.
   *
   * @param calls The calls, in the order in which they were made.
   */
  protected abstract execute(
    calls: readonly KvCall<Stored>[],
  ): void | Promise<void>;

  /**
   * Reads the entries under a prefix, in key order, in pages of any size.
   * Everything that was called before has been carried out. An entry that
   * expires before the caller gets to it is left out, if it tells its expiry.
   *
   * @param prefix The parts of the prefix; none for all entries.
   * @returns The pages.
   */
  protected abstract pages(
    prefix: readonly string[],
  ): AsyncIterable<readonly KvPageEntry[]>;

  /**
   * Decodes an entry of a page.
   *
   * @param key The key.
   * @param stored The stored value.
   * @param expiry When it expires, in epoch milliseconds, or `undefined`.
   * @returns The entry.
   * @throws {KvCorruptionError} If the value cannot be decoded.
   */
  protected entry(
    key: KvKey,
    stored: Stored,
    expiry: number | undefined,
  ): KvPageEntry {
    try {
      return { key, value: this.#codec.decode(stored), expiry };
    } catch (error) {
      throw failure(`list ${describe(key)}`, error, KvCorruptionError);
    }
  }

  /**
   * Reads an entry.
   *
   * @typeParam T The type that the caller knows the value to have.
   * @param key The key to read.
   * @returns The value, or `undefined` if there is no entry.
   * @throws {TypeError} If the key is no sequence of well-formed strings.
   * @throws {RangeError} If the key takes more than 8 KiB.
   * @throws {KvError} If the backend fails.
   */
  get<T = unknown>(key: KvKey): Promise<T | undefined> {
    try {
      const id = checkAndEncodeKey(key, "get");
      return this.#add("get", copyKey(key), id) as Promise<T | undefined>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Writes an entry, or deletes it if the value is `undefined`.
   *
   * @param key The key to write.
   * @param value The value; it may be changed freely after the call.
   * @param options The TTL.
   * @throws {TypeError} If the key, the value or the TTL is of a wrong type.
   * @throws {RangeError} If the key or the value is too large, or the TTL is
   * not finite.
   * @throws {KvOutcomeUnknownError} If the connection broke after sending.
   * @throws {KvError} If the backend fails.
   */
  set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<void> {
    try {
      const id = checkAndEncodeKey(key, "set");
      const copy = copyKey(key);
      const write = this.#checkWrite("set", copy, value, options);
      const kind = write.value === undefined ? "delete" : "set";
      return this.#add(kind, copy, id, write) as Promise<void>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Deletes an entry, if there is one.
   *
   * @param key The key to delete.
   * @throws {TypeError} If the key is no sequence of well-formed strings.
   * @throws {RangeError} If the key takes more than 8 KiB.
   * @throws {KvOutcomeUnknownError} If the connection broke after sending.
   * @throws {KvError} If the backend fails.
   */
  delete(key: KvKey): Promise<void> {
    try {
      const id = checkAndEncodeKey(key, "delete");
      return this.#add("delete", copyKey(key), id) as Promise<void>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Lists the entries whose key starts with the prefix, in key order.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @returns The entries, as a stream. Iterating throws a `TypeError` or
   * `RangeError` if the prefix is wrong, and a `KvError` if the backend fails.
   */
  list(prefix?: KvKey): AsyncIterable<KvStoreListEntry> {
    let iterate: () => AsyncGenerator<KvStoreListEntry>;
    try {
      const parts = checkPrefix(prefix);
      iterate = () => this.#list(parts);
    } catch (error) {
      iterate = () => failing(error);
    }
    return { [Symbol.asyncIterator]: iterate };
  }

  /**
   * Checks and adds a compare-and-swap, for the class that has it.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL.
   * @returns Whether the swap was made.
   */
  protected compareAndSwap(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options: KvStoreSetOptions | undefined,
  ): Promise<boolean> {
    try {
      const id = checkAndEncodeKey(key, "cas");
      const copy = copyKey(key);
      const { value, ttl } = this.#checkWrite("cas", copy, newValue, options);
      const expected = this.#encode("cas", copy, expectedValue);
      return this.#add("cas", copy, id, { value, ttl, expected }) as Promise<
        boolean
      >;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #add(
    kind: KvCall["kind"],
    key: KvKey,
    id: string,
    write?: ConstructorParameters<typeof KvCall<Stored>>[4],
  ): Promise<unknown> {
    return this.#batch.add(new KvCall(this.#codec, kind, key, id, write));
  }

  async *#list(prefix: readonly string[]): AsyncGenerator<KvStoreListEntry> {
    await this.#batch.drained();
    const pages = this.pages(prefix)[Symbol.asyncIterator]();
    let finished = false;
    try {
      while (true) {
        let page: IteratorResult<readonly KvPageEntry[]>;
        try {
          page = await pages.next();
        } catch (error) {
          finished = true;
          throw error instanceof KvError
            ? error
            : failure(`list ${describe(prefix)}`, error);
        }
        if (page.done) {
          finished = true;
          return;
        }
        for (const { key, value, expiry = Infinity } of page.value) {
          if (expiry > Date.now()) yield { key, value };
        }
      }
    } finally {
      if (!finished) await pages.return?.();
    }
  }

  #checkWrite(
    action: string,
    key: KvKey,
    value: unknown,
    options: KvStoreSetOptions | undefined,
  ): { value: Stored | undefined; ttl: number | undefined } {
    let ttl: number | undefined;
    try {
      ttl = ttlOf(options);
    } catch (error) {
      throw refusal(action, key, error);
    }
    const stored = this.#encode(action, key, value);
    return ttl !== undefined && ttl <= 0
      ? { value: undefined, ttl: undefined }
      : { value: stored, ttl: stored === undefined ? undefined : ttl };
  }

  #encode(action: string, key: KvKey, value: unknown): Stored | undefined {
    try {
      return this.#codec.encode(value);
    } catch (error) {
      throw refusal(action, key, error);
    }
  }
}

/**
 * A store with compare-and-swap, on any backend.
 *
 * @typeParam Stored The stored form of values.
 *
 * @example Usage
 * ```ts
 * import { KvCasDriver } from "@org/kv/driver";
 * import { MemoryKvStore } from "@org/kv/memory";
 * import { assert } from "@std/assert";
 *
 * assert(!(MemoryKvStore.prototype instanceof KvCasDriver));
 * ```
 */
export abstract class KvCasDriver<Stored = EncodedValue>
  extends KvDriver<Stored> {
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
   * @throws {RangeError} If the key or a value is too large, or the TTL is not
   * finite.
   * @throws {KvOutcomeUnknownError} If the connection broke after sending.
   * @throws {KvError} If the backend fails.
   */
  cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    return this.compareAndSwap(key, expectedValue, newValue, options);
  }
}

// deno-lint-ignore require-yield
async function* failing(error: unknown): AsyncGenerator<never> {
  await Promise.resolve();
  throw error;
}

function copyKey(key: KvKey): KvKey {
  return key.slice() as unknown as KvKey;
}
