/**
 * A store in a table of a MySQL or MariaDB database.
 *
 * @module
 */

import type { Buffer } from "./core/builtin.ts";
import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { checkOptions } from "./core/options.ts";
import {
  type MysqlCallbackClient,
  type MysqlPromiseClient,
  queryOf,
} from "./mysql/client.ts";
import { MAX_VALUE_BYTES, mysqlCodec } from "./mysql/codec.ts";
import { triage } from "./mysql/errors.ts";
import { openTable } from "./mysql/open.ts";
import type { MysqlKvStoreOptions } from "./mysql/options.ts";
import { tableNameOf } from "./mysql/schema.ts";
import { batching, SQL_OPTIONS, SQL_REPLACEMENTS } from "./sql/options.ts";
import { SqlStore } from "./sql/store.ts";
import type { KvStoreTraits } from "./store.ts";

export type {
  MysqlCallbackClient,
  MysqlPromiseClient,
} from "./mysql/client.ts";
export type { MysqlKvStoreOptions } from "./mysql/options.ts";
export { schema } from "./mysql/schema.ts";

/**
 * A store in a table of a MySQL or MariaDB database, through mysql2.
 *
 * The table is created on first use if it is missing. Each call is one statement
 * and one round trip, and the calls of one tick travel together. All processes
 * that use the table see each other's writes at once, and `cas` is atomic among
 * all of them. See `docs/stores/mysql.md` for durability, rights, limits,
 * clusters and supported clients.
 *
 * @example Usage
 * ```ts ignore
 * import { MysqlKvStore } from "@org/kv/mysql";
 * import { assertEquals } from "@std/assert";
 * import { createPool } from "mysql2";
 *
 * const pool = createPool("mysql://app:secret@localhost/app");
 * const kv = new MysqlKvStore(pool);
 * await kv.set(["greeting", "en"], "Hello", { ttl: 60_000 });
 * assertEquals(await kv.get(["greeting", "en"]), "Hello");
 * pool.end();
 * ```
 */
export class MysqlKvStore extends KvCasDriver<Uint8Array> {
  /** What the store is and what it does not guarantee. */
  readonly traits: KvStoreTraits;

  readonly #store: SqlStore<Buffer>;

  /**
   * Creates a store on a client, which the caller closes.
   *
   * @param pool The client: a pool or connection of `mysql2` or `mysql2/promise`.
   * @param options The name of the table, and limits.
   * @throws {TypeError} If the client is not supported, or an option is unknown
   * or of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    pool: MysqlCallbackClient | MysqlPromiseClient,
    options: MysqlKvStoreOptions = {},
  ) {
    checkOptions(
      "create a MysqlKvStore",
      options,
      SQL_OPTIONS,
      SQL_REPLACEMENTS,
    );
    super({ codec: mysqlCodec, ...batching(options) });
    const query = queryOf(pool);
    this.traits = {
      driver: "mysql",
      collection: options.tableName ?? "kv",
      persistent: true,
      shared: "network",
      maxValueBytes: MAX_VALUE_BYTES,
      without: {},
    };
    this.#store = new SqlStore({
      traits: this.traits,
      tableName: tableNameOf(options.tableName),
      open: (tableName) => openTable(query, tableName),
      triage,
      maxSweepRows: 128,
    });
  }

  /** Executes a batch of calls. */
  protected override execute(
    calls: readonly KvCall<Uint8Array>[],
  ): Promise<void> {
    // The codec makes buffers.
    return this.#store.execute(calls as readonly KvCall<Buffer>[]);
  }

  /** Reads the entries under a prefix. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry<Uint8Array>[]> {
    return this.#store.pages(prefix, request);
  }

  /** Deletes some expired entries. */
  protected override reclaim(): Promise<number> {
    return this.#store.reclaim();
  }
}
