/**
 * The SQLite clients, whose shapes differ a little.
 *
 * @module
 */

import type { Statement } from "./entries.ts";

/**
 * A prepared statement, as `node:sqlite`, `@db/sqlite`, better-sqlite3 and
 * `bun:sqlite` have it.
 *
 * @example Usage
 * ```ts
 * import type { SqliteStatement } from "@org/kv/sqlite";
 * import { DatabaseSync } from "node:sqlite";
 *
 * using db = new DatabaseSync(":memory:");
 * const statement: SqliteStatement = db.prepare("SELECT 1");
 * ```
 */
export interface SqliteStatement {
  /** Runs the statement; the result tells the number of changes. */
  // deno-lint-ignore no-explicit-any
  run(...parameters: any[]): unknown;
  /** Reads the first row. */
  // deno-lint-ignore no-explicit-any
  get(...parameters: any[]): unknown;
  /** Reads all rows. */
  // deno-lint-ignore no-explicit-any
  all(...parameters: any[]): unknown[];
}

/**
 * A database: `DatabaseSync` of `node:sqlite`, or `Database` of `@db/sqlite`,
 * better-sqlite3 or `bun:sqlite`.
 *
 * @example Usage
 * ```ts
 * import type { SqliteDatabase } from "@org/kv/sqlite";
 * import { DatabaseSync } from "node:sqlite";
 *
 * using db = new DatabaseSync(":memory:");
 * const database: SqliteDatabase = db;
 * ```
 */
export interface SqliteDatabase {
  /** Prepares a statement. */
  prepare(sql: string): SqliteStatement;
  /** Whether a transaction is open, as `node:sqlite` calls it. */
  readonly isTransaction?: boolean;
  /** Whether a transaction is open, as the others call it. */
  readonly inTransaction?: boolean;
  /** `false` once `@db/sqlite` or better-sqlite3 is closed. */
  readonly open?: unknown;
}

/** Prepares a statement, the same for every client. */
export function prepare(db: SqliteDatabase, sql: string): Statement {
  // @db/sqlite cuts the SQL, in bytes of UTF-8, to the length of the string.
  const cut = new TextEncoder().encode(sql).length - sql.length;
  const statement = db.prepare(sql + " ".repeat(cut));
  // Rows as arrays where the client can, which is faster.
  (statement as { setReturnArrays?: (enabled: boolean) => void })
    .setReturnArrays?.(true);
  return {
    get: (...parameters) => columns(statement.get(...parameters)),
    all: (...parameters) =>
      statement.all(...parameters).map((row) => columns(row)!),
    run(...parameters) {
      const result = statement.run(...parameters);
      return typeof result === "number"
        ? result
        : Number((result as { changes?: number | bigint }).changes);
    },
  };
}

/**
 * Throws if the database is closed. Statements may outlive it, in `bun:sqlite`
 * to write on, in `@db/sqlite` to use memory that is freed.
 */
export function checkOpen(db: SqliteDatabase): void {
  if (db.open === false) throw new Error("the database is closed");
  void db.inTransaction; // Once it is closed, bun:sqlite throws here.
}

/**
 * Makes an attempt without the client's own waiting for locks, which would hold
 * up the event loop: better-sqlite3 waits for 5 seconds unless told otherwise.
 */
export function withoutWaiting<T>(db: SqliteDatabase, attempt: () => T): T {
  const timeout = Number(prepare(db, "PRAGMA busy_timeout").get()![0]);
  if (timeout === 0) return attempt();
  prepare(db, "PRAGMA busy_timeout = 0").get();
  try {
    return attempt();
  } finally {
    prepare(db, `PRAGMA busy_timeout = ${timeout}`).get();
  }
}

/** The columns of a row, or `undefined` if there is none. */
function columns(row: unknown): readonly unknown[] | undefined {
  if (row === undefined || row === null || Array.isArray(row)) {
    return row ?? undefined;
  }
  return Object.values(row);
}
