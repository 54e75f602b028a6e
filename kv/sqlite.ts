/**
 * A store in a SQLite database.
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import { decodeKey, keyRange } from "./core/key.ts";
import type { KvStoredEntry } from "./core/listing.ts";
import { BUSY_TIMEOUT, checkOptions } from "./core/options.ts";
import { PageSize } from "./core/paging.ts";
import { retry } from "./core/retry.ts";
import {
  checkClient,
  checkOpen,
  prepare,
  type SqliteDatabase,
  withoutWaiting,
} from "./sqlite/client.ts";
import {
  DamagedRowError,
  isBusy,
  isMissingTable,
  isNested,
} from "./sqlite/errors.ts";
import { SqliteEntries, type Statement } from "./sqlite/entries.ts";
import { openTable } from "./sqlite/inspect.ts";
import { KvCorruptionError } from "./errors.ts";
import type { KvStoreTraits } from "./store.ts";
import type { EncodedValue } from "./core/value.ts";

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
   * The table that holds the entries. It is made on first use.
   *
   * @default {"kv"}
   */
  readonly tableName?: string;
  /**
   * How long a call waits for locks that other connections hold, in
   * milliseconds, before it is rejected. The event loop goes on meanwhile.
   *
   * A client that waits by itself does so first, once and holding up the event
   * loop: better-sqlite3 for 5 seconds unless it is opened with `timeout: 0`,
   * the others as long as `PRAGMA busy_timeout` says.
   *
   * @default {5000}
   */
  readonly busyTimeout?: number;
}

/** The longest text or blob that SQLite takes as it is usually built. */
const MAX_VALUE_BYTES = 1_000_000_000;

/**
 * A store in a SQLite database: one file, no server, and the fastest of those
 * that remember. Any number of stores and processes may share the file.
 *
 * The calls of one tick become one transaction. If the connection is inside a
 * transaction that the caller began, calls take part in it: what they write is
 * there once the caller commits.
 *
 * The database is used as it is opened. `PRAGMA journal_mode = WAL` makes writes
 * several times faster and lets readers go on while one writes; with it,
 * `PRAGMA synchronous = FULL` loses nothing that was acknowledged, and
 * `synchronous = NORMAL` (many times faster) may lose the last writes when the
 * power fails or the system crashes, but never consistency, and nothing when
 * only the process dies. `synchronous = OFF` may damage the file.
 *
 * Not promised: a value beyond 1 GB is a `RangeError`. Deno needs `--allow-read`
 * and `--allow-write` for the file.
 *
 * @example Usage
 * ```ts
 * import { SqliteKvStore } from "@org/kv/sqlite";
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * using db = new DatabaseSync(":memory:"); // or a path
 * db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
 *
 * const kv = new SqliteKvStore(db);
 * await kv.set(["users", "alice"], { visits: 1 });
 * assertEquals(await kv.get(["users", "alice"]), { visits: 1 });
 * ```
 */
export class SqliteKvStore extends KvCasDriver {
  /** What the store is; it makes every promise. */
  readonly traits: KvStoreTraits = {
    driver: "sqlite",
    persistent: true,
    shared: "machine",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {},
  };

  readonly #db: SqliteDatabase;
  readonly #tableName: string;
  readonly #busyTimeout: number;
  #open: Open | undefined;

  /**
   * Makes a store. The database stays the caller's, to be closed by the caller.
   *
   * @param db An open database.
   * @param options The table, and how long to wait for locks.
   * @throws {TypeError} If the database or an option is of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(db: SqliteDatabase, options: SqliteKvStoreOptions = {}) {
    super({ sequential: true });
    checkClient(db);
    const { tableName = "kv", busyTimeout = 5000 } = options;
    checkTableName(tableName);
    checkOptions("make a SqliteKvStore", { busyTimeout }, {
      busyTimeout: BUSY_TIMEOUT,
    });
    this.#db = db;
    this.#tableName = tableName;
    this.#busyTimeout = busyTimeout;
  }

  /** Carries out a batch: alone or in one transaction. */
  protected override execute(calls: readonly KvCall[]): void | Promise<void> {
    try {
      return this.#whenFree((open) => this.#carryOut(open, calls))
        ?.catch((error) => rejectAll(calls, error));
    } catch (error) {
      rejectAll(calls, error);
    }
  }

