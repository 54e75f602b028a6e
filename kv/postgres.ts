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
import { isMissingTable } from "./postgres/errors.ts";
import { listPages } from "./postgres/list.ts";
import { openTable } from "./postgres/open.ts";
import {
  OPTIONS,
  type PostgresKvStoreOptions,
  REPLACEMENTS,
} from "./postgres/options.ts";
import { type Query, queryTwice } from "./postgres/query.ts";
import { quoted, type TableName, tableNameOf } from "./postgres/schema.ts";
import { PostgresStatements } from "./postgres/sql.ts";
import { Sweeper } from "./postgres/sweep.ts";
import { executeBatch, type Table } from "./postgres/write.ts";
import type { KvStoreTraits } from "./store.ts";

export type { PostgresClient } from "./postgres/client.ts";
export type { PgClient } from "./postgres/pg.ts";
export type { PgliteClient } from "./postgres/pglite.ts";
export type { PostgresJsClient } from "./postgres/postgres_js.ts";
export type { PostgresKvStoreOptions } from "./postgres/options.ts";
export { schema } from "./postgres/schema.ts";

/** The most calls in a batch: few enough to keep several connections busy. */
const MAX_CALLS = 64;

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
  /** What the store is and what it does not promise. */
  readonly traits: KvStoreTraits = {
    driver: "postgres",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {},
  };

  readonly #query: Query;
  readonly #isInTransaction: () => boolean;
  readonly #unlogged: boolean;
  #tableName: TableName;
  #table: OpenTable | undefined;
  #opening: Promise<OpenTable> | undefined;

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
    const { tableName, unlogged = false, prepare = true, timeout = 30_000 } =
      options;
    super({
      codec: postgresCodec,
      maxCalls: MAX_CALLS,
      concurrency: 4,
      timeout,
      maxPending: options.maxPending ?? Infinity,
    });
    this.#query = queryOf(sql, prepare);
    this.#isInTransaction = () => isInTransaction(sql);
    this.#tableName = tableNameOf(tableName);
    this.#unlogged = unlogged;
  }

  /** Executes a batch of calls. */
  protected override execute(calls: readonly KvCall<string>[]): Promise<void> {
    const table = this.#table;
    if (table === undefined) {
      return this.#open().then(
        (table) => this.#execute(table, calls),
        (error) => calls.forEach((call) => call.reject(error)),
      );
    }
    return this.#execute(table, calls);
  }

  #execute(table: OpenTable, calls: readonly KvCall<string>[]): Promise<void> {
    let writes = 0;
    for (const { kind } of calls) if (kind !== "get") writes++;
    // In a transaction, the rows that a sweep deletes stay locked until its end.
    return writes > 0 && !this.#isInTransaction() && table.sweeper.isDue(writes)
      ? executeAround(table, calls)
      : executeBatch(table, calls);
  }

  /** Reads the entries under a prefix. */
  protected override async *pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry<string>[]> {
    const { statements } = this.#table ?? await this.#open();
    const query: Query = async (statement, parameters) => {
      try {
        return await queryTwice(this.#query, statement, parameters);
      } catch (error) {
        if (this.#isInTransaction() || !isMissingTable(error)) throw error;
        await this.#open();
        return await this.#query(statement, parameters);
      }
    };
    yield* listPages(query, statements, prefix, request);
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
    const tableName = await openTable(query, this.#tableName, this.#unlogged);
    if (this.#table !== undefined) return this.#table;
    // From now on, no search path decides where the table is.
    this.#tableName = tableName;
    const statements = new PostgresStatements(quoted(tableName));
    return this.#table = {
      query,
      statements,
      isInTransaction: this.#isInTransaction,
      restore: async () => void await this.#open(),
      sweeper: new Sweeper(query, statements),
    };
  }
}

interface OpenTable extends Table {
  readonly sweeper: Sweeper;
}

/** Sweeps before the writes, which the reads need not wait for. */
async function executeAround(
  table: OpenTable,
  calls: readonly KvCall<string>[],
): Promise<void> {
  const reads = calls.filter(({ kind }) => kind === "get");
  const writes = calls.filter(({ kind }) => kind !== "get");
  await Promise.all([
    reads.length > 0 ? executeBatch(table, reads) : undefined,
    table.sweeper.sweep().then(() => executeBatch(table, writes)),
  ]);
}
