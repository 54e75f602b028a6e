/**
 * What all drivers on a backend share: the public methods, which check and
 * encode, and the batcher.
 *
 * @module
 */

import { Batcher, type BatcherOptions } from "./batcher.ts";
import { Call, type KvCall, type KvCodec, type Write } from "./call.ts";
import { checkAndEncodeKey, checkPrefix, utf8Length } from "./key.ts";
import {
  type KvPageRequest,
  type KvStoredEntry,
  listEntries,
} from "./listing.ts";
import { rejection } from "./message.ts";
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
export interface KvDriverOptions<Stored = EncodedValue> extends BatcherOptions {
  /**
   * How values are stored.
   *
   * @default {JSON text, or CBOR for values that need more}
   */
  readonly codec?: KvCodec<Stored>;
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
  /** What the store is and what it does not guarantee. */
  abstract readonly traits: KvStoreTraits;

  readonly #codec: KvCodec<Stored>;
  readonly #batcher: Batcher<Stored>;
  readonly #timeout: number;

  /**
   * Makes the part of a store that all drivers share.
   *
   * @param options How values are stored and calls put together.
   */
  constructor(options: KvDriverOptions<Stored> = {}) {
    this.#codec = options.codec ??
      defaultCodec as unknown as KvCodec<Stored>;
    this.#timeout = options.timeout ?? Infinity;
    this.#batcher = new Batcher((calls) => this.execute(calls), options);
  }

  /** The number of calls that are not settled yet. */
  get pending(): number {
    return this.#batcher.pending;
  }

  /**
   * Executes a batch of calls and settles each of them once. Unless the driver
   * is `sequential`, no two of them touch the same key, and they may be executed
   * in any order.
   *
   * When it returns, or when its promise settles, every call must be settled:
   * the core rejects those that are not, reads with a `KvError`, and writes with
   * a `KvOutcomeUnknownError`. So a driver that knows that nothing was changed
   * rejects each call itself.
   *
   * @param calls The calls, in the order in which they were made.
   */
  protected abstract execute(
    calls: readonly KvCall<Stored>[],
  ): void | Promise<void>;

  /**
   * Reads the stored entries under a prefix, in key order, in pages of any size.
   * Everything that was called before has been executed. The core decodes each
   * entry when the caller reaches it, and leaves out one that has expired by
   * then.
   *
   * @param prefix The parts of the prefix; none for all entries.
   * @param request What else the core wants.
   * @returns The pages.
   */
  protected abstract pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncIterable<readonly KvStoredEntry<Stored>[]>;

  /**
   * Reads an entry.
   *
   * @typeParam T The type that the caller knows the value to have.
   * @param key The key to read.
   * @returns The value, or `undefined` if there is no entry.
   * @throws {TypeError} If the key is not an array of well-formed strings.
   * @throws {RangeError} If the key takes more than 8 KiB.
   * @throws {KvCorruptionError} If the stored value is damaged.
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
   * @throws {TypeError} If the key, the value or an option has a wrong type.
   * @throws {RangeError} If the key or the value is too large, or the TTL is
   * not finite.
   * @throws {KvOutcomeUnknownError} If the write may have been applied.
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
   * @throws {TypeError} If the key is not an array of well-formed strings.
   * @throws {RangeError} If the key takes more than 8 KiB.
   * @throws {KvOutcomeUnknownError} If the deletion may have been applied.
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
   * `RangeError` if the prefix is wrong, a `KvCorruptionError` at an entry that
   * is damaged, and a `KvError` if the backend fails.
   */
  list(prefix?: KvKey): AsyncIterable<KvStoreListEntry> {
    let iterate: () => AsyncGenerator<KvStoreListEntry>;
    try {
      const parts = checkPrefix(prefix);
      iterate = () =>
        listEntries(
          parts,
          this.#codec,
          this.#timeout,
          this.#batcher.drained(),
          (request) => this.pages(parts, request),
        );
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
    write?: Write<Stored>,
  ): Promise<unknown> {
    return this.#batcher.add(new Call(this.#codec, kind, key, id, write));
  }

  #checkWrite(
    action: string,
    key: KvKey,
    value: unknown,
    options: KvStoreSetOptions | undefined,
  ): Write<Stored> {
    let ttl: number | undefined;
    try {
      ttl = ttlOf(options);
    } catch (error) {
      throw rejection(action, key, error);
    }
    const stored = this.#encode(action, key, value);
    return ttl !== undefined && ttl <= 0
      ? { value: undefined, ttl: undefined }
      : { value: stored, ttl: stored === undefined ? undefined : ttl };
  }

  #encode(action: string, key: KvKey, value: unknown): Stored | undefined {
    try {
      const stored = this.#codec.encode(value);
      if (stored !== undefined) this.#checkSize(stored);
      return stored;
    } catch (error) {
      throw rejection(action, key, error);
    }
  }

  #checkSize(stored: Stored): void {
    const { maxValueBytes } = this.traits;
    let bytes = this.#codec.bytes(stored);
    // A UTF-16 code unit takes at most three bytes of UTF-8.
    if (bytes * 3 <= maxValueBytes) return;
    if (typeof stored === "string") bytes = utf8Length(stored);
    if (bytes <= maxValueBytes) return;
    throw new RangeError(
      `value must take at most ${maxValueBytes} bytes: received ${bytes}`,
    );
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
   * content. `undefined` means no entry, on both sides.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL.
   * @returns Whether the swap was made.
   * @throws {TypeError} If the key, a value or an option has a wrong type.
   * @throws {RangeError} If the key or a value is too large, or the TTL is not
   * finite.
   * @throws {KvOutcomeUnknownError} If the swap may have been applied.
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
