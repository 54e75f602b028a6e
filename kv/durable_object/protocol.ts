/**
 * The messages between a `DurableObjectKvStore` and its objects. A new release
 * of a worker reaches callers and objects at different moments, so members may
 * be added here, but not changed.
 *
 * @module
 */

import type { EncodedValue } from "../core/value.ts";

/**
 * The largest value: two of them, as a swap may carry, fit into the 32 MiB that
 * the platform allows for a call.
 */
export const MAX_VALUE_BYTES = 15_728_640;

/** Longer text travels, and is stored, in UTF-8. */
export const MAX_TEXT_LENGTH = 65_536;

/** A call for an object to execute. */
export interface ObjectCall {
  readonly kind: "get" | "set" | "delete" | "cas";
  /** The encoded key. */
  readonly id: string;
  readonly value?: EncodedValue | undefined;
  readonly expected?: EncodedValue | undefined;
  /** The milliseconds left to live, by any clock. */
  readonly ttl?: number | undefined;
  /** The expiry in epoch milliseconds, which overrides `ttl`. */
  readonly expires?: number | undefined;
}

/** The expiry of what a call writes, by the object's clock. */
export function expiryOf({ ttl, expires }: ObjectCall): number | undefined {
  return expires ?? (ttl === undefined ? undefined : Date.now() + ttl);
}

/** A call that failed alone, without a change. */
export interface ObjectFailure {
  readonly error: string;
  /** Whether what is stored cannot be decoded. */
  readonly isCorruption: boolean;
}

/** Whether an answer or a row is a failure. */
export function isFailure(answer: unknown): answer is ObjectFailure {
  return typeof answer === "object" && answer !== null && "error" in answer;
}

/**
 * What a `get` found, or whether a `cas` was made. `null` means that the value
 * did not fit into the answer and must be read again.
 */
export type ObjectAnswer =
  | EncodedValue
  | boolean
  | undefined
  | null
  | ObjectFailure;

/** What to read of a listing. */
export interface ObjectPageRequest {
  /** The first encoded key of the range. */
  readonly start: string;
  /** The first encoded key after the range, or `undefined` if it has no end. */
  readonly end: string | undefined;
  /** Whether to read from the end to the start. */
  readonly reverse: boolean;
  /** Whether the values are not needed. */
  readonly keysOnly: boolean;
  /** How many entries to examine at most. */
  readonly limit: number;
  /** About how many bytes the page may take. */
  readonly bytes: number;
}

/** An entry of a listing. */
export type ObjectRow =
  | {
    /** The encoded key. */
    readonly id: string;
    /** The value, or `null` if it is too large for a page and must be read. */
    readonly value?: EncodedValue | null;
    /** The milliseconds left to live, if it expires. */
    readonly ttl?: number | undefined;
    /** When it expires by the object's clock, in epoch milliseconds. */
    readonly expires?: number | undefined;
  }
  | ({ readonly id: string } & ObjectFailure);

/** A part of a listing. */
export interface ObjectPage {
  readonly rows: readonly ObjectRow[];
  /** The start of the next page (in reverse: its end); `undefined` at the end. */
  readonly next: string | undefined;
}

/** The methods of an object. */
export interface ObjectMethods {
  /** Executes calls in order, and answers each. */
  kvExecute(calls: readonly ObjectCall[]): Promise<readonly ObjectAnswer[]>;
  /** Reads the next entries of a range of encoded keys. */
  kvPage(request: ObjectPageRequest): Promise<ObjectPage>;
  /** Deletes some expired entries, and returns how many; 0 if none are left. */
  kvReclaim(): Promise<number>;
}
