/**
 * The layout of Fedify's SQLite store.
 *
 * @module
 */

import { checkOptions } from "../kv/core/options.ts";
import { PageSize } from "../kv/core/paging.ts";
import type { SqliteDatabase } from "../kv/sqlite.ts";
import { checkClient, prepare } from "../kv/sqlite/client.ts";
import { keyOfJson, NO_KEY } from "./json_key.ts";
import type { MigrationSource, SourceEntry } from "./source.ts";

/**
 * Options of {@linkcode fedifySqlite}.
 *
 * @example Usage
 * ```ts
 * import type { FedifySqliteOptions } from "@org/kv/migrate";
 *
 * const options: FedifySqliteOptions = { tableName: "bot_kv" };
 * ```
 */
export interface FedifySqliteOptions {
  /**
   * The name of the table.
   *
   * @default {"fedify_kv"}
   */
  readonly tableName?: string | undefined;
}

/**
 * Reads the table of a `SqliteKvStore` of Fedify.
 *
 * @param db The database; it may be opened as read-only.
 * @param options The name of the table.
 * @returns The source.
 * @throws {TypeError} If the database or an option is invalid.
 *
 * @example Usage
 * ```ts
 * import { fedifySqlite } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * using db = new DatabaseSync(":memory:");
 * assertEquals(fedifySqlite(db).name, 'the SQLite table "fedify_kv"');
 * ```
 */
export function fedifySqlite(
  db: SqliteDatabase,
  options: FedifySqliteOptions = {},
): MigrationSource {
  checkOptions("migrate from SQLite", options, {
    tableName: { type: "string", must: "be the name of a table" },
  });
  checkClient(db);
  const { tableName = "fedify_kv" } = options;
  const table = `"${tableName.replaceAll('"', '""')}"`;
  return {
    name: `the SQLite table ${table}`,
    notes: [],
    keepsExpiry: true,
    // deno-lint-ignore require-await -- an error must be a rejection
    async count() {
      const row = prepare(db, `SELECT count(*) FROM ${table}`).get();
      return Number(row![0]);
    },
    async *pages({ after, wants }) {
      // A table without "created" is not one of Fedify's.
      const select =
        `SELECT "key", "value", "expires", "created" FROM ${table}`;
      const first = prepare(db, `${select} ORDER BY "key" LIMIT ?`);
      const next = prepare(
        db,
        `${select} WHERE "key" > ? ORDER BY "key" LIMIT ?`,
      );
      const size = new PageSize();
      let cursor: unknown = after;
      while (true) {
        const rows = cursor === undefined
          ? first.all(size.limit)
          : next.all(cursor, size.limit);
        if (rows.length === 0) return;
        let length = 0;
        const entries: SourceEntry[] = [];
        for (const [name, value, expires] of rows) {
          length += String(name).length + String(value).length;
          const entry = entryOf(name, value, expires);
          if (typeof entry.key === "string" || wants(entry.key)) {
            entries.push(entry);
          }
        }
        // Numbers and text sort before blobs, which no checkpoint can point to.
        cursor = rows.at(-1)![0] ?? "";
        yield {
          entries,
          cursor: typeof cursor === "string" ? cursor : undefined,
        };
        size.learn(rows.length, length);
        await nextTurn();
      }
    },
  };
}

function entryOf(name: unknown, value: unknown, expires: unknown): SourceEntry {
  const key = typeof name === "string" ? keyOfJson(name) : undefined;
  if (key === undefined) return { key: String(name), error: NO_KEY };
  if (typeof value !== "string") return { key, error: "its value is not text" };
  if (
    expires !== null && typeof expires !== "bigint" &&
    typeof expires !== "number"
  ) return { key, error: "its expiry is not a number" };
  try {
    return {
      key,
      value: JSON.parse(value),
      expires: expires === null ? undefined : Number(expires),
    };
  } catch {
    return { key, error: "its value is not JSON" };
  }
}

/** Lets the process do other things: SQLite is synchronous. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