  /** Reads pages by ranges of the key. */
  protected override async *pages(
    prefix: readonly string[],
  ): AsyncGenerator<KvStoredEntry[]> {
    const { start, end } = keyRange(prefix);
    let next: string | undefined = start;
    const size = new PageSize();
    while (next !== undefined) {
      const from: string = next;
      const page = await this.#whenFree(({ entries }) =>
        entries.page(from, end, size.limit)
      );
      let bytes = 0;
      for (const { value } of page.rows) bytes += value.length;
      next = page.next;
      size.learn(page.rows.length, bytes);
      yield page.rows.map(({ id, value, expiry }) => (
        { key: decodeKey(id), value, expiry }
      ));
    }
  }

  /** Makes an attempt at once, and again while a lock is in the way. */
  #whenFree<T>(attempt: (open: Open) => T): T | Promise<T> {
    try {
      return this.#withTable(attempt);
    } catch (error) {
      if (!isBusy(error)) throw error;
      return this.#retry(attempt, error);
    }
  }

  #retry<T>(attempt: (open: Open) => T, busy: unknown): Promise<T> {
    let isFirst = true;
    return retry(() => {
      if (isFirst) {
        isFirst = false;
        throw busy;
      }
      return withoutWaiting(this.#db, () => this.#withTable(attempt));
    }, { isTransient: isBusy, timeout: this.#busyTimeout, maxPause: 25 });
  }

  #carryOut(open: Open, calls: readonly KvCall[]): void {
    if (calls.length === 1) {
      const call = calls[0]!;
      carryOutAlone(open, call);
      if (call.kind !== "get" && !this.#inTransaction()) sweep(open, 1);
      return;
    }
    const waiting = calls.filter((call) => !call.settled);
    const isWrite = waiting.some((call) => call.kind !== "get");
    if (this.#inTransaction()) {
      this.#join(open, waiting);
    } else if (open.autocommits) {
      for (const call of waiting) carryOutAlone(open, call);
      if (isWrite) sweep(open, waiting.length);
    } else {
      this.#together(open, waiting, isWrite);
    }
  }

  #inTransaction(): boolean {
    return this.#db.isTransaction ?? this.#db.inTransaction ?? false;
  }

  /**
   * Carries out calls inside the transaction that the caller began. Some errors,
   * such as a full disk, end it: then nothing is left of the calls before, and
   * those after must not be carried out beside it.
   */
  #join({ entries }: Open, calls: readonly KvCall[]): void {
    const results: unknown[] = [];
    for (const call of calls) {
      try {
        results.push(entries.carryOut(call));
      } catch (error) {
        if (isBusy(error) || isMissingTable(error)) throw error;
        if (!this.#inTransaction()) {
          rejectAll(calls, error);
          return;
        }
        results.push(new Failure(error));
      }
    }
    for (let i = 0; i < calls.length; i++) settle(calls[i]!, results[i]);
  }

  #together(open: Open, calls: readonly KvCall[], isWrite: boolean): void {
    try {
      (isWrite ? open.beginImmediate : open.begin).run();
    } catch (error) {
      // In WAL mode, who reads does not wait for who writes.
      if (isBusy(error)) readAhead(open, calls);
      // A client that does not tell: the caller's own transaction is open.
      if (!isNested(error)) throw error;
      for (const call of calls) carryOutAlone(open, call);
      return;
    }
    const results: unknown[] = [];
    try {
      for (const call of calls) {
        try {
          results.push(open.entries.carryOut(call));
        } catch (error) {
          if (
            this.#inTransaction() === false || isBusy(error) ||
            isMissingTable(error)
          ) throw error;
          results.push(new Failure(error));
        }
      }
      if (isWrite) sweep(open, calls.length);
      open.commit.run();
    } catch (error) {
      rollBack(open);
      // Without WAL, a commit waits for those who read, but no read for them.
      if (isBusy(error)) readAhead(open, calls);
      if (isBusy(error) || isMissingTable(error)) throw error;
      for (const call of calls) carryOutAlone(open, call);
      return;
    }
    for (let i = 0; i < calls.length; i++) settle(calls[i]!, results[i]);
  }

  /** Makes the table if it is missing: at first, or since a rollback undid it. */
  #withTable<T>(use: (open: Open) => T): T {
    checkOpen(this.#db);
    this.#open ??= open(this.#db, this.#tableName);
    try {
      return use(this.#open);
    } catch (error) {
      if (!isMissingTable(error)) throw error;
      this.#open = open(this.#db, this.#tableName);
      return use(this.#open);
    }
  }
}

/** The cached statements. */
interface Open {
  readonly entries: SqliteEntries;
  readonly begin: Statement;
  readonly beginImmediate: Statement;
  readonly commit: Statement;
  readonly rollback: Statement;
  /** Whether transactions cost more than they save, as in memory. */
  readonly autocommits: boolean;
}

function open(db: SqliteDatabase, tableName: string): Open {
  const prepareSql = (sql: string) => prepare(db, sql);
  openTable(prepareSql, tableName);
  const databases = prepare(db, "PRAGMA database_list").all();
  return {
    entries: new SqliteEntries(prepareSql, tableName),
    begin: prepare(db, "BEGIN"),
    beginImmediate: prepare(db, "BEGIN IMMEDIATE"),
    commit: prepare(db, "COMMIT"),
    rollback: prepare(db, "ROLLBACK"),
    autocommits: databases.some((row) => row[1] === "main" && !row[2]),
  };
}

/** Carries out the reads that no write in the batch comes before, if it can. */
function readAhead(open: Open, calls: readonly KvCall[]): void {
  const written = new Set<string>();
  for (const call of calls) {
    if (call.kind !== "get") {
      written.add(call.id);
    } else if (!written.has(call.id)) {
      try {
        carryOutAlone(open, call);
      } catch {
        // Then they wait with the others.
        return;
      }
    }
  }
}

/** Carries out a call by itself, in a transaction of its own or the caller's. */
function carryOutAlone({ entries }: Open, call: KvCall): void {
  let result: unknown;
  try {
    result = entries.carryOut(call);
  } catch (error) {
    if (isBusy(error) || isMissingTable(error)) throw error;
    return rejectCall(call, error);
  }
  settle(call, result);
}

class Failure {
  constructor(readonly error: unknown) {}
}

function settle(call: KvCall, result: unknown): void {
  if (result instanceof Failure) rejectCall(call, result.error);
  else if (call.kind === "get") call.found(result as EncodedValue | undefined);
  else if (call.kind === "cas") call.resolve(result as boolean);
  else call.resolve();
}

function rejectCall(call: KvCall, error: unknown): void {
  call.reject(
    error,
    error instanceof DamagedRowError ? KvCorruptionError : undefined,
  );
}

function rollBack({ rollback }: Open): void {
  try {
    rollback.run();
  } catch {
    // Some errors roll back by themselves.
  }
}

/** Whatever hinders it, the calls that it rides on are done. */
function sweep({ entries }: Open, calls: number): void {
  try {
    entries.sweep(calls);
  } catch {
    // The next write tries again.
  }
}

/** Rejects what is not settled: nothing of it was changed. */
function rejectAll(calls: readonly KvCall[], error: unknown): void {
  for (const call of calls) if (!call.settled) rejectCall(call, error);
}

function checkTableName(tableName: unknown): void {
  if (typeof tableName !== "string") {
    throw new TypeError(
      "Cannot make a SqliteKvStore: tableName must be a string: " +
        `received a value of type ${typeof tableName}`,
    );
  }
  if (!/^(?!sqlite_)[^\0]+$/i.test(tableName) || !tableName.isWellFormed()) {
    throw new RangeError(
      "Cannot make a SqliteKvStore: tableName must not be empty, start with " +
        `sqlite_ or hold NUL: received ${JSON.stringify(tableName)}`,
    );
  }
}
