/**
 * The table of a PostgreSQL store.
 *
 * @module
 */

import { failure } from "../core/message.ts";
import { KvError } from "../errors.ts";
import { utf8Length } from "../core/key.ts";
import { type Query, queryTwice } from "./client.ts";

/**
 * Options that say which table it is.
 *
 * @example Usage
 * ```ts
 * import type { PostgresKvStoreOptions } from "@org/kv/postgres";
 *
 * const options: PostgresKvStoreOptions = { tableName: "cache.entries" };
 * ```
 */
export interface PostgresKvStoreOptions {
  /**
   * The name of the table, which may have the name of an existing schema and a
   * dot in front. It is quoted, so it is case-sensitive.
   *
   * @default {"kv"}
   */
  readonly tableName?: string;
  /**
   * Whether the table, when it is made, is to be `UNLOGGED`: writes are much
   * cheaper, but the table is empty after a crash of the server, and on its
   * replicas.
   *
   * @default {false}
   */
  readonly unlogged?: boolean;
}

/** The longest identifier that PostgreSQL does not cut off. */
const MAX_IDENTIFIER_BYTES = 63;

/**
 * The SQL that makes the table of a {@linkcode PostgresKvStore}, for those who
 * make it themselves. The store finds the table and sends no DDL then.
 *
 * Compression by LZ4 is several times as fast as the default. Where the server
 * was built without it, or is older than PostgreSQL 14, leave it out: the store
 * operations just as well.
 *
 * @param options The name of the table, and whether it is `UNLOGGED`.
 * @returns Statements, each with a semicolon at its end.
 * @throws {TypeError} If the name is none.
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
 *   expires bigint
 * );
 * CREATE INDEX ON "app"."kv" (expires) WHERE expires IS NOT NULL;
 * `,
 * );
 * ```
 */
export function schema(options: PostgresKvStoreOptions = {}): string {
  return definition(options, " COMPRESSION lz4");
}

function definition(options: PostgresKvStoreOptions, compression: string) {
  const table = quotedName(options.tableName);
  return `CREATE ${options.unlogged ? "UNLOGGED " : ""}TABLE ${table} (
  key text COLLATE "C" PRIMARY KEY,
  value text${compression} NOT NULL,
  full_key text COLLATE "C",
  expires bigint
);
CREATE INDEX ON ${table} (expires) WHERE expires IS NOT NULL;
`;
}

/** Makes the table, unless it is there. */
export async function makeTable(
  query: Query,
  options: PostgresKvStoreOptions,
): Promise<void> {
  const table = quotedName(options.tableName);
  const check = "SELECT to_regclass($1) IS NOT NULL, " +
    "current_setting('server_encoding')";
  const [row] = await queryTwice(query, check, [table]);
  const [exists, encoding] = row as [boolean, string];
  if (encoding !== "UTF8") {
    throw new KvError(
      `Cannot use ${table}: ` +
        `the database must be encoded in UTF8: received ${encoding}`,
    );
  }
  if (exists) return;
  const [lz4] = await queryTwice(
    query,
    "SELECT 1 FROM pg_settings " +
      "WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)",
    [],
  );
  try {
    await query(creation(options, lz4 !== undefined), []);
  } catch (error) {
    // Someone who does not wait for others may have made it just now.
    const [row] = await queryTwice(query, check, [table]);
    if (row![0] !== true) throw failure(`make ${table}`, error);
  }
}

/**
 * One statement that makes the table unless it is there. Processes that do so
 * at once wait for each other, as two `CREATE TABLE IF NOT EXISTS` may fail, and
 * as none must find a table without its index.
 */
function creation(options: PostgresKvStoreOptions, lz4: boolean): string {
  const name = literal(quotedName(options.tableName));
  return `DO ${
    literal(`BEGIN
PERFORM pg_advisory_xact_lock(7738145620);
IF to_regclass(${name}) IS NULL THEN
${definition(options, lz4 ? " COMPRESSION lz4" : "")}END IF;
END`)
  }`;
}

/** The name of the table as it stands in a statement. */
export function quotedName(tableName: unknown = "kv"): string {
  if (typeof tableName !== "string") throw badName(tableName, "be a string");
  const names = tableName.split(".");
  if (names.length > 2) throw badName(tableName, "hold one dot at most");
  for (const name of names) {
    if (name === "") throw badName(tableName, "not be empty");
    if (!name.isWellFormed() || name.includes("\0")) {
      throw badName(tableName, "be well-formed and without NUL");
    }
    if (utf8Length(name) > MAX_IDENTIFIER_BYTES) {
      throw badName(tableName, `take at most ${MAX_IDENTIFIER_BYTES} bytes`);
    }
  }
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join(".");
}

function badName(tableName: unknown, rule: string): TypeError {
  const received = typeof tableName === "string"
    ? JSON.stringify(tableName)
    : `a value of type ${typeof tableName}`;
  return new TypeError(
    `Cannot name a table: each name must ${rule}: received ${received}`,
  );
}

function literal(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("'", "''");
  return `E'${escaped}'`;
}
