/**
 * The SQLite clients, whose shapes differ a little.
 *
 * @module
 */

import type { Statement } from "./entries.ts";

/**
 * A prepared statement, as `node:sqlite`, `bun:sqlite`, better-sqlite3,
 * libsql and `@db/sqlite` have it.
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
 * A database: `DatabaseSync` of `node:sqlite`, or `Database` of `bun:sqlite`,
 * better-sqlite3, libsql or `@db/sqlite`.
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
  /** `false` once `@db/sqlite`, better-sqlite3 or libsql is closed. */
  readonly open?: unknown;
}

/** What a statement may have besides, to choose the form of rows. */
interface RowForms {
  setReturnArrays?(enabled: boolean): unknown; // node:sqlite
  setReadBigInts?(enabled: boolean): unknown; // node:sqlite
  safeIntegers?(enabled: boolean): unknown; // better-sqlite3, libsql, bun:sqlite
  raw?(enabled: boolean): unknown; // better-sqlite3, libsql
  readonly reader?: boolean; // better-sqlite3, libsql, bun:sqlite
  readonly values?: unknown; // bun:sqlite, whose raw() is another
  readonly interrupt?: unknown; // libsql
}

/** The clients whose shape is known. */
const CLIENTS = "node:sqlite, bun:sqlite, better-sqlite3, libsql or @db/sqlite";

/**
 * Checks that a database is one of a supported client.
 *
 * @param db What the caller gave.
 * @throws {TypeError} If it is not.
 */
export function checkClient(db: SqliteDatabase): void {
  if (typeof db?.prepare !== "function" || !answers(db)) {
    const name = (db as object | null | undefined)?.constructor?.name;
    throw new TypeError(
      "Cannot create a SqliteKvStore: db must be a synchronous database of " +
        `${CLIENTS}: received ${
          db === null ? "null" : name ? `an object of ${name}` : typeof db
        }`,
    );
  }
}

/** Whether statements answer at once and in a known shape. */
function answers(db: SqliteDatabase): boolean {
  let statement: SqliteStatement;
  let rows: unknown;
  try {
    statement = db.prepare("SELECT 1 AS one");
    for (const method of ["run", "get", "all"] as const) {
      if (typeof statement?.[method] !== "function") return false;
    }
    // Not get(): libsql would keep the statement, and with it a snapshot, open.
    rows = statement.all();
  } catch {
    // Such as a closed database: the calls will tell.
    return true;
  }
  return Array.isArray(rows) && Number(columns(rows[0])?.[0]) === 1;
}

/**
 * Prepares a statement, the same for every client. Rows are requested as arrays,
 * whatever the database is set to, and integers as BigInt, since a client may
 * throw if a number cannot hold one. A client that knows only objects returns
 * their members in the order of the columns.
 */
export function prepare(db: SqliteDatabase, sql: string): Statement {
  // @db/sqlite cuts the SQL, in bytes of UTF-8, to the length of the string.
  const cut = new TextEncoder().encode(sql).length - sql.length;
  const statement = db.prepare(sql + " ".repeat(cut));
  const forms = statement as RowForms;
  forms.setReturnArrays?.(true);
  forms.setReadBigInts?.(true);
  forms.safeIntegers?.(true);
  if (forms.reader === true && forms.values === undefined) forms.raw?.(true);
  // The get() of libsql does not end the statement, which then keeps the
  // connection reading from an old snapshot.
  const endsGet = forms.interrupt === undefined;
  return {
    get: (...parameters) =>
      columns(
        endsGet
          ? statement.get(...parameters)
          : statement.all(...parameters)[0],
      ),
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
  // Once it is closed, bun:sqlite throws here.
  void db.inTransaction;
}

/** Whether a transaction is open, as far as the client tells. */
export function isInTransaction(db: SqliteDatabase): boolean {
  return db.isTransaction ?? db.inTransaction ?? false;
}

/** The columns of a row, or `undefined` if there is no row. */
function columns(row: unknown): readonly unknown[] | undefined {
  if (row === undefined || row === null || Array.isArray(row)) {
    return row ?? undefined;
  }
  return Object.values(row);
}
