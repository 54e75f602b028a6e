/**
 * Creates the table of a store if it is missing, and otherwise checks that it is
 * one, before anything is read or changed.
 *
 * @module
 */

import type { Statement } from "./entries.ts";
import { COLUMNS, indexName, qualify, quote, schema } from "./schema.ts";

type Prepare = (sql: string) => Statement;

/**
 * Creates the table and its index, unless they exist.
 *
 * @param prepare Prepares a statement.
 * @param tableName The name of the table.
 * @throws {Error} If the database or what has that name cannot hold a store.
 */
export function createTable(prepare: Prepare, tableName: string): void {
  checkEncoding(prepare);
  const [tableSql, indexSql] = schema(tableName);
  const index = indexName(tableName);
  const found = prepare(
    "SELECT type, name, tbl_name, sql FROM main.sqlite_master " +
      "WHERE type <> 'trigger' AND name COLLATE NOCASE IN (?, ?)",
  ).all(tableName, index).map((row) => row.map(String));
  const named = (name: string) =>
    found.find((row) => fold(row[1]!) === fold(name));

  const table = named(tableName);
  if (table !== undefined) {
    checkName(table, tableName);
    if (table[3] !== stored(tableSql)) {
      checkKind(prepare, tableName, table[3]!);
      checkColumns(prepare, tableName);
      checkUnique(prepare, tableName);
    }
  }
  const indexFound = named(index);
  if (indexFound !== undefined) {
    checkIndex(prepare, tableName, indexFound);
  }
  // Even if it exists, CREATE TABLE would wait for other connections' writes.
  if (table === undefined) prepare(tableSql).run();
  if (indexFound === undefined) prepare(indexSql).run();
}

/** Other encodings have another order of keys. */
function checkEncoding(prepare: Prepare): void {
  const encoding = String(prepare("PRAGMA main.encoding").get()![0]);
  if (encoding !== "UTF-8") {
    throw new Error(`the database must be encoded in UTF-8: it is ${encoding}`);
  }
}

function checkName(found: readonly string[], tableName: string): void {
  const [type, name, owner] = found;
  if (type !== "table") {
    const what = type === "index"
      ? `an index of ${quote(owner!)}`
      : `a ${type}`;
    throw new Error(
      `${quote(name!)} is ${what}, not a table: use another tableName`,
    );
  }
  if (name !== tableName) {
    throw new Error(
      `SQLite ignores the case of names, and the table ${quote(name!)} ` +
        `exists: use it by that name, or use another tableName than ` +
        quote(tableName),
    );
  }
}

function checkKind(prepare: Prepare, tableName: string, sql: string): void {
  if (/^CREATE\s+VIRTUAL\b/i.test(sql)) {
    throw misfit(tableName, "it is a virtual table");
  }
  try {
    prepare(`SELECT rowid FROM ${qualify(tableName)} LIMIT 0`).get();
  } catch {
    throw misfit(tableName, "it is a table WITHOUT ROWID");
  }
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly isPrimaryKey: boolean;
}

function checkColumns(prepare: Prepare, tableName: string): void {
  const sql = `PRAGMA main.table_xinfo(${quote(tableName)})`;
  const columns = prepare(sql).all().map((row): Column => ({
    name: String(row[1]),
    type: String(row[2]).toUpperCase(),
    isRequired: Number(row[3]) !== 0 && row[4] === null,
    isPrimaryKey: Number(row[5]) > 0,
  }));
  const others = columns.filter(({ name }) => !Object.hasOwn(COLUMNS, name));
  const fits =
    Object.entries(COLUMNS).every(([name, type]) =>
      columns.some((column) =>
        column.name === name && column.type === type &&
        column.isPrimaryKey === (name === "key")
      )
    ) && !others.some((other) => other.isRequired || other.isPrimaryKey);
  if (fits) return;
  const found = columns.map(({ name, type, isPrimaryKey }) =>
    `${name} ${type}`.trim() + (isPrimaryKey ? " PRIMARY KEY" : "")
  );
  throw misfit(
    tableName,
    `its columns are ${found.join(", ")}`,
    owner(columns.map(({ name }) => name).sort().join()),
  );
}

/** Whose table has these columns, and what to do about it. */
function owner(names: string): string | undefined {
  switch (names) {
    case "created,expires,key,value":
      return "it is a table of Fedify's SqliteKvStore; use another tableName, " +
        "and copy the entries with @org/kv/migrate";
    case "key,value":
    case "expires,key,value":
      return "it looks like a table of Keyv; use another tableName";
    default:
      return undefined;
  }
}

/** A second unique index would reject entries, another collation mix up keys. */
function checkUnique(prepare: Prepare, tableName: string): void {
  const indexes = prepare(`PRAGMA main.index_list(${quote(tableName)})`).all();
  for (const [, name, unique, origin] of indexes) {
    if (origin === "pk") {
      const [column] = prepare(
        `PRAGMA main.index_xinfo(${quote(String(name))})`,
      ).all();
      if (column![4] !== "BINARY") {
        throw misfit(tableName, `its keys are compared by ${column![4]}`);
      }
    } else if (Number(unique) !== 0) {
      throw misfit(tableName, `it has the unique index ${quote(String(name))}`);
    }
  }
}

function checkIndex(
  prepare: Prepare,
  tableName: string,
  [type, name, owner, sql]: readonly string[],
): void {
  if (type !== "index" || fold(owner!) !== fold(tableName)) {
    throw new Error(
      `the table ${quote(tableName)} needs an index ` +
        `${quote(indexName(tableName))}, and that name belongs to ` +
        (type === "index"
          ? `an index of ${quote(owner!)}`
          : `the ${type} ${quote(name!)}`) +
        ": use another tableName",
    );
  }
  if (sql === stored(schema(tableName)[1])) return;
  const columns = prepare(`PRAGMA main.index_info(${quote(name!)})`).all();
  if (columns.length !== 1 || columns[0]![2] !== "due") {
    throw misfit(
      tableName,
      `its index ${quote(name!)} is not an index by due`,
      "drop that index, or use another tableName",
    );
  }
}

function misfit(
  tableName: string,
  found: string,
  fix = "use another tableName, or drop the table if nobody needs it",
): Error {
  const columns = Object.entries(COLUMNS).map(([name, type]) =>
    `${name} ${type}`.trim() + (name === "key" ? " PRIMARY KEY" : "")
  );
  return new Error(
    `the table ${quote(tableName)} cannot hold a store: ${found}, ` +
      `expected a rowid table of ${columns.join(", ")}: ${fix}`,
  );
}

/** The SQL as SQLite keeps it. */
function stored(sql: string): string {
  return sql.replace(" IF NOT EXISTS main.", " ");
}

/** Folds case as SQLite does in names. */
function fold(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
