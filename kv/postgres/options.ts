/**
 * The options of a PostgreSQL store.
 *
 * @module
 */

import type { OptionRule } from "../core/options.ts";
import { SQL_OPTIONS, SQL_REPLACEMENTS } from "../sql/options.ts";

/**
 * Options of a {@linkcode PostgresKvStore}.
 *
 * @example Usage
 * ```ts
 * import type { PostgresKvStoreOptions } from "@org/kv/postgres";
 *
 * const options: PostgresKvStoreOptions = { tableName: "cache.entries" };
 * ```
 */
export interface PostgresKvStoreOptions {
  /**
   * The name of the table, which may have the name of an existing schema and a
   * dot in front. It is quoted, so it is case-sensitive.
   *
   * @default {"kv"}
   */
  readonly tableName?: string;
  /**
   * Whether the store creates the table as `UNLOGGED`: writes are much cheaper,
   * but the table is empty after a crash of the server, and on its replicas.
   *
   * @default {false}
   */
  readonly unlogged?: boolean;
  /**
   * Whether statements are prepared by name. Choose `false` behind a connection
   * pooler in transaction mode, such as PgBouncer.
   *
   * @default {true}
   */
  readonly prepare?: boolean;
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
  ...SQL_OPTIONS,
  unlogged: { type: "boolean", must: "be a boolean" },
  prepare: { type: "boolean", must: "be a boolean" },
};

/** What to do in place of the options of Fedify's stores. */
export const REPLACEMENTS: Readonly<Record<string, string>> = {
  ...SQL_REPLACEMENTS,
  codec: "remove it, as the store has one way to store values",
  expiry: "remove it, as the store deletes expired entries itself",
};
