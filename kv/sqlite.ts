/**
 * A store in a SQLite database.
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { BUSY_TIMEOUT, checkOptions, MAX_PENDING } from "./core/options.ts";
import {
  checkClient,
  checkOpen,
  type SqliteDatabase,
} from "./sqlite/client.ts";
import { isMissingTable } from "./sqlite/errors.ts";
import { listPages } from "./sqlite/list.ts";
import { waitForLock } from "./sqlite/lock.ts";
import { checkTableName } from "./sqlite/schema.ts";
import { type OpenTable, openTable } from "./sqlite/table.ts";
import { executeCalls, rejectCall } from "./sqlite/transaction.ts";
import type { KvStoreTraits } from "./store.ts";

export type { SqliteDatabase, SqliteStatement } from "./sqlite/client.ts";

/**
 * Options of {@linkcode SqliteKvStore}.
 *
 * @example Usage
 * ```ts
 * import type { SqliteKvStoreOptions } from "@org/kv/sqlite";
 *
 * const options: SqliteKvStoreOptions = { tableName: "sessions" };
 * ```
 */
export interface SqliteKvStoreOptions {
  /**
   * The table that holds the entries. The store creates it on first use.
   *
   * @default {"kv"}
   */
  readonly tableName?: string;
  /**
   * How long a call waits for the locks of other connections, in milliseconds,
   * before it is rejected. The event loop goes on meanwhile.
   *
   * A client with its own waiting time blocks the event loop for that time
   * first: better-sqlite3 for 5 seconds unless it is opened with `timeout: 0`,
   * the others as long as `PRAGMA busy_timeout` says.
   *
   * @default {5000}
   */
  readonly busyTimeout?: number;
  /**
   * How many calls may be pending. Further ones are rejected with a
   * `KvOverloadError`.
   *
   * @default {Infinity}
   */
  readonly maxPending?: number;
}

/** The longest text or blob that SQLite takes as it is usually built. */
const MAX_VALUE_BYTES = 1_000_000_000;

/**
 * A store in a SQLite database: one file, no server, and the fastest of the
 * persistent stores. Any number of stores and processes may share the file. The
 * calls of one tick become one transaction, or take part in the caller's own.
 *
 * The database is used as it was opened. Set `PRAGMA journal_mode = WAL` and
 * choose `synchronous`: `FULL` loses no acknowledged write, `NORMAL` is many times
 * faster and may lose the last ones if the power fails. Clients, settings, disk
 * space and backup: docs/stores/sqlite.md.
 *
 * @example Usage
 * ```ts
 * import { SqliteKvStore } from "@org/kv/sqlite";
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * using db = new DatabaseSync(":memory:"); // or a path
 * db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
 * const kv = new SqliteKvStore(db);
 * await kv.set(["users", "alice"], { visits: 1 });
 * assertEquals(await kv.get(["users", "alice"]), { visits: 1 });
 * ```
 */
export class SqliteKvStore extends KvCasDriver {
  /** What the store is; it keeps every guarantee. */
  readonly traits: KvStoreTraits;

  readonly #db: SqliteDatabase;
  readonly #tableName: string;
  readonly #busyTimeout: number;
  #table: OpenTable | undefined;

  /**
   * Creates a store. It never closes the database.
   *
   * @param db An open database of a synchronous client.
   * @param options The table, and how long to wait for locks.
   * @throws {TypeError} If the client is not supported, or an option is unknown
   * or of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(db: SqliteDatabase, options: SqliteKvStoreOptions = {}) {
    checkClient(db);
    checkOptions("create a SqliteKvStore", options, {
      tableName: { type: "string", must: "be a string" },
      busyTimeout: BUSY_TIMEOUT,
      maxPending: MAX_PENDING,
    }, { initialized: "remove it, the store creates its table on first use" });
    super({ sequential: true, maxPending: options.maxPending ?? Infinity });
    this.#tableName = checkTableName(options.tableName ?? "kv");
    this.traits = {
      driver: "sqlite",
      collection: this.#tableName,
      persistent: true,
      shared: "machine",
      maxValueBytes: MAX_VALUE_BYTES,
      without: {},
    };
    this.#busyTimeout = options.busyTimeout ?? 5000;
    this.#db = db;
  }

  /** Executes a batch in one transaction. */
  protected override execute(calls: readonly KvCall[]): void | Promise<void> {
    try {
      return this.#whenFree((table) => executeCalls(this.#db, table, calls))
        ?.catch((error) => rejectAll(calls, error));
    } catch (error) {
      rejectAll(calls, error);
    }
  }

  /** Reads pages by ranges of the key. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry[]> {
    return listPages(prefix, request, (attempt) => this.#whenFree(attempt));
  }

  /** Deletes some expired entries. */
  protected override reclaim(): number | Promise<number> {
    return this.#whenFree(({ entries }) => entries.reclaim());
  }

  #whenFree<T>(attempt: (table: OpenTable) => T): T | Promise<T> {
    try {
      return this.#withTable(attempt);
    } catch (error) {
      const again = () => this.#withTable(attempt);
      return waitForLock(this.#db, this.#busyTimeout, again, error);
    }
  }

  /** Creates the table if it is missing: at first, or since it was dropped. */
  #withTable<T>(attempt: (table: OpenTable) => T): T {
    checkOpen(this.#db);
    this.#table ??= openTable(this.#db, this.#tableName);
    try {
      return attempt(this.#table);
    } catch (error) {
      if (!isMissingTable(error)) throw error;
      this.#table = openTable(this.#db, this.#tableName);
      return attempt(this.#table);
    }
  }
}

/** Rejects the calls that are left, which changed nothing. */
function rejectAll(calls: readonly KvCall[], error: unknown): void {
  for (const call of calls) if (!call.settled) rejectCall(call, error);
}
