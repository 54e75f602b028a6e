/**
 * What a `DurableObjectKvStore` and its objects say to each other. A new release
 * of a worker reaches callers and objects at different moments: what stands here
 * can be added to, but not changed.
 *
 * @module
 */

import type { EncodedValue } from "../core/value.ts";

/**
 * The largest value: two of them, as a swap may carry, fit into the 32 MiB that
 * the platform allows for a call.
 */
export const MAX_VALUE_BYTES = 15_728_640;

/** A text with more characters travels, and is kept, as bytes of UTF-8. */
export const MAX_TEXT_LENGTH = 65_536;

/** A call for an object to carry out. */
export interface ObjectCall {
  readonly kind: "get" | "set" | "delete" | "cas";
  /** The encoded key. */
  readonly id: string;
  readonly value?: EncodedValue | undefined;
  readonly expected?: EncodedValue | undefined;
  /** The milliseconds left to live, by whatever clock. */
  readonly ttl?: number | undefined;
}

/** A call that failed, alone. */
export interface ObjectFailure {
  readonly error: string;
  /** Whether what is stored cannot be decoded. */
  readonly isCorruption: boolean;
}

/**
 * What a `get` found, or whether a `cas` was made. `null` says that a value did
 * not fit into the answer any more and is to be asked for again.
 */
export type ObjectAnswer =
  | EncodedValue
  | boolean
  | undefined
  | null
  | ObjectFailure;

/** An entry of a listing. */
export interface ObjectRow {
  /** The encoded key. */
  readonly id: string;
  readonly value: EncodedValue;
  /** The milliseconds left to live, if it expires. */
  readonly ttl?: number | undefined;
}

/** A part of a listing. */
export interface ObjectPage {
  readonly rows: readonly ObjectRow[];
  /** Where to go on; `undefined` at the end. */
  readonly next: string | undefined;
}

/** What an object can be asked. */
export interface ObjectMethods {
  /** Carries out calls in order and answers each. */
  kvExecute(calls: readonly ObjectCall[]): Promise<readonly ObjectAnswer[]>;
  /** Reads some of the next entries of a range of encoded keys. */
  kvPage(
    start: string,
    end: string | undefined,
    limit: number,
  ): Promise<ObjectPage>;
}
