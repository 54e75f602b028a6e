/**
 * The tables in the database of a Durable Object.
 *
 * @module
 */

import { schema } from "../sqlite/schema.ts";

/**
 * The SQL that creates the tables, if they are missing. Whatever replaces or
 * deletes an entry, its chunks go with it.
 */
export function objectSchema(table: string): string[] {
  const gone =
    `WHEN typeof(OLD.value) = 'blob' AND substr(OLD.value, 1, 1) = x'00' ` +
    `BEGIN DELETE FROM ${table}_chunks ` +
    "WHERE key = OLD.key AND reference = OLD.value; END";
  return [
    ...schema(table),
    `CREATE TABLE IF NOT EXISTS ${table}_chunks (key TEXT NOT NULL, ` +
    "reference BLOB NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, " +
    "PRIMARY KEY (key, reference, number))",
    `CREATE TRIGGER IF NOT EXISTS ${table}_replaced ` +
    `AFTER UPDATE OF value ON ${table} ${gone}`,
    `CREATE TRIGGER IF NOT EXISTS ${table}_deleted ` +
    `AFTER DELETE ON ${table} ${gone}`,
  ];
}
