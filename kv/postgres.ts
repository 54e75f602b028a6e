/**
 * A store in a table of a PostgreSQL database.
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { checkOptions } from "./core/options.ts";
import {
  isInTransaction,
  type PostgresClient,
  queryOf,
} from "./postgres/client.ts";
import { MAX_VALUE_BYTES, postgresCodec } from "./postgres/codec.ts";
import { triage } from "./postgres/errors.ts";
import { openTable } from "./postgres/open.ts";
import {
  OPTIONS,
  type PostgresKvStoreOptions,
  REPLACEMENTS,
} from "./postgres/options.ts";
import { tableNameOf } from "./postgres/schema.ts";
import { batching } from "./sql/options.ts";
import { SqlStore } from "./sql/store.ts";
import type { KvStoreTraits } from "./store.ts";

export type { PostgresClient } from "./postgres/client.ts";
export type { PgClient } from "./postgres/pg.ts";
export type { PgliteClient } from "./postgres/pglite.ts";
export type { PostgresJsClient } from "./postgres/postgres_js.ts";
export type { PostgresKvStoreOptions } from "./postgres/options.ts";
export { schema } from "./postgres/schema.ts";

/**
 * A store in a table of a PostgreSQL database, through postgres.js, pg,
 * PGlite or Bun.SQL.
 *
 * The table is created on first use if it is missing. Each call is one statement
 * and one round trip, and the calls of one tick travel together. All processes
 * that use the table see each other's writes at once, and `cas` is atomic among
 * all of them. See `docs/stores/postgres.md` for durability, rights, timeouts,
 * poolers and supported clients.
 *
 * @example Usage
 * ```ts ignore
 * import { PostgresKvStore } from "@org/kv/postgres";
 * import { assertEquals } from "@std/assert";
 * import postgres from "postgres";
 *
 * const sql = postgres("postgres://localhost/app", {
 *   fetch_types: false,
 * });
 * const kv = new PostgresKvStore(sql);
 * await kv.set(["greeting", "en"], "Hello", { ttl: 60_000 });
 * assertEquals(await kv.get(["greeting", "en"]), "Hello");
 * await sql.end();
 * ```
 */
export class PostgresKvStore extends KvCasDriver<string> {
  /** What the store is and what it does not guarantee. */
  readonly traits: KvStoreTraits;

  readonly #store: SqlStore<string>;

  /**
   * Creates a store on a client, which the caller closes.
   *
   * @param sql The client: what `postgres()` of postgres.js returns, a `Pool` or
   * `Client` of pg, a `PGlite`, or a `Bun.SQL`.
   * @param options The name of the table, and how it is created.
   * @throws {TypeError} If the client is not supported, or an option is unknown
   * or of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(sql: PostgresClient, options: PostgresKvStoreOptions = {}) {
    checkOptions("create a PostgresKvStore", options, OPTIONS, REPLACEMENTS);
    const { unlogged = false, prepare = true } = options;
    super({ codec: postgresCodec, ...batching(options) });
    const query = queryOf(sql, prepare);
    this.traits = {
      driver: "postgres",
      collection: options.tableName ?? "kv",
      persistent: true,
      shared: "network",
      maxValueBytes: MAX_VALUE_BYTES,
      without: {},
    };
    this.#store = new SqlStore({
      traits: this.traits,
      tableName: tableNameOf(options.tableName),
      open: (tableName) => openTable(query, tableName, unlogged),
      triage,
      maxSweepRows: 512,
      isInTransaction: () => isInTransaction(sql),
    });
  }

  /** Executes a batch of calls. */
  protected override execute(calls: readonly KvCall<string>[]): Promise<void> {
    return this.#store.execute(calls);
  }

  /** Reads the entries under a prefix. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry<string>[]> {
    return this.#store.pages(prefix, request);
  }

  /** Deletes some expired entries. */
  protected override reclaim(): Promise<number> {
    return this.#store.reclaim();
  }
}
