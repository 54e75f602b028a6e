/**
 * The few errors that a caller may want to catch. Misuse is a `TypeError` or a
 * `RangeError`.
 *
 * @module
 */

/**
 * A call failed although it was right: the backend refused it, could not be
 * reached, or took too long. Nothing was changed. The client's own error is
 * the `cause`.
 *
 * @example Usage
 * ```ts
 * import { KvError } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new KvError("Cannot get [\"a\"]: the server is down");
 * assertEquals(error.name, "KvError");
 * ```
 */
export class KvError extends Error {
  /** The name of the class. */
  override name = "KvError";
}

/**
 * A write was sent, and the connection broke before the answer came: it may or
 * may not have been applied. Read the entry to find out.
 *
 * @example Usage
 * ```ts
 * import { KvError, KvOutcomeUnknownError } from "@org/kv";
 * import { assert } from "@std/assert";
 *
 * assert(new KvOutcomeUnknownError("the connection broke") instanceof KvError);
 * ```
 */
export class KvOutcomeUnknownError extends KvError {
  /** The name of the class. */
  override name = "KvOutcomeUnknownError";
}

/**
 * What is stored under a key cannot be decoded: it was damaged, or written by
 * something else. Nothing was changed.
 *
 * @example Usage
 * ```ts
 * import { KvCorruptionError, KvError } from "@org/kv";
 * import { assert } from "@std/assert";
 *
 * assert(new KvCorruptionError("not JSON") instanceof KvError);
 * ```
 */
export class KvCorruptionError extends KvError {
  /** The name of the class. */
  override name = "KvCorruptionError";
}

/**
 * More calls are pending than the option `maxPending` of the store allows. The
 * call was not made, and nothing was changed.
 *
 * @example Usage
 * ```ts
 * import { KvError, KvOverloadError } from "@org/kv";
 * import { assert } from "@std/assert";
 *
 * assert(new KvOverloadError("too many calls") instanceof KvError);
 * ```
 */
export class KvOverloadError extends KvError {
  /** The name of the class. */
  override name = "KvOverloadError";
}
