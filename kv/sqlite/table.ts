/**
 * The table that holds the entries of a store.
 *
 * @module
 */

import type { Statement } from "./entries.ts";

/*
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
const COLUMNS = "key TEXT PRIMARY KEY NOT NULL, expires REAL, due REAL, " +
  "value NOT NULL";

/** Quotes an identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Whether there is a table, and whether it is as {@linkcode makeTable} leaves it. */
export function hasTable(
  prepare: (sql: string) => Statement,
  name: string,
): boolean {
  const { isThere, hasDue, hasExpires } = look(prepare, name);
  return isThere && hasDue && !hasExpires;
}

/**
 * Makes a table and its index, or makes one of an earlier version like it, whose
 * rows had no `due` and whose index was by `expires`. To be done in a transaction.
 */
export function makeTable(
  prepare: (sql: string) => Statement,
  name: string,
): void {
  const table = quote(name);
  const { isThere, hasDue } = look(prepare, name);
  const statements: string[] = [];
  if (!isThere) {
    statements.push(`CREATE TABLE ${table} (${COLUMNS})`);
  } else {
    if (!hasDue) statements.push(`ALTER TABLE ${table} ADD COLUMN due REAL`);
    statements.push(
      `UPDATE ${table} SET due = expires ` +
        "WHERE expires IS NOT NULL AND due IS NULL",
      `DROP INDEX IF EXISTS ${quote(`${name}_expires`)}`,
    );
  }
  statements.push(
    `CREATE INDEX IF NOT EXISTS ${quote(`${name}_due`)} ON ${table} (due) ` +
      "WHERE due IS NOT NULL",
  );
  for (const sql of statements) prepare(sql).run();
}

/** Looks for a table and its indexes. */
function look(
  prepare: (sql: string) => Statement,
  name: string,
): { isThere: boolean; hasDue: boolean; hasExpires: boolean } {
  const select = prepare(
    // Clients that make objects of rows need a name for each column.
    "SELECT count(*), total(name = ? COLLATE NOCASE) AS due, " +
      "total(name = ? COLLATE NOCASE) AS expires " +
      "FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE",
  );
  const [isThere, hasDue, hasExpires] = select
    .get(`${name}_due`, `${name}_expires`, name)!.map(Boolean);
  return {
    isThere: isThere!,
    hasDue: hasDue!,
    hasExpires: hasExpires!,
  };
}
