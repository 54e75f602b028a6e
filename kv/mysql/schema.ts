/**
 * The table of a MySQL store: its name and its definition.
 *
 * @module
 */

import type { MysqlKvStoreOptions } from "./options.ts";

/** The name of a table. */
export interface TableName {
  /** The database; `undefined` for the one that the connection uses. */
  readonly database: string | undefined;
  /** The table. */
  readonly name: string;
}

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
  if (typeof tableName !== "string") throw badName(tableName, "be a string");
  const names = tableName.split(".");
  if (names.length > 2) throw badName(tableName, "hold one dot at most");
  for (const name of names) {
    if (name === "") throw badName(tableName, "not be empty");
    // The server takes no others, and cuts off spaces at the end.
    if (name.includes("\0") || /[\ud800-\udfff]| $/.test(name)) {
      throw badName(
        tableName,
        "be without NUL, astral characters and spaces at the end",
      );
    }
    if (name.length > MAX_IDENTIFIER) {
      throw badName(tableName, `have at most ${MAX_IDENTIFIER} characters`);
    }
  }
  return { name: names.pop()!, database: names[0] };
}

function badName(tableName: unknown, rule: string): TypeError {
  const received = typeof tableName === "string"
    ? JSON.stringify(tableName)
    : `a value of type ${typeof tableName}`;
  return new TypeError(
    `Cannot name a table: each name must ${rule}: received ${received}`,
  );
}

/** The name of a table in a statement. */
export function quoted({ database, name }: TableName): string {
  return (database === undefined ? [name] : [database, name])
    .map((name) => `\`${name.replaceAll("`", "``")}\``).join(".");
}
