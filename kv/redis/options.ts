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
}

/** What the options must be. */
export const OPTIONS: Readonly<Record<string, OptionRule>> = {
  keyPrefix: { type: "string", must: "be a string without !" },
  timeout: TIMEOUT,
  maxPending: MAX_PENDING,
};

/** What to do in place of the options of Fedify's store. */
export const REPLACEMENTS: Readonly<Record<string, string>> = {
  codec: "remove it, as the store has one way to store values",
};
