/**
 * A store in a table of a MySQL or MariaDB database.
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { checkOptions } from "./core/options.ts";
import {
  type MysqlCallbackClient,
  type MysqlPromiseClient,
  type Query,
  queryOf,
} from "./mysql/client.ts";
import { MAX_VALUE_BYTES, mysqlCodec } from "./mysql/codec.ts";
import { isMissingTable } from "./mysql/errors.ts";
import { listPages } from "./mysql/list.ts";
import { openTable } from "./mysql/open.ts";
import {
  type MysqlKvStoreOptions,
  OPTIONS,
  REPLACEMENTS,
} from "./mysql/options.ts";
import { quoted, type TableName, tableNameOf } from "./mysql/schema.ts";
import { MysqlStatements } from "./mysql/sql.ts";
import { Sweeper } from "./mysql/sweep.ts";
import { executeBatch, type Table } from "./mysql/write.ts";
import type { KvStoreTraits } from "./store.ts";

export type {
  MysqlCallbackClient,
  MysqlPromiseClient,
} from "./mysql/client.ts";
export type { MysqlKvStoreOptions } from "./mysql/options.ts";
export { schema } from "./mysql/schema.ts";

/** The most calls in a batch: few enough to keep several connections busy. */
const MAX_CALLS = 64;

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
  readonly traits: KvStoreTraits = {
    driver: "mysql",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {},
  };

  readonly #query: Query;
  #tableName: TableName;
  #table: OpenTable | undefined;
  #opening: Promise<OpenTable> | undefined;

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
    checkOptions("create a MysqlKvStore", options, OPTIONS, REPLACEMENTS);
    const { tableName, timeout = 30_000, maxPending = Infinity } = options;
    super({
      codec: mysqlCodec,
      maxCalls: MAX_CALLS,
      concurrency: 4,
      timeout,
      maxPending,
    });
    this.#query = queryOf(pool);
    this.#tableName = tableNameOf(tableName);
  }

  /** Executes a batch of calls. */
  protected override execute(
    calls: readonly KvCall<Uint8Array>[],
  ): Promise<void> {
    const table = this.#table;
    if (table === undefined) {
      return this.#open().then(
        (table) => executeOn(table, calls),
        (error) => calls.forEach((call) => call.reject(error)),
      );
    }
    return executeOn(table, calls);
  }

  /** Reads the entries under a prefix. */
  protected override async *pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry<Uint8Array>[]> {
    const { statements, limits } = this.#table ?? await this.#open();
    const query: Query = async (statement, parameters) => {
      try {
        return await this.#query(statement, parameters);
      } catch (error) {
        if (!isMissingTable(error)) throw error;
        await this.#open();
        return await this.#query(statement, parameters);
      }
    };
    const source = { query, statements, keyBytes: limits.keyBytes };
    yield* listPages(source, prefix, request);
  }

  /** Deletes some expired entries. */
  protected override async reclaim(): Promise<number> {
    const { sweeper } = this.#table ?? await this.#open();
    return await sweeper.reclaim();
  }

  /** Opens the table: at first, and again if it was dropped. */
  async #open(): Promise<OpenTable> {
    this.#opening ??= this.#openTable();
    try {
      return await this.#opening;
    } finally {
      this.#opening = undefined;
    }
  }

  async #openTable(): Promise<OpenTable> {
    const query = this.#query;
    const { tableName, limits } = await openTable(query, this.#tableName);
    if (this.#table !== undefined) return this.#table;
    // From now on, the connection's database does not matter.
    this.#tableName = tableName;
    const statements = new MysqlStatements(quoted(tableName));
    return this.#table = {
      query,
      statements,
      limits,
      restore: async () => void await this.#open(),
      sweeper: new Sweeper(query, statements),
    };
  }
}

interface OpenTable extends Table {
  readonly sweeper: Sweeper;
}

/** Executes calls, and sweeps before the writes, for which no read waits. */
async function executeOn(
  table: OpenTable,
  calls: readonly KvCall<Uint8Array>[],
): Promise<void> {
  const writes = calls.filter(({ kind }) => kind !== "get");
  if (writes.length === 0 || !table.sweeper.isDue(writes.length)) {
    return await executeBatch(table, calls);
  }
  const reads = calls.filter(({ kind }) => kind === "get");
  await Promise.all([
    reads.length > 0 ? executeBatch(table, reads) : undefined,
    table.sweeper.sweep().then(() => executeBatch(table, writes)),
  ]);
}
