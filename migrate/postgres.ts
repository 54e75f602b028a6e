/**
 * The layouts of Fedify's PostgreSQL store.
 *
 * @module
 */

import { checkOptions } from "../kv/core/options.ts";
import { PageSize } from "../kv/core/paging.ts";
import { type PostgresClient, queryOf } from "../kv/postgres/client.ts";
import { triage } from "../kv/postgres/errors.ts";
import type { Query, Text } from "../kv/postgres/query.ts";
import { quoted, tableNameOf } from "../kv/postgres/schema.ts";
import { readTwice } from "../kv/sql/errors.ts";
import { isKey } from "./json_key.ts";
import type { MigrationSource, SourceEntry } from "./source.ts";

/**
 * Options of {@linkcode fedifyPostgres}.
 *
 * @example Usage
 * ```ts
 * import type { FedifyPostgresOptions } from "@org/kv/migrate";
 *
 * const options: FedifyPostgresOptions = { tableName: "fedify_kv" }; // of Fedify 0.1
 * ```
 */
export interface FedifyPostgresOptions {
  /**
   * The name of the table, with or without the one of a schema and a dot. Fedify
   * 0.1 called it `fedify_kv`.
   *
   * @default {"fedify_kv_v2"}
   */
  readonly tableName?: string | undefined;
  /**
   * Whether values that are JSON strings contain JSON. Fedify 0.1 wrote all values
   * so, and later versions did with some clients. By default the table tells: it
   * is so if all its values are strings, or if a string contains the JSON of an
   * object or an array. Set it to `false` if you stored such strings yourself.
   */
  readonly doubleEncoded?: boolean | undefined;
}

/** How many strings to look at to find out whether they contain JSON. */
const SAMPLE = 100;

/**
 * Reads the table of a `PostgresKvStore` of Fedify, 0.1 or later.
 *
 * Its TTLs may have days, months and years, which PostgreSQL adds in the time
 * zone of the session. Give the client the settings that Fedify's had.
 *
 * @param sql The client: postgres.js, pg or PGlite.
 * @param options The name of the table.
 * @returns The source.
 * @throws {TypeError} If the client or an option is invalid.
 *
 * @example Usage
 * ```ts
 * import { fedifyPostgres } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 * import postgres from "postgres";
 *
 * const sql = postgres("postgres://localhost/app");
 * const source = fedifyPostgres(sql, { tableName: "bot.fedify_kv_v2" });
 * assertEquals(source.name, 'the PostgreSQL table "bot"."fedify_kv_v2"');
 * ```
 */
export function fedifyPostgres(
  sql: PostgresClient,
  options: FedifyPostgresOptions = {},
): MigrationSource {
  checkOptions("migrate from PostgreSQL", options, {
    tableName: { type: "string", must: "be the name of a table" },
    doubleEncoded: { type: "boolean", must: "be a boolean" },
  });
  const table = quoted(tableNameOf(options.tableName ?? "fedify_kv_v2"));
  const run = queryOf(sql, true);
  const query: Query = (statement, parameters) =>
    readTwice(triage, () => run(statement, parameters));
  return {
    name: `the PostgreSQL table ${table}`,
    notes: [],
    keepsExpiry: true,
    async count() {
      const { rows } = await query(`SELECT count(*)::text FROM ${table}`, []);
      return Number(rows[0]![0]);
    },
    async *pages({ after, wants }) {
      const isDouble = options.doubleEncoded ??
        await isDoubleEncoded(query, table);
      const size = new PageSize();
      let cursor = after;
      while (true) {
        const { rows } = await query(
          pageStatement(table, cursor !== undefined),
          [`${size.limit}`, ...cursor === undefined ? [] : [cursor]],
        );
        if (rows.length === 0) return;
        let length = 0;
        const entries: SourceEntry[] = [];
        for (const row of rows) {
          length += row[0]!.length + row[2]!.length;
          const entry = entryOf(row, isDouble);
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
 * All columns and parameters are text, which no option of a client changes. The
 * order names the table, as "key" alone would mean the column of text. A TTL of
 * more than 100,000 years would end past the last timestamp.
 */
function pageStatement(table: string, continues: boolean): string {
  return `
SELECT "key"::text, array_to_json("key")::text, "value"::text,
  CASE
    WHEN ttl IS NULL OR ttl >= interval '100000 years' OR NOT isfinite(created)
    THEN NULL
    ELSE coalesce(
      (extract(epoch FROM created + ttl)::numeric * 1000)::text,
      'unknown'
    )
  END
FROM ${table} AS t
${continues ? 'WHERE t."key" > $2::text::text[]' : ""}
ORDER BY t."key" LIMIT $1::text::bigint`;
}

async function isDoubleEncoded(query: Query, table: string): Promise<boolean> {
  const strings = await query(
    `SELECT "value" #>> '{}' FROM ${table}
WHERE jsonb_typeof("value") = 'string' AND left("value" #>> '{}', 1) IN ('{', '[')
LIMIT ${SAMPLE}`,
    [],
  );
  if (strings.rows.some(([text]) => parse(text!) !== undefined)) return true;
  const others = await query(
    `SELECT '' FROM ${table} WHERE jsonb_typeof("value") <> 'string' LIMIT 1`,
    [],
  );
  return others.rows.length === 0;
}

function entryOf(
  [name, json, text, expires]: readonly Text[],
  isDouble: boolean,
): SourceEntry {
  const key: unknown = JSON.parse(json!);
  if (!isKey(key)) {
    return { key: name!, error: "its key is not an array of strings" };
  }
  if (expires === "unknown") {
    return { key, error: "it has a TTL, but no time of creation" };
  }
  let value: unknown = JSON.parse(text!);
  if (isDouble && typeof value === "string") {
    const inner = parse(value);
    if (inner !== undefined) value = inner;
  }
  return typeof expires === "string"
    ? { key, value, expires: Number(expires) }
    : { key, value };
}

/** Parses JSON; any other text is `undefined`. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
