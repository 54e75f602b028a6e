// Clients that the store rejects when it is created.
import { assertEquals, assertThrows } from "@std/assert";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import PromiseDatabase from "libsql/promise";
import initSqlJs from "sql.js";
import { DatabaseSync } from "node:sqlite";
import { SqliteKvStore } from "../../kv/sqlite.ts";

/** The shape of node-sqlite3 and its statements, which answer by callbacks. */
class CallbackDatabase {
  prepare() {
    const statement = {
      run: () => statement,
      get: () => statement,
      all: () => statement,
    };
    return statement;
  }
}

const unsupported: Record<string, () => Promise<unknown>> = {
  "node-sqlite3": () => Promise.resolve(new CallbackDatabase()),
  "drizzle": () =>
    Promise.resolve(drizzle(() => Promise.resolve({ rows: [] }))),
  "sql.js": async () => new (await initSqlJs()).Database(),
  "@libsql/client": () => Promise.resolve(createClient({ url: ":memory:" })),
  "libsql/promise": () => Promise.resolve(new PromiseDatabase(":memory:", {})),
  "a path": () => Promise.resolve("kv.db"),
  "null": () => Promise.resolve(null),
  "nothing": () => Promise.resolve(undefined),
};

for (const [name, open] of Object.entries(unsupported)) {
  Deno.test(`new SqliteKvStore() rejects ${name}`, async () => {
    const db = await open();
    const error = assertThrows(
      () => new SqliteKvStore(db as DatabaseSync),
      TypeError,
      "Cannot create a SqliteKvStore: db must be a synchronous database of " +
        "node:sqlite, bun:sqlite, better-sqlite3, libsql or @db/sqlite: received ",
    );
    assertEquals(error.name, "TypeError");
    (db as { close?(): void } | undefined)?.close?.();
  });
}

Deno.test("new SqliteKvStore() takes a closed database, whose calls reject", () => {
  const db = new DatabaseSync(":memory:");
  db.close();
  new SqliteKvStore(db);
});
