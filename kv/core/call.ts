/**
 * One call of a store, on its way to a driver.
 *
 * @module
 */

import { equalValues } from "./equal.ts";
import { KvCorruptionError, KvError } from "../errors.ts";
import { describe } from "./key.ts";
import type { KvKey } from "../store.ts";

/**
 * How a driver stores values.
 *
 * @typeParam Stored The stored form.
 *
 * @example Usage
 * ```ts
 * import { decodeValue, type EncodedValue, encodeValue, type KvCodec } from "@org/kv/driver";
 *
 * const codec: KvCodec<EncodedValue> = {
 *   encode: encodeValue,
 *   decode: decodeValue,
 *   bytes: (stored) => stored.length,
 * };
 * ```
 */
export interface KvCodec<Stored> {
  /** Checks and encodes a value when the call is made; `undefined` stays. */
  encode(value: unknown): Stored | undefined;
  /** Decodes a stored value. It may throw. */
  decode(stored: Stored): unknown;
  /** About how many bytes a stored value takes, to bound batches. */
  bytes(stored: Stored): number;
}

/**
 * What is told when a call is settled.
 *
 * @typeParam Stored The stored form of values.
 */
export interface KvCallListener<Stored> {
  /** The call is settled, and its caller will know in a moment. */
  callSettled(call: KvCall<Stored>, error?: unknown): void;
}

/**
 * One call of a store, with its key, value and TTL checked and encoded. The
 * driver settles it by {@linkcode KvCall.found}, {@linkcode KvCall.resolve} or
 * {@linkcode KvCall.reject}.
 *
 * @typeParam Stored The stored form of values.
 *
 * @example Usage
 * ```ts
 * import type { KvCall } from "@org/kv/driver";
 *
 * function execute(calls: readonly KvCall[], entries: Map<string, string>) {
 *   for (const call of calls) {
 *     if (call.kind === "get") call.found(entries.get(call.id));
 *   }
 * }
 * ```
 */
export class KvCall<Stored = string | Uint8Array> {
  /** What is to be done. A `set` of `undefined` is a `delete`. */
  readonly kind: "get" | "set" | "delete" | "cas";
  /** The key, which nobody can change any more. */
  readonly key: KvKey;
  /** The key as one string, by `encodeKey`. */
  readonly id: string;
  /** The value to write; `undefined` where a `cas` is to delete. */
  readonly value: Stored | undefined;
  /** What a `cas` expects; `undefined` for no entry. */
  readonly expected: Stored | undefined;
  /** The TTL in milliseconds, at least 1; `undefined` for none. */
  readonly ttl: number | undefined;
  /** When the call was made, in epoch milliseconds. */
  readonly time: number;
  /** What the caller waits for. */
  readonly promise: Promise<unknown>;

  /**
   * For the batch: an earlier write of the same key that this one replaces.
   *
   * @ignore
   */
  replaced: KvCall<Stored> | undefined = undefined;
  /**
   * For the batch: told when the call is settled, before its caller.
   *
   * @ignore
   */
  listener: KvCallListener<Stored> | undefined = undefined;
  /**
   * For the batch: the calls between two listings, of which this is one.
   *
   * @ignore
   */
  epoch: unknown = undefined;
  /**
   * For the batch: the batch under way that this call is in.
   *
   * @ignore
   */
  underWay: unknown = undefined;

  readonly #codec: KvCodec<Stored>;
  #resolve!: (result: unknown) => void;
  #reject!: (reason: unknown) => void;
  #settled = false;

