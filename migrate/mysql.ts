/**
 * The layout of Fedify's MySQL store, and that of Ghost's ActivityPub server.
 *
 * @module
 */

import { checkOptions } from "../kv/core/options.ts";
import { PageSize } from "../kv/core/paging.ts";
import type { MysqlCallbackClient, MysqlPromiseClient } from "../kv/mysql.ts";
import { type Column, type Parameter, queryOf } from "../kv/mysql/client.ts";
import { triage } from "../kv/mysql/errors.ts";
import { quoted, tableNameOf } from "../kv/mysql/schema.ts";
import { readTwice } from "../kv/sql/errors.ts";
import { keyOfJson, NO_KEY } from "./json_key.ts";
import type { MigrationSource, SourceEntry } from "./source.ts";

/**
 * Options of {@linkcode fedifyMysql}.
 *
 * @example Usage
 * ```ts
 * import type { FedifyMysqlOptions } from "@org/kv/migrate";
 *
 * const ghost: FedifyMysqlOptions = { tableName: "key_value" };
 * ```
 */
export interface FedifyMysqlOptions {
  /**
   * The name of the table, with or without the one of a database and a dot;
   * `key_value` for Ghost's ActivityPub server.
   *
   * @default {"fedify_kv"}
   */
  readonly tableName?: string | undefined;
}

/**
 * Reads the table of a `MysqlKvStore` of Fedify, or the table `key_value` of
 * Ghost's ActivityPub server, in MySQL or MariaDB.
 *
 * Expiries are stored in the time zone of the session that wrote them. Give the
 * client the session settings that the server's client had, and leave its charset at
 * `utf8mb4`.
 *
 * @param pool A pool or connection of `mysql2` or `mysql2/promise`.
 * @param options The name of the table.
 * @returns The source.
 * @throws {TypeError} If the client or an option is invalid.
 *
 * @example Usage
 * ```ts ignore
 * import { fedifyMysql, migrate } from "@org/kv/migrate";
 * import { createPool } from "mysql2/promise";
 *
 * const pool = createPool("mysql://localhost/ghost");
 * await migrate(fedifyMysql(pool, { tableName: "key_value" }), kv);
 * ```
 */
export function fedifyMysql(
  pool: MysqlCallbackClient | MysqlPromiseClient,
  options: FedifyMysqlOptions = {},
): MigrationSource {
  checkOptions("migrate from MySQL", options, {
    tableName: { type: "string", must: "be the name of a table" },
  });
  const table = quoted(tableNameOf(options.tableName ?? "fedify_kv"));
  const run = queryOf(pool);
  async function query(sql: string, cursor?: string) {
    // A string, unlike bytes, compares by the collation of the column.
    const parameters = (cursor === undefined ? [] : [cursor]) as unknown[];
    const { rows } = await readTwice(
      triage,
      () => run(sql, parameters as Parameter[]),
    );
    return rows.map((row) => row.map(textOf));
  }
  return {
    name: `the MySQL table ${table}`,
    notes: [],
    keepsExpiry: true,
    async count() {
      const rows = await query(
        `SELECT CAST(COUNT(*) AS CHAR) FROM ${table}`,
      );
      return Number(rows[0]![0]);
    },
    async *pages({ after, wants }) {
      const size = new PageSize();
      let cursor = after;
      while (true) {
        const rows = await query(
          pageStatement(table, size.limit, cursor !== undefined),
          cursor,
        );
        if (rows.length === 0) return;
        let length = 0;
        const entries: SourceEntry[] = [];
        for (const row of rows) {
          length += row[0]!.length + (row[1]?.length ?? 0);
          const entry = entryOf(row);
          if (typeof entry.key === "string" || wants(entry.key)) {
            entries.push(entry);
          }
        }
        cursor = rows.at(-1)![0]!;
        yield { entries, cursor };
        size.learn(rows.length, length);
      }
    },
  };
}

/*
 * All columns are bytes of UTF-8, which no option of a client changes. An expiry is
 * told as the distance from now in the session's time zone, which is what the store
 * that wrote it compares, plus the time of the server.
 */
function pageStatement(
  table: string,
  limit: number,
  continues: boolean,
): string {
  return `
SELECT CAST(CONVERT(t.\`key\` USING utf8mb4) AS BINARY),
  CAST(CAST(t.\`value\` AS CHAR CHARACTER SET utf8mb4) AS BINARY),
  CAST(
    TIMESTAMPDIFF(MICROSECOND, NOW(6), t.\`expires\`) / 1000
      + UNIX_TIMESTAMP(NOW(6)) * 1000
    AS CHAR
  )
FROM ${table} AS t
${continues ? "WHERE t.`key` > ?" : ""}
ORDER BY t.\`key\` LIMIT ${limit}`;
}

function textOf(column: Column): string | null {
  return column === null ? null : column.toString();
}

function entryOf([name, text, expires]: (string | null)[]): SourceEntry {
  const key = keyOfJson(name!);
  if (key === undefined) return { key: name!, error: NO_KEY };
  try {
    const value = unwrapped(JSON.parse(text ?? "null"));
    return expires === null || expires === undefined
      ? { key, value }
      : { key, value, expires: Number(expires) };
  } catch {
    return { key, error: "its value is not JSON" };
  }
}

/** The member in which Ghost stores a boolean. */
const BOOLEAN = "@@BOOLEAN@@";

function unwrapped(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const names = Object.keys(value);
  const inner = (value as Record<string, unknown>)[BOOLEAN];
  return names.length === 1 && typeof inner === "boolean" ? inner : value;
}
