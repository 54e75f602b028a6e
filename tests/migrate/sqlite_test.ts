// Migrating from Fedify's SQLite table.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { fedifySqlite, migrate } from "../../migrate/mod.ts";
import { KvError, MemoryKvStore } from "../../mod.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { DatabaseFile } from "../sqlite/databases.ts";
import { assertHas, entries, type Expected } from "./entries.ts";

/** The layout as Fedify creates it. */
function createTable(db: DatabaseSync, table = "fedify_kv"): void {
  db.exec(`
    CREATE TABLE "${table}" (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL,
      created INTEGER NOT NULL,
      expires INTEGER
    );
    CREATE INDEX "idx_${table}_expires" ON "${table}" (expires)`);
}

/** Writes entries as Fedify does; some expiries are fractional there. */
function fill(db: DatabaseSync, table = "fedify_kv"): Expected {
  const expected: Expected = new Map();
  const insert = db.prepare(`INSERT INTO "${table}" VALUES (?, ?, ?, ?)`);
  db.exec("BEGIN");
  for (const [i, { key, value, ttl }] of entries(["\0", "\x1f"]).entries()) {
    const now = Date.now();
    const expires = ttl && now + ttl.total("milliseconds") + (i % 3) / 4;
    const id = JSON.stringify(key);
    insert.run(id, JSON.stringify(value), now, expires ?? null);
    expected.set(id, { value, ...expires === undefined ? {} : { expires } });
  }
  insert.run('["expired"]', "1", 0, Date.now() - 1);
  db.exec("COMMIT");
  return expected;
}

function dump(db: DatabaseSync): unknown[] {
  return db.prepare("SELECT * FROM fedify_kv ORDER BY key").all();
}

Deno.test("every entry arrives from Fedify's SQLite table, which is unchanged", async () => {
  using file = new DatabaseFile();
  const db = file.connect();
  createTable(db);
  const expected = fill(db);
  const before = dump(db);
  const readOnly = new DatabaseSync(file.path, { readOnly: true });
  try {
    const target = new MemoryKvStore();
    const source = fedifySqlite(readOnly);
    const summary = await migrate(source, target, { verify: true });
    assertEquals(summary.read, expected.size + 1);
    assertEquals(summary.written, expected.size);
    assertEquals(summary.expired, 1);
    assertEquals(summary.skippedEntries, []);
    assertEquals(summary.different, []);
    await assertHas(target, expected, 1);
    assertEquals(await source.count!([]), expected.size + 1);
  } finally {
    readOnly.close();
  }
  assertEquals(dump(db), before);
});

Deno.test("a table of another name is read", async () => {
  using db = new DatabaseSync(":memory:");
  createTable(db, 'a "b"'.replaceAll('"', '""'));
  db.exec(`INSERT INTO "a ""b""" VALUES ('["a"]', '1', 0, NULL)`);
  const target = new MemoryKvStore();
  await migrate(fedifySqlite(db, { tableName: 'a "b"' }), target);
  assertEquals(await target.get(["a"]), 1);
});

Deno.test("a missing table, and one of another layout, reject", async () => {
  using db = new DatabaseSync(":memory:");
  await assertRejects(
    () => migrate(fedifySqlite(db), new MemoryKvStore()),
    KvError,
    'Cannot read the SQLite table "fedify_kv": no such table: fedify_kv',
  );
  await new SqliteKvStore(db).set(["a"], 1);
  await assertRejects(
    () => migrate(fedifySqlite(db, { tableName: "kv" }), new MemoryKvStore()),
    KvError,
    'Cannot read the SQLite table "kv"',
  );
});

Deno.test("damaged entries are reported with their keys, and all others arrive", async () => {
  using db = new DatabaseSync(":memory:");
  createTable(db);
  const expected = fill(db);
  const insert = db.prepare("INSERT INTO fedify_kv VALUES (?, ?, 0, ?)");
  insert.run('["damaged","value"]', "{", null);
  insert.run('["damaged","expiry"]', "1", "soon");
  insert.run('["damaged","\\ud800"]', "1", null);
  insert.run('["damaged" ]', "1", null);
  insert.run("[1]", "1", null);
  insert.run("[]", "1", null);
  insert.run("no JSON", "1", null);
  insert.run(new Uint8Array([1]), "1", null);
  const target = new MemoryKvStore();
  const { skippedEntries, skipped, written, prefixes } = await migrate(
    fedifySqlite(db),
    target,
    { verify: true },
  );
  assertEquals([written, skipped], [expected.size, 8]);
  await assertHas(target, expected, 1);
  const reasons = new Map(
    skippedEntries.map(({ key, reason }) => [JSON.stringify(key), reason]),
  );
  assertEquals(reasons.get('["damaged","value"]'), "its value is not JSON");
  assertEquals(
    reasons.get('["damaged","expiry"]'),
    "its expiry is not a number",
  );
  assert(reasons.get('["damaged","\\ud800"]')?.includes("a lone surrogate"));
  for (const name of ['["damaged" ]', "[1]", "[]", "no JSON"]) {
    assertEquals(
      reasons.get(JSON.stringify(name)),
      "its name is not the JSON of a key",
    );
  }
  const damaged = prefixes.find(({ prefix }) => prefix[0] === "damaged");
  assertEquals([damaged?.read, damaged?.skipped], [3, 3]);
  await assertRejects(
    () =>
      migrate(fedifySqlite(db), new MemoryKvStore(), {
        onDamaged: "fail",
        prefix: ["damaged"],
      }),
    KvError,
    'Cannot migrate ["damaged",',
  );
});

Deno.test("a migration killed with -9 three times and resumed loses nothing", async () => {
  for (const resume of ["cursor", "start"]) {
    using file = new DatabaseFile();
    const db = file.connect();
    createTable(db);
    const expected = fill(db);
    const before = dump(db);
    const target = `${file.path}.target`;
    let cursor = "";
    for (const pages of [1, 2, 3]) {
      const args = [file.path, target, resume === "start" ? "" : cursor];
      cursor = await killAfter(pages, args) ?? cursor;
    }
    assertEquals(dump(db), before);
    const kv = new DatabaseSync(target);
    try {
      const store = new SqliteKvStore(kv);
      const had = await store.count();
      assert(had > 0 && had < expected.size, `${had} entries before the end`);
      const { written, kept } = await migrate(fedifySqlite(db), store, {
        ...resume === "cursor" ? { after: cursor } : {},
      });
      if (resume === "start") assertEquals(kept, had);
      assertEquals(written, expected.size - had);
      await assertHas(store, expected, 1);
    } finally {
      kv.close();
    }
  }
});

/** Runs a migration until it has read some pages, and kills it. */
async function killAfter(
  pages: number,
  args: string[],
): Promise<string | undefined> {
  const path = new URL("./program.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", path, `${pages}`, ...args],
    stdout: "piped",
  }).spawn();
  let cursor: string | undefined;
  let output = "";
  for await (const bytes of child.stdout) {
    output += new TextDecoder().decode(bytes);
    if (output.includes("ready\n")) child.kill("SIGKILL");
  }
  assertEquals((await child.status).signal, "SIGKILL");
  for (const line of output.split("\n")) {
    if (line.startsWith("cursor ")) cursor = JSON.parse(line.slice(7));
  }
  return cursor;
}