  /**
   * Makes a call.
   *
   * @param codec How values are stored.
   * @param kind What is to be done.
   * @param key The key, checked and copied.
   * @param id The key as one string, by `encodeKey`.
   * @param write What is to be written, and for how long.
   */
  constructor(
    codec: KvCodec<Stored>,
    kind: "get" | "set" | "delete" | "cas",
    key: KvKey,
    id: string,
    write?: {
      readonly value: Stored | undefined;
      readonly ttl: number | undefined;
      readonly expected?: Stored | undefined;
    },
  ) {
    this.kind = kind;
    this.key = key;
    this.id = id;
    this.value = write?.value;
    this.expected = write?.expected;
    this.ttl = write?.ttl;
    this.time = this.ttl === undefined ? 0 : Date.now();
    this.#codec = codec;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** When the entry expires, in epoch milliseconds; `undefined` for never. */
  get expiry(): number | undefined {
    return this.ttl === undefined ? undefined : this.time + this.ttl;
  }

  /** Whether the call is settled. */
  get settled(): boolean {
    return this.#settled;
  }

  /** About how many bytes the call carries. */
  get bytes(): number {
    const value = this.value === undefined ? 0 : this.#codec.bytes(this.value);
    const expected = this.expected === undefined
      ? 0
      : this.#codec.bytes(this.expected);
    return this.id.length + value + expected;
  }

  /**
   * Settles a `get`: decodes what was found.
   *
   * @param stored The stored value, or `undefined` if there is no entry.
   */
  found(stored: Stored | undefined): void {
    if (stored === undefined) return this.resolve(undefined);
    let value: unknown;
    try {
      value = this.#codec.decode(stored);
    } catch (error) {
      return this.reject(this.#corruption(error));
    }
    this.resolve(value);
  }

  /**
   * Whether what is stored equals, by content, what a `cas` expects.
   *
   * @param stored The stored value, or `undefined` if there is no entry.
   * @returns Whether it does.
   * @throws {KvCorruptionError} If it cannot be decoded.
   */
  matches(stored: Stored | undefined): boolean {
    if (stored === undefined || this.expected === undefined) {
      return stored === this.expected;
    }
    if (stored === this.expected) return true;
    let value: unknown;
    try {
      value = this.#codec.decode(stored);
    } catch (error) {
      throw this.#corruption(error);
    }
    return equalValues(value, this.#codec.decode(this.expected));
  }

  /**
   * Settles the call with its result: nothing for `set` and `delete`, whether
   * the swap was made for `cas`.
   *
   * @param result The result.
   */
  resolve(result?: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.listener?.callSettled(this);
    this.#resolve(result);
  }

  /**
   * Settles the call with an error of the backend. One that is no
   * {@linkcode KvError} becomes the `cause` of a `KvError`.
   *
   * @param error The error.
   */
  reject(error: unknown): void {
    this.#fail(error instanceof KvError ? error : this.failure(error));
  }

  /**
   * Settles the call with our own error about what was given, such as a value
   * that is too large together with its key.
   *
   * @param error The error; its message tells the reason.
   */
  refuse(error: TypeError | RangeError): void {
    this.#fail(refusal(this.kind, this.key, error));
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.listener?.callSettled(this, error);
    this.#reject(error);
  }

  /**
   * An error that says what failed.
   *
   * @param cause The client's own error.
   * @param Type The class of the error.
   * @returns The error, not thrown.
   */
  failure(
    cause: unknown,
    Type: new (message: string, options: ErrorOptions) => KvError = KvError,
  ): KvError {
    return failure(`${this.kind} ${describe(this.key)}`, cause, Type);
  }

  #corruption(cause: unknown): KvError {
    return this.failure(cause, KvCorruptionError);
  }
}

/**
 * An error that says what failed, and why.
 *
 * @param what What could not be done.
 * @param cause The client's own error.
 * @param Type The class of the error.
 * @returns The error, not thrown.
 *
 * @example Usage
 * ```ts
 * import { failure } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * const error = failure('get ["a"]', new Error("disk full"));
 * assertEquals(error.message, 'Cannot get ["a"]: disk full');
 * ```
 */
export function failure(
  what: string,
  cause: unknown,
  Type: new (message: string, options: ErrorOptions) => KvError = KvError,
): KvError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Type(`Cannot ${what}: ${reason}`, { cause });
}

/**
 * Our own error about what was given, with what could not be done in front.
 *
 * @param action What the caller wanted to do.
 * @param key The key.
 * @param error What the check threw.
 * @returns The same error, not thrown.
 */
export function refusal(action: string, key: KvKey, error: unknown): unknown {
  if (error instanceof TypeError || error instanceof RangeError) {
    error.message = `Cannot ${action} ${describe(key)}: ${error.message}`;
  }
  return error;
}
