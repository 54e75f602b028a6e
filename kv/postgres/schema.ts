/**
 * The table of a PostgreSQL store: its name and its definition.
 *
 * @module
 */

import { utf8Length } from "../core/key.ts";
import {
  parseTableName,
  quoteTable,
  type TableName,
} from "../sql/table_name.ts";
import type { PostgresKvStoreOptions } from "./options.ts";

/** The longest identifier that PostgreSQL does not cut off. */
const MAX_IDENTIFIER_BYTES = 63;

/**
 * The SQL that creates the table of a {@linkcode PostgresKvStore}, for those who
 * create it themselves. The store finds the table and sends no DDL then.
 *
 * Compression by LZ4 is several times as fast as the default. Where the server
 * was built without it, or is older than PostgreSQL 14, leave it out: the store
 * works just as well.
 *
 * @param options The name of the table, and whether it is `UNLOGGED`.
 * @returns Statements, each with a semicolon at its end.
 * @throws {TypeError} If the table name is invalid.
 *
 * @example Usage
 * ```ts
 * import { schema } from "@org/kv/postgres";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   schema({ tableName: "app.kv" }),
 *   `CREATE TABLE "app"."kv" (
 *   key text COLLATE "C" PRIMARY KEY,
 *   value text COMPRESSION lz4 NOT NULL,
 *   full_key text COLLATE "C",
 *   expires bigint,
 *   due bigint
 * );
 * CREATE INDEX ON "app"."kv" (due) WHERE due IS NOT NULL;
 * `,
 * );
 * ```
 */
export function schema(options: PostgresKvStoreOptions = {}): string {
  return definition(
    quoted(tableNameOf(options.tableName)),
    options.unlogged ?? false,
    true,
  );
}

/*
 * An update that changes no indexed column can be a HOT update, which writes to
 * no index and needs no vacuum. So there is an index by `due`, the time at which
 * a sweep looks at the row, and none by `expires`. `due` is never later than the
 * expiry. It may be earlier, as it stays when an entry is written again with a
 * later expiry or with none; the sweep then sets it to the expiry, once, however
 * often the entry was written.
 */

/** The SQL that creates a table with a quoted name. */
export function definition(
  table: string,
  unlogged: boolean,
  lz4: boolean,
): string {
  return `CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${table} (
  key text COLLATE "C" PRIMARY KEY,
  value text${lz4 ? " COMPRESSION lz4" : ""} NOT NULL,
  full_key text COLLATE "C",
  expires bigint,
  due bigint
);
${dueIndex(table)}
`;
}

/** The SQL that creates the index for sweeps. */
export function dueIndex(table: string): string {
  return `CREATE INDEX ON ${table} (due) WHERE due IS NOT NULL;`;
}

/**
 * Checks the option `tableName`.
 *
 * @throws {TypeError} If it is not a name, or two names with a dot between them.
 */
export function tableNameOf(tableName: unknown = "kv"): TableName {
  return parseTableName(tableName, (name) => {
    if (!name.isWellFormed() || name.includes("\0")) {
      return "be well-formed and without NUL";
    }
    return utf8Length(name) > MAX_IDENTIFIER_BYTES
      ? `take at most ${MAX_IDENTIFIER_BYTES} bytes`
      : undefined;
  });
}

/** The name of a table in a statement. */
export function quoted(name: TableName): string {
  return quoteTable(name, '"');
}

/** A text in a statement. */
export function literal(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("'", "''");
  return `E'${escaped}'`;
}
