/**
 * What all drivers on a backend share: the public methods, which check and
 * encode, and the batcher.
 *
 * @module
 */

import { Batcher, type BatcherOptions } from "./batcher.ts";
import { Call, type KvCall, type KvCodec, type Write } from "./call.ts";
import { Encoder } from "./encoder.ts";
import { checkAndEncodeKey, checkPrefix } from "./key.ts";
import { KvError } from "../errors.ts";
import {
  checkListOptions,
  failing,
  keysOf,
  type KvPageRequest,
  type KvStoredEntry,
  type ListAction,
  listEntries,
  type Listing,
} from "./listing.ts";
import { failure } from "./message.ts";
import {
  checkProgressOptions,
  clearEntries,
  countEntries,
  sweepAll,
} from "./operations.ts";
import type {
  KvExtendedStore,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
} from "../store.ts";
import { traceBatch, traceCall } from "./trace.ts";
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
export abstract class KvDriver<Stored = EncodedValue>
  implements KvExtendedStore {
  /** What the store is and what it does not guarantee. */
  abstract readonly traits: KvStoreTraits;

  readonly #codec: KvCodec<Stored>;
  readonly #encoder: Encoder<Stored>;
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
    this.#encoder = new Encoder(this.#codec, this);
    this.#timeout = options.timeout ?? Infinity;
    this.#batcher = new Batcher(
      (calls) => traceBatch(this, calls, () => this.execute(calls)),
      options,
    );
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
   * @param options The TTL or the expiry.
   * @throws {TypeError} If the key, the value or an option has a wrong type.
   * @throws {RangeError} If the key or the value is too large, or the TTL or the
   * expiry is not finite.
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
      const write = this.#encoder.encodeWrite("set", copy, value, options);
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
   * @param options Where to begin and to end.
   * @returns The entries, as a stream. Iterating throws a `TypeError` or
   * `RangeError` if an argument is wrong, a `KvCorruptionError` at an entry that
   * is damaged, and a `KvError` if the backend fails.
   */
  list(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvStoreListEntry> {
    return this.#list("list", prefix, options);
  }

  /**
   * Lists the keys that start with the prefix, in key order, without reading the
   * values where the backend allows it.
   *
   * @param prefix The leading parts; without it, or empty, all keys.
   * @param options Where to begin and to end.
   * @returns The keys, as a stream, which throws as that of `list()` does.
   */
  keys(
    prefix?: KvKey | readonly [],
    options?: KvListOptions,
  ): AsyncIterable<KvKeyEntry> {
    return keysOf(this.#list("list keys", prefix, options));
  }

  /**
   * Counts the entries whose key starts with the prefix.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options A signal, and what to tell about the progress.
   * @returns The number of entries.
   * @throws {TypeError} If an argument has a wrong type.
   * @throws {KvError} If the backend fails.
   */
  count(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number> {
    return countEntries(
      (listOptions) => this.#list("count", prefix, listOptions),
      options,
    );
  }

  /**
   * Deletes the entries whose key starts with the prefix, in small steps.
   *
   * @param prefix The leading parts; without it, or empty, all entries.
   * @param options A signal, and what to tell about the progress.
   * @returns How many entries it deleted.
   * @throws {TypeError} If an argument has a wrong type.
   * @throws {KvError} If the backend fails; some entries may be deleted then.
   */
  clear(
    prefix?: KvKey | readonly [],
    options?: KvProgressOptions,
  ): Promise<number> {
    return clearEntries(
      (listOptions) => this.#list("clear", prefix, listOptions),
      (key) => this.delete(key),
      options,
    );
  }

  /**
   * Reclaims the entries that have expired, in small steps.
   *
   * @param options A signal, and what to tell about the progress.
   * @returns How many entries it removed; 0 where the backend does it.
   * @throws {TypeError} If an option has a wrong type.
   * @throws {KvError} If the backend fails.
   */
  async sweep(options: KvProgressOptions = {}): Promise<number> {
    checkProgressOptions("sweep", options);
    try {
      return await sweepAll(this, () => this.reclaim(), options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw error instanceof KvError ? error : failure("sweep", error);
    }
  }

  /**
   * Makes one cheap round trip, for health endpoints.
   *
   * @throws {KvError} If the backend fails.
   */
  async check(): Promise<void> {
    await this.get(["@org/kv", "check"]);
  }

  /**
   * Reclaims some expired entries, in a few milliseconds. A driver whose backend
   * does not reclaim them implements it.
   *
   * @returns How many entries were removed; 0 if none are left.
   */
  protected reclaim(): number | Promise<number> {
    return 0;
  }

  /**
   * Checks and adds a compare-and-swap, for the class that has it.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL or the expiry.
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
      const { value, life } = this.#encoder.encodeWrite(
        "cas",
        copy,
        newValue,
        options,
      );
      const expected = this.#encoder.encode("cas", copy, expectedValue);
      return this.#add("cas", copy, id, { value, life, expected }) as Promise<
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
    const call = new Call(this.#codec, kind, key, id, write);
    call.trace = traceCall(this, kind);
    return this.#batcher.add(call);
  }

  #list(
    action: ListAction,
    prefix: unknown,
    options: KvListOptions | undefined,
  ): AsyncIterable<KvStoreListEntry> {
    let iterate: () => AsyncGenerator<KvStoreListEntry>;
    try {
      const parts = checkPrefix(prefix, action);
      const listing: Listing<Stored> = {
        store: this,
        action,
        prefix: parts,
        options: checkListOptions(action, parts, options, this.traits),
        codec: this.#codec,
        timeout: this.#timeout,
        drained: () => this.#batcher.drained(),
        pages: (request) => this.pages(parts, request),
      };
      iterate = () => listEntries(listing);
    } catch (error) {
      iterate = () => failing(error);
    }
    return { [Symbol.asyncIterator]: iterate };
  }
}

function copyKey(key: KvKey): KvKey {
  return key.slice() as unknown as KvKey;
}
