/**
 * The table of a MySQL store: its name and its definition.
 *
 * @module
 */

import {
  parseTableName,
  quoteTable,
  type TableName,
} from "../sql/table_name.ts";
import type { MysqlKvStoreOptions } from "./options.ts";

/** The most characters of an identifier. */
const MAX_IDENTIFIER = 64;

/** The most bytes of a key that an index can hold, if pages have 16 KiB. */
export const MAX_KEY_BYTES = 3_072;

/**
 * The SQL that creates the table of a {@linkcode MysqlKvStore}, for those who
 * create it themselves. The store finds the table and sends no DDL then.
 *
 * On a server with pages of 8 KiB or 4 KiB, make the key shorter: 1536 or 768
 * bytes. The store uses the length that it finds.
 *
 * @param options The name of the table.
 * @returns A statement with a semicolon at its end.
 * @throws {TypeError} If the table name is invalid.
 *
 * @example Usage
 * ```ts
 * import { schema } from "@org/kv/mysql";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   schema({ tableName: "app.kv" }),
 *   `CREATE TABLE IF NOT EXISTS \`app\`.\`kv\` (
 *   \`key\` varbinary(3072) NOT NULL PRIMARY KEY,
 *   \`value\` longblob NOT NULL,
 *   \`full_key\` blob,
 *   \`expires\` bigint,
 *   \`due\` bigint,
 *   \`version\` bigint NOT NULL DEFAULT 0,
 *   INDEX (\`due\`)
 * ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
 * `,
 * );
 * ```
 */
export function schema(options: MysqlKvStoreOptions = {}): string {
  const table = quoted(tableNameOf(options.tableName));
  return `${definition(table, MAX_KEY_BYTES)};\n`;
}

/*
 * Bytes are compared as bytes, whatever the collation of the server. `due` is
 * the time at which a sweep looks at the row. It is never later than the expiry,
 * and it may be earlier: it stays when an entry is written again with a later
 * expiry or with none, so that the index seldom changes. `version` changes with
 * every write, so that a write of equal values counts as a change.
 */

/** The SQL that creates a table with a quoted name. */
export function definition(table: string, keyBytes: number): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
  \`key\` varbinary(${keyBytes}) NOT NULL PRIMARY KEY,
  \`value\` longblob NOT NULL,
  \`full_key\` blob,
  \`expires\` bigint,
  \`due\` bigint,
  \`version\` bigint NOT NULL DEFAULT 0,
  INDEX (\`due\`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`;
}

/**
 * Checks the option `tableName`.
 *
 * @throws {TypeError} If it is not a name, or two names with a dot between them.
 */
export function tableNameOf(tableName: unknown = "kv"): TableName {
  return parseTableName(tableName, (name) => {
    // The server takes no others, and cuts off spaces at the end.
    if (name.includes("\0") || /[\ud800-\udfff]| $/.test(name)) {
      return "be without NUL, astral characters and spaces at the end";
    }
    return name.length > MAX_IDENTIFIER
      ? `have at most ${MAX_IDENTIFIER} characters`
      : undefined;
  });
}

/** The name of a table in a statement. */
export function quoted(name: TableName): string {
  return quoteTable(name, "`");
}
