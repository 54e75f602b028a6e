/**
 * The options of a Redis store.
 *
 * @module
 */

import { MAX_PENDING, type OptionRule, TIMEOUT } from "../core/options.ts";

/**
 * Options of {@linkcode RedisKvStore}.
 *
 * @example Usage
 * ```ts
 * import type { RedisKvStoreOptions } from "@org/kv/redis";
 *
 * const options: RedisKvStoreOptions = { keyPrefix: "sessions" };
 * ```
 */
export interface RedisKvStoreOptions {
  /**
   * What every key in Redis starts with, before a `!`. Stores with different
   * prefixes share no entries. It contains no `!`.
   *
   * @default {"kv"}
   */
  readonly keyPrefix?: string;
  /**
   * How long the server may be silent, in milliseconds, before the calls that
   * wait for it are rejected. It limits silence, not work.
   *
   * @default {30000}
   */
  readonly timeout?: number;
  /**
   * How many calls may be pending. Further ones are rejected with a
   * `KvOverloadError`.
   *
   * @default {Infinity}
   */
  readonly maxPending?: number;
  /**
   * Whether to keep an index of the keys, so that a listing costs in proportion
   * to the entries that it yields, and not to all keys of the database. Every
   * store with this prefix must have the option, or none.
   *
   * @default {false}
   */
  readonly index?: boolean;
}

/** What the options must be. */
export const OPTIONS: Readonly<Record<string, OptionRule>> = {
  keyPrefix: { type: "string", must: "be a string without !" },
  timeout: TIMEOUT,
  maxPending: MAX_PENDING,
  index: { type: "boolean", must: "be true or false" },
};

/** What to do in place of the options of Fedify's store. */
export const REPLACEMENTS: Readonly<Record<string, string>> = {
  codec: "remove it, as the store has one way to store values",
};
