/**
 * One call of a store, on its way to a driver.
 *
 * @module
 */

import type { Waiting } from "./deadline.ts";
import type { Epoch } from "./epoch.ts";
import { equalValues } from "./equal.ts";
import { KvCorruptionError, KvError } from "../errors.ts";
import { describe } from "./key.ts";
import { failure, type KvErrorType, rejection } from "./message.ts";
import type { KvKey } from "../store.ts";
import type { Life } from "./ttl.ts";
import type { KvCallMessage, Trace } from "./trace.ts";

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
  /**
   * Decodes a stored value, into a new value each time. It throws if the stored
   * form is damaged; the message must not quote it.
   */
  decode(stored: Stored): unknown;
  /** About how many bytes a stored value takes, to bound batches. */
  bytes(stored: Stored): number;
}

/** What all calls have in common. */
export interface KvCallBase {
  /** The key, which the caller cannot change any more. */
  readonly key: KvKey;
  /** The key as one string, encoded by `encodeKey`. */
  readonly id: string;
  /** About how many bytes the call carries. */
  readonly bytes: number;
  /** Whether the call is settled. */
  readonly settled: boolean;
  /**
   * Settles the call with an error. An error that is not a `KvError` becomes the
   * `cause` of one.
   *
   * @param error The error.
   * @param Type The class: `KvError` if nothing was changed,
   * `KvOutcomeUnknownError` if the write may have been applied,
   * `KvCorruptionError` if the stored value is damaged.
   */
  reject(error: unknown, Type?: KvErrorType): void;
  /**
   * Settles the call with an error about the value that the caller gave, such as
   * one that is too large together with its key. Nothing was changed.
   *
   * @param error The error; its message tells the reason.
   */
  rejectValue(error: TypeError | RangeError): void;
}

/**
 * A `get`.
 *
 * @typeParam Stored The stored form of values.
 */
export interface KvGetCall<Stored = string | Uint8Array> extends KvCallBase {
  /** The kind of call. */
  readonly kind: "get";
  /** A `get` writes nothing. */
  readonly value: undefined;
  /** A `get` expects nothing. */
  readonly expected: undefined;
  /** A `get` has no TTL. */
  readonly ttl: undefined;
  /** A `get` has no expiry. */
  readonly expires: undefined;
  /** A `get` has no expiry. */
  readonly expiry: undefined;
  /**
   * Settles the call with what was found.
   *
   * @param stored The stored value, or `undefined` if there is no entry.
   */
  found(stored: Stored | undefined): void;
}

/**
 * A `set` of a value.
 *
 * @typeParam Stored The stored form of values.
 */
export interface KvSetCall<Stored = string | Uint8Array> extends KvCallBase {
  /** The kind of call. */
  readonly kind: "set";
  /** The value to write. */
  readonly value: Stored;
  /** A `set` expects nothing. */
  readonly expected: undefined;
  /** The TTL in milliseconds, at least 1; `undefined` for none. */
  readonly ttl: number | undefined;
  /**
   * The expiry in epoch milliseconds, if the caller gave that and not a TTL. A
   * backend with its own clock stores it in place of the TTL.
   */
  readonly expires: number | undefined;
  /**
   * When the entry expires, in epoch milliseconds by the clock of this process;
   * `undefined` for never.
   */
  readonly expiry: number | undefined;
  /**
   * Settles the call: the entry is written.
   *
   * @param applied As for a swap that was made.
   */
  resolve(applied?: true): void;
}

/** A `delete`, or a `set` of `undefined` or of an entry that is expired already. */
export interface KvDeleteCall extends KvCallBase {
  /** The kind of call. */
  readonly kind: "delete";
  /** A `delete` writes no value. */
  readonly value: undefined;
  /** A `delete` expects nothing. */
  readonly expected: undefined;
  /** A `delete` has no TTL. */
  readonly ttl: undefined;
  /** A `delete` has no expiry. */
  readonly expires: undefined;
  /** A `delete` has no expiry. */
  readonly expiry: undefined;
  /**
   * Settles the call: there is no entry.
   *
   * @param applied As for a swap that was made.
   */
  resolve(applied?: true): void;
}

/**
 * A `cas`.
 *
 * @typeParam Stored The stored form of values.
 */
export interface KvCasCall<Stored = string | Uint8Array> extends KvCallBase {
  /** The kind of call. */
  readonly kind: "cas";
  /** The value to write; `undefined` to delete the entry. */
  readonly value: Stored | undefined;
  /** The value that must be there; `undefined` for no entry. */
  readonly expected: Stored | undefined;
  /** The TTL in milliseconds, at least 1; `undefined` for none. */
  readonly ttl: number | undefined;
  /** The expiry, as for a `set`. */
  readonly expires: number | undefined;
  /**
   * When the entry expires, in epoch milliseconds by the clock of this process;
   * `undefined` for never.
   */
  readonly expiry: number | undefined;
  /**
   * Whether a stored value equals, by content, the one that must be there.
   *
   * @param stored The stored value, or `undefined` if there is no entry.
   * @returns Whether it does.
   * @throws {KvCorruptionError} If it cannot be decoded.
   */
  matches(stored: Stored | undefined): boolean;
  /**
   * Settles the call.
   *
   * @param applied Whether the swap was made.
   */
  resolve(applied: boolean): void;
}

/**
 * A call of a store, with its key, value and TTL checked and encoded. The driver
 * settles it exactly once.
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
export type KvCall<Stored = string | Uint8Array> =
  | KvGetCall<Stored>
  | KvSetCall<Stored>
  | KvDeleteCall
  | KvCasCall<Stored>;

/** Is told when a call is settled, before its caller. */
export interface CallListener<Stored> {
  callSettled(call: Call<Stored>, error?: unknown): void;
}

