/**
 * The options of a MySQL store.
 *
 * @module
 */

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
