// The SQLite clients that the tests open.
/// <reference types="npm:bun-types@1.4.5/sqlite.d.ts" />
import type * as bun from "bun:sqlite";
import type * as node from "node:sqlite";
// deno-lint-ignore no-import-prefix
import type BetterSqlite3 from "npm:@types/better-sqlite3@9.6.0";
import type { SqliteDatabase } from "../../../kv/sqlite.ts";
import type * as dbSqlite from "@db/sqlite";

/** An open database of any client. */
export interface Connection extends SqliteDatabase {
  exec(sql: string): unknown;
  close(): void;
}

/** A SQLite client as its users open it, by its own types. */
export interface SqliteClient {
  readonly name: string;
  /** Whether errors have a message and no code. */
  readonly hidesCodes?: boolean;
  /** Whether a connection stays in a stale snapshot once a write failed in it. */
  readonly staysStale?: boolean;
  /** Begins to iterate over the rows of a query, if the client can. */
  iterate?(db: Connection, sql: string): Iterator<unknown>;
  /** Opens a database with the client's own defaults. */
  open(path: string): Connection;
  /** Opens one with options that change the rows: wider integers, arrays. */
  openWide(path: string): Connection;
  /** Opens one and returns the client's own way to run a transaction. */
  openTransactional(path: string): {
    db: Connection;
    transact(body: () => void): void;
  };
}

/** The `DatabaseSync` of `node:sqlite`. */
export function nodeSqlite({ DatabaseSync }: typeof node): SqliteClient {
  return {
    name: "node:sqlite",
    iterate,
    open: (path) => new DatabaseSync(path),
    openWide: (path) =>
      new DatabaseSync(path, { readBigInts: true, returnArrays: true }),
    openTransactional(path) {
      const db = new DatabaseSync(path);
      return {
        db,
        transact(body) {
          db.exec("BEGIN");
          body();
          db.exec("COMMIT");
        },
      };
    },
  };
}

/** The `Database` of better-sqlite3. */
export function betterSqlite3(
  { default: Database }: { default: typeof BetterSqlite3 },
): SqliteClient {
  return {
    name: "better-sqlite3",
    iterate,
    open: (path) => new Database(path),
    openWide: (path) => new Database(path).defaultSafeIntegers(),
    openTransactional(path) {
      const db = new Database(path);
      return { db, transact: (body) => db.transaction(body)() };
    },
  };
}

/** The `Database` of libsql, whose API is that of better-sqlite3. */
export function libsql(
  { default: Database }: { default: typeof BetterSqlite3 },
): SqliteClient {
  return {
    ...betterSqlite3({ default: Database }),
    name: "libsql",
    staysStale: true,
  };
}

/** The `Database` of `bun:sqlite`. */
export function bunSqlite({ Database }: typeof bun): SqliteClient {
  return {
    name: "bun:sqlite",
    iterate,
    open: (path) => new Database(path),
    openWide: (path) =>
      new Database(path, { create: true, safeIntegers: true }),
    openTransactional(path) {
      const db = new Database(path);
      return { db, transact: (body) => db.transaction(body)() };
    },
  };
}

/** The stand-in for the `Database` of `@db/sqlite`. */
export function likeDbSqlite({ Database }: typeof dbSqlite): SqliteClient {
  return {
    name: "a client with the shape and the quirks of @db/sqlite",
    hidesCodes: true,
    open: (path) => new Database(path),
    openWide: (path) => new Database(path, { int64: true }),
    openTransactional(path) {
      const db = new Database(path);
      return { db, transact: (body) => db.transaction(body)() };
    },
  };
}

function iterate(db: Connection, sql: string): Iterator<unknown> {
  return (db.prepare(sql) as unknown as { iterate(): Iterator<unknown> })
    .iterate();
}
