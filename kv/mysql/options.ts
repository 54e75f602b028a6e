/**
 * The options of a MySQL store.
 *
 * @module
 */

import { MAX_PENDING, type OptionRule, TIMEOUT } from "../core/options.ts";

/**
 * Options of a {@linkcode MysqlKvStore}.
 *
 * @example Usage
 * ```ts
 * import type { MysqlKvStoreOptions } from "@org/kv/mysql";
 *
 * const options: MysqlKvStoreOptions = { tableName: "app.cache" };
 * ```
 */
export interface MysqlKvStoreOptions {
  /**
   * The name of the table, which may have the name of an existing database and a
   * dot in front. It is quoted.
   *
   * @default {"kv"}
   */
  readonly tableName?: string;
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
  tableName: {
    type: "string",
    must: "be the name of a table, with or without the one of a database",
  },
  timeout: TIMEOUT,
  maxPending: MAX_PENDING,
};

/** What to do in place of the options of Fedify's stores. */
export const REPLACEMENTS: Readonly<Record<string, string>> = {
  initialized: "remove it, as the store finds out whether the table exists; " +
    "schema() returns the SQL to create it in advance",
};
