/**
 * An open table: its entries, and the statements around them.
 *
 * @module
 */

import { prepare, type SqliteDatabase } from "./client.ts";
import { SqliteEntries, type Statement } from "./entries.ts";
import { createTable } from "./inspect.ts";
import { SqliteListing } from "./list.ts";

/** A table that exists, with its cached statements. */
export interface OpenTable {
  readonly entries: SqliteEntries;
  readonly listing: SqliteListing;
  readonly begin: Statement;
  readonly beginImmediate: Statement;
  readonly commit: Statement;
  readonly rollback: Statement;
  /** Whether transactions cost more than they save, as in memory. */
  readonly autocommits: boolean;
}

/**
 * Opens the table of a store, and creates it if it is missing.
 *
 * @param db The database.
 * @param tableName The name of the table.
 * @returns The table.
 * @throws {Error} If what has that name cannot hold a store.
 */
export function openTable(db: SqliteDatabase, tableName: string): OpenTable {
  const prepareSql = (sql: string) => prepare(db, sql);
  createTable(prepareSql, tableName);
  const databases = prepareSql("PRAGMA database_list").all();
  return {
    entries: new SqliteEntries(prepareSql, tableName),
    listing: new SqliteListing(prepareSql, tableName),
    begin: prepareSql("BEGIN"),
    beginImmediate: prepareSql("BEGIN IMMEDIATE"),
    commit: prepareSql("COMMIT"),
    rollback: prepareSql("ROLLBACK"),
    autocommits: databases.some((row) => row[1] === "main" && !row[2]),
  };
}