/** What a call writes. */
export interface Write<Stored> {
  readonly value: Stored | undefined;
  readonly life: Life | undefined;
  readonly expected?: Stored | undefined;
}

/** A call as the core sees it; for drivers it is a {@linkcode KvCall}. */
export class Call<Stored> {
  readonly kind: KvCall["kind"];
  readonly key: KvKey;
  readonly id: string;
  readonly value: Stored | undefined;
  readonly expected: Stored | undefined;
  readonly ttl: number | undefined;
  readonly expires: number | undefined;
  readonly expiry: number | undefined;
  /** What the caller waits for. */
  readonly promise: Promise<unknown>;

  /** Is told when the call is settled. */
  listener: CallListener<Stored> | undefined = undefined;
  /** The calls between two listings. */
  epoch: Epoch | undefined = undefined;
  /** Its batch, if the driver is asynchronous. */
  batch: Waiting | undefined = undefined;
  /** An earlier write of the key that this one replaces. */
  replaced: Call<Stored> | undefined = undefined;
  /** Later reads of the key that get the same answer. */
  followers: Call<Stored>[] | undefined = undefined;
  /** Tells observers about it. */
  trace: Trace<KvCallMessage> | undefined = undefined;
  /** Whether it is, or will be, handed to the driver. */
  travels = false;
  /** About how many bytes a read has found. */
  foundBytes = 0;

  readonly #codec: KvCodec<Stored>;
  #resolve!: (result: unknown) => void;
  #reject!: (reason: unknown) => void;
  #isSettled = false;
  /** Whether the core rejected it while the driver may still settle it. */
  isAbandoned = false;

  constructor(
    codec: KvCodec<Stored>,
    kind: KvCall["kind"],
    key: KvKey,
    id: string,
    write?: Write<Stored>,
  ) {
    this.kind = kind;
    this.key = key;
    this.id = id;
    this.value = write?.value;
    this.expected = write?.expected;
    const life = write?.life;
    this.ttl = life?.ttl;
    this.expires = life?.expires;
    this.expiry = life && (life.expires ?? Date.now() + life.ttl);
    this.#codec = codec;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#isSettled;
  }

  get bytes(): number {
    const carried = this.#bytesOf(this.value) + this.#bytesOf(this.expected);
    return this.id.length + carried;
  }

  #bytesOf(stored: Stored | undefined): number {
    return stored === undefined ? 0 : this.#codec.bytes(stored);
  }

  found(stored: Stored | undefined): void {
    if (this.kind !== "get") this.#misuse("found()");
    if (!this.#open()) return;
    const { followers } = this;
    let value: unknown;
    this.foundBytes = this.#bytesOf(stored);
    try {
      if (stored !== undefined) value = this.#codec.decode(stored);
    } catch (error) {
      this.#settle(failure(this.#name, error, KvCorruptionError));
      followers?.forEach((call) => call.found(stored));
      return;
    }
    this.#settle(undefined, value);
    if (followers === undefined) return;
    for (const call of followers) call.found(stored);
  }

  matches(stored: Stored | undefined): boolean {
    if (stored === undefined || this.expected === undefined) {
      return stored === this.expected;
    }
    if (stored === this.expected) return true;
    let value: unknown;
    try {
      value = this.#codec.decode(stored);
    } catch (error) {
      throw failure(this.#name, error, KvCorruptionError);
    }
    return equalValues(value, this.#codec.decode(this.expected));
  }

  resolve(applied?: boolean): void {
    if (this.kind === "get") this.#misuse("resolve()");
    if (this.kind === "cas" && typeof applied !== "boolean") {
      this.#misuse("resolve() without a boolean");
    }
    if (!this.#open()) return;
    this.#settle(undefined, this.kind === "cas" ? applied : undefined);
  }

  reject(error: unknown, Type?: KvErrorType): void {
    if (!this.#open()) return;
    const { followers } = this;
    this.#settle(
      error instanceof KvError && Type === undefined
        ? error
        : failure(this.#name, error, Type),
    );
    followers?.forEach((call) => call.reject(error, Type));
  }

  rejectValue(error: TypeError | RangeError): void {
    if (this.#open()) this.#settle(rejection(this.kind, this.key, error));
  }

  /** Rejects the call now; what the driver does to it later is ignored. */
  abandon(reason: Error, Type: KvErrorType): void {
    if (this.#isSettled) return;
    this.isAbandoned = true;
    for (const call of this.followers ?? []) call.isAbandoned = true;
    this.#settle(failure(this.#name, reason, Type));
    for (const call of this.followers ?? []) {
      call.#settle(failure(call.#name, reason, Type));
    }
  }

  #open(): boolean {
    if (!this.#isSettled) return true;
    if (!this.isAbandoned) this.#misuse("settling it a second time");
    return false;
  }

  #settle(error: unknown, result?: unknown): void {
    this.#isSettled = true;
    this.trace?.finish(
      error,
      this.kind === "cas" ? result as boolean : undefined,
    );
    this.listener?.callSettled(this, error);
    if (error === undefined) this.#resolve(result);
    else this.#reject(error);
  }

  get #name(): string {
    return `${this.kind} ${describe(this.key)}`;
  }

  /** A driver that settles calls wrongly is noticed. */
  #misuse(what: string): never {
    throw new Error(`A driver must not settle ${this.#name} by ${what}`);
  }
}
