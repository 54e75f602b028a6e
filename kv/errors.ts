/**
 * The errors that a caller may want to catch. Misuse throws a `TypeError` or a
 * `RangeError`.
 *
 * @module
 */

/**
 * A valid call failed: the backend rejected it, could not be reached, or took too
 * long. Nothing was changed. The client's own error is the `cause`.
 *
 * @example Usage
 * ```ts
 * import { KvError } from "@org/kv";
 * import { SqliteKvStore } from "@org/kv/sqlite";
 * import { assertRejects } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * const db = new DatabaseSync(":memory:");
 * const kv = new SqliteKvStore(db);
 * db.close();
 * await assertRejects(() => kv.get(["a"]), KvError, 'Cannot get ["a"]');
 * ```
 */
export class KvError extends Error {
  /** The name of the class. */
  override name = "KvError";
}

/**
 * A write was sent, and the connection broke before the reply arrived: it may or
 * may not have been applied. Read the entry to find out.
 *
 * @example Take a lock, and find out whether it was taken
 * ```ts
 * import { KvOutcomeUnknownError, MemoryKvStore } from "@org/kv";
 * import { assert } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const me = crypto.randomUUID();
 *
 * async function lock(): Promise<boolean> {
 *   try {
 *     return await kv.cas(["lock"], undefined, me, { ttl: 60_000 });
 *   } catch (error) {
 *     if (!(error instanceof KvOutcomeUnknownError)) throw error;
 *     return await kv.get(["lock"]) === me;
 *   }
 * }
 *
 * assert(await lock());
 * ```
 */
export class KvOutcomeUnknownError extends KvError {
  /** The name of the class. */
  override name = "KvOutcomeUnknownError";
}

/**
 * A stored entry cannot be decoded, because it was damaged or written by another
 * program. Nothing was changed.
 *
 * @example Usage
 * ```ts
 * import { KvCorruptionError } from "@org/kv";
 * import { SqliteKvStore } from "@org/kv/sqlite";
 * import { assertRejects } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * const db = new DatabaseSync(":memory:");
 * const kv = new SqliteKvStore(db);
 * await kv.set(["a"], 1);
 * db.exec("UPDATE kv SET value = 'not JSON'");
 * await assertRejects(() => kv.get(["a"]), KvCorruptionError);
 * db.close();
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
