/**
 * The table that holds the entries of a store.
 *
 * @module
 */

/** The declared type of each column that a store uses. */
export const COLUMNS: Readonly<Record<string, string>> = {
  key: "TEXT",
  expires: "REAL",
  due: "REAL",
  value: "",
};

/**
 * The SQL that makes the table and its index, if they are missing.
 *
 * The key is text, as SQLite compares text by bytes of UTF-8. The value has no
 * declared type: JSON is text, CBOR a blob. It comes last, so that the others
 * are found without reading through a large one. The times are REAL, since not
 * every client reads integers of more than 32 bits.
 *
 * An index by `expires` would be written with every set of an entry that has a
 * TTL, and take longer than the set itself. So there is a second time, `due`:
 * when a sweep has to look at the row, which is no later than it expires. It may
 * be earlier, as it stays when an entry is written again, with a later expiry or
 * with none; the sweep then puts it right, once, however often that was.
 */
export function schema(name: string): [table: string, index: string] {
  return [
    `CREATE TABLE IF NOT EXISTS ${qualify(name)} ` +
    "(key TEXT PRIMARY KEY NOT NULL, expires REAL, due REAL, value NOT NULL)",
    `CREATE INDEX IF NOT EXISTS ${qualify(indexName(name))} ` +
    `ON ${quote(name)} (due) WHERE due IS NOT NULL`,
  ];
}

/** The name of the index by `due`. */
export function indexName(table: string): string {
  return `${table}_due`;
}

/**
 * Quotes a name in the main database. A temporary table or one of an attached
 * database may have the same name.
 */
export function qualify(name: string): string {
  return `main.${quote(name)}`;
}

/** Quotes an identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Checks the name of a table.
 *
 * @param tableName What the caller gave.
 * @returns The name.
 * @throws {RangeError} If SQLite cannot have a table of that name.
 */
export function checkTableName(tableName: string): string {
  if (!/^(?!sqlite_)[^\0]+$/i.test(tableName) || !tableName.isWellFormed()) {
    throw new RangeError(
      "Cannot create a SqliteKvStore: tableName must not be empty, start with " +
        `sqlite_ or hold NUL: received ${JSON.stringify(tableName)}`,
    );
  }
  return tableName;
}
