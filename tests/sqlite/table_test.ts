// What the database holds when a store is opened: nothing is read or changed
// that belongs to someone else.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { KvError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";

const ours = "key TEXT PRIMARY KEY NOT NULL, expires REAL, due REAL, value";

/** What is there, under which name a store is opened, and what it says. */
const misfits: Record<string, [string, string, string]> = {
  "a table of Keyv": [
    "CREATE TABLE keyv (key VARCHAR(255) PRIMARY KEY, value TEXT)",
    "keyv",
    "it looks like a table of Keyv; use another tableName",
  ],
  "a table of Keyv with expiries": [
    "CREATE TABLE keyv (key TEXT PRIMARY KEY, value TEXT, expires INTEGER)",
    "keyv",
    "its columns are key TEXT PRIMARY KEY, value TEXT, expires INTEGER",
  ],
  "a table of Fedify": [
    "CREATE TABLE fedify_kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, " +
    "created INTEGER NOT NULL, expires INTEGER)",
    "fedify_kv",
    "it is a table of Fedify's SqliteKvStore; use another tableName, and copy " +
    "the entries with @org/kv/migrate",
  ],
  "a table whose name differs in case": [
    `CREATE TABLE Bob (${ours} NOT NULL)`,
    "bob",
    'the table "Bob" exists: use it by that name',
  ],
  "a view": [
    "CREATE VIEW kv AS SELECT 'a' AS key, '1' AS value, 0 AS expires, 0 AS due",
    "kv",
    '"kv" is a view, not a table',
  ],
  "an index of another store": [
    `CREATE TABLE kv (${ours}); CREATE INDEX kv_due ON kv (due)`,
    "kv_due",
    '"kv_due" is an index of "kv", not a table',
  ],
  "a table with the name of its index": [
    "CREATE TABLE kv_due (mine)",
    "kv",
    'that name belongs to the table "kv_due"',
  ],
  "an index of another table with the name of its index": [
    "CREATE TABLE mine (due); CREATE INDEX KV_DUE ON mine (due)",
    "kv",
    'that name belongs to an index of "mine"',
  ],
  "an index by another column": [
    `CREATE TABLE kv (${ours}); CREATE INDEX kv_due ON kv (expires)`,
    "kv",
    'its index "kv_due" is not an index by due',
  ],
  "a table WITHOUT ROWID": [
    `CREATE TABLE kv (${ours}) WITHOUT ROWID`,
    "kv",
    "it is a table WITHOUT ROWID",
  ],
  "a virtual table": [
    "CREATE VIRTUAL TABLE kv USING fts5 (key, expires, due, value)",
    "kv",
    "it is a virtual table",
  ],
  "a table without a primary key": [
    "CREATE TABLE kv (key TEXT UNIQUE, expires REAL, due REAL, value)",
    "kv",
    "its columns are key TEXT, expires REAL, due REAL, value",
  ],
  "a key that is not text": [
    "CREATE TABLE kv (key BLOB PRIMARY KEY, expires REAL, due REAL, value)",
    "kv",
    "its columns are key BLOB PRIMARY KEY",
  ],
  "keys that ignore case": [
    "CREATE TABLE kv (key TEXT COLLATE NOCASE PRIMARY KEY, expires REAL, " +
    "due REAL, value)",
    "kv",
    "its keys are compared by NOCASE",
  ],
  "values that turn into numbers": [
    "CREATE TABLE kv (key TEXT PRIMARY KEY, expires REAL, due REAL, value JSON)",
    "kv",
    "value JSON",
  ],
  "another column that must be given": [
    `CREATE TABLE kv (${ours}, owner TEXT NOT NULL)`,
    "kv",
    "owner TEXT",
  ],
  "a unique column": [
    `CREATE TABLE kv (${ours} UNIQUE)`,
    "kv",
    "it has the unique index",
  ],
};

for (const [what, [sql, tableName, message]] of Object.entries(misfits)) {
  Deno.test(`${what} is rejected, and stays as it is`, async () => {
    using db = new DatabaseSync(":memory:");
    db.exec(sql);
    const schema = () => db.prepare("SELECT * FROM sqlite_master").all();
    const before = schema();
    const kv = new SqliteKvStore(db, { tableName });
    for (
      const [action, call] of [
        ["get", () => kv.get(["a"])],
        ["set", () => kv.set(["a"], 1)],
        ["delete", () => kv.delete(["a"])],
        ["cas", () => kv.cas(["a"], undefined, 1)],
        ["list", () => Array.fromAsync(kv.list())],
      ] as const
    ) {
      const error = await assertRejects(call, KvError);
      assertEquals(error.name, "KvError");
      assert(error.message.startsWith(`Cannot ${action} [`), error.message);
      assert(error.message.includes(tableName), error.message);
      assert(error.message.includes(message), error.message);
    }
    assertEquals(schema(), before);
  });
}

Deno.test("a table of the same name that is temporary or attached is left alone", async () => {
  using db = new DatabaseSync(":memory:");
  db.exec("ATTACH ':memory:' AS other");
  for (const schema of ["temp", "other"]) {
    db.exec(
      `CREATE TABLE ${schema}.kv (${ours}); ` +
        `INSERT INTO ${schema}.kv (key, value) VALUES ('a', '"theirs"')`,
    );
  }
  const kv = new SqliteKvStore(db);
  assertEquals(await kv.get(["a"]), undefined);
  await kv.set(["a"], 1);
  assertEquals(await kv.get(["a"]), 1);
  db.exec("DROP TABLE main.kv");
  assertEquals(await kv.get(["a"]), undefined);
  await kv.delete(["a"]);
  for (const schema of ["temp", "other"]) {
    const row = db.prepare(`SELECT value FROM ${schema}.kv`).get();
    assertEquals(row?.value, '"theirs"');
  }
});

Deno.test("a table made by hand may have other columns, indexes and triggers", async () => {
  using db = new DatabaseSync(":memory:");
  db.exec(`
    CREATE TABLE log (key TEXT);
    CREATE TABLE kv (
      key text NOT NULL PRIMARY KEY, value NOT NULL, expires real, due real,
      touched TEXT DEFAULT CURRENT_TIMESTAMP, size AS (length(value))
    );
    CREATE INDEX by_size ON kv (size);
    CREATE TRIGGER logs AFTER INSERT ON kv
      BEGIN INSERT INTO log VALUES (new.key); END`);
  const kv = new SqliteKvStore(db);
  await kv.set(["a"], 1, { ttl: 60_000 });
  assertEquals(await kv.cas(["a"], 1, 2), true);
  assertEquals(await Array.fromAsync(kv.list()), [{ key: ["a"], value: 2 }]);
  assertEquals(db.prepare("SELECT key FROM log").all().length, 1);
});
