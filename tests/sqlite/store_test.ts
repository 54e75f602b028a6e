// What a store in SQLite reads and writes.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { DatabaseSync } from "node:sqlite";
import { KvCorruptionError, KvError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";

function rows(db: DatabaseSync): unknown[][] {
  return db.prepare("SELECT key, value FROM kv ORDER BY key").all()
    .map((row) => Object.values(row));
}

Deno.test("set() stores plain values as JSON that SQL can read", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.set(["users", "https://example.com/@alice"], { name: "Alice" });
  assertEquals(rows(db), [
    ["users!https://example.com/@alice", '{"name":"Alice"}'],
  ]);
  const row = db.prepare("SELECT value ->> 'name' AS name FROM kv").get();
  assertEquals(row?.name, "Alice");
});

Deno.test("calls write nothing outside a caller's transaction that an error ended", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.set(["before"], 1);
  const pages = Number(db.prepare("PRAGMA page_count").get()?.page_count);
  db.exec(`PRAGMA max_page_count = ${pages + 2}; BEGIN`);
  const results = await Promise.allSettled([
    kv.set(["a"], 1),
    kv.set(["big"], "x".repeat(100_000)),
    kv.set(["c"], 1),
  ]);
  assertEquals(results.map(({ status }) => status), [
    "rejected",
    "rejected",
    "rejected",
  ]);
  assertEquals(db.isTransaction, false);
  assertEquals(rows(db), [["before", "1"]]);
});

Deno.test("a value that cannot be decoded fails only its own calls", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.set(["a"], 1);
  db.exec("INSERT INTO kv (key, value) VALUES ('broken', '{')");
  const results = await Promise.allSettled([
    kv.get(["a"]),
    kv.get(["broken"]),
    kv.cas(["broken"], 1, 2),
    kv.get(["a"]),
  ]);
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  for (const result of [results[1], results[2]]) {
    assert(result?.status === "rejected");
    assert(result.reason instanceof KvCorruptionError);
    assert(result.reason.message.includes('["broken"]'));
  }
  await assertRejects(
    () => Array.fromAsync(kv.list()),
    KvCorruptionError,
    'Cannot list ["broken"]',
  );
  await kv.set(["broken"], "whole");
  assertEquals(await kv.get(["broken"]), "whole");
});

Deno.test("stores in different tables are separate", async () => {
  using db = new DatabaseSync(":memory:");
  const tables = ['odd "name"', "select", "Käse; DROP TABLE kv", "kv"];
  const stores = tables.map((tableName) =>
    new SqliteKvStore(db, { tableName })
  );
  await Promise.all(stores.map((kv, i) => kv.set(["a"], i)));
  for (const [i, kv] of stores.entries()) {
    assertEquals(await Array.fromAsync(kv.list()), [{ key: ["a"], value: i }]);
  }
});

Deno.test("new SqliteKvStore() rejects bad arguments", () => {
  using db = new DatabaseSync(":memory:");
  assertThrows(
    () => new SqliteKvStore({} as DatabaseSync),
    TypeError,
    "db must be a synchronous database of node:sqlite",
  );
  for (const tableName of ["", "sqlite_kv", "a\0b"]) {
    assertThrows(
      () => new SqliteKvStore(db, { tableName }),
      RangeError,
      JSON.stringify(tableName),
    );
  }
  const seven = 7 as unknown as string;
  assertThrows(() => new SqliteKvStore(db, { tableName: seven }), TypeError);
  for (const busyTimeout of [-1, NaN, Infinity]) {
    assertThrows(
      () => new SqliteKvStore(db, { busyTimeout }),
      RangeError,
      `received ${busyTimeout}`,
    );
  }
  const text = "1" as unknown as number;
  assertThrows(() => new SqliteKvStore(db, { busyTimeout: text }), TypeError);
});

Deno.test("a database in UTF-16 is rejected, because its order differs", async () => {
  using db = new DatabaseSync(":memory:");
  db.exec("PRAGMA encoding = 'UTF-16'");
  await assertRejects(
    () => new SqliteKvStore(db).set(["a"], 1),
    KvError,
    "the database must be encoded in UTF-8: it is UTF-16le",
  );
});

Deno.test("expired entries are reclaimed after their expiry changed", async () => {
  using time = new FakeTime();
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  const ttl = 1_000;
  for (const name of ["stays", "later", "sooner", "swapped", "gone"]) {
    await kv.set([name], 0, { ttl });
  }
  await kv.set(["stays"], 1);
  await kv.set(["late"], 1);
  await kv.set(["late"], 2, { ttl });
  await kv.set(["later"], 1, { ttl: 5_000 });
  await kv.set(["sooner"], 1, { ttl: 10 });
  await kv.cas(["swapped"], 0, 1, { ttl: 5_000 });
  await kv.delete(["gone"]);
  await kv.cas(["gone"], undefined, 1, { ttl: 5_000 });

  const keysAfter = async (milliseconds: number) => {
    time.tick(milliseconds);
    await kv.set(["new"], 1);
    return rows(db).map(([key]) => key);
  };
  const [all, others] = [
    ["gone", "late", "later", "new", "stays", "swapped"],
    ["gone", "later", "new", "stays", "swapped"],
  ];
  assertEquals(await keysAfter(500), all);
  assertEquals(await keysAfter(500), others);
  assertEquals(await keysAfter(3_999), others);
  assertEquals(await keysAfter(501), ["new", "stays"]);
});

Deno.test("list() yields large values in order", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  const sizes = Array.from(
    { length: 120 },
    (_, i) => i % 7 === 0 ? 300_000 : i,
  );
  await Promise.all(
    sizes.map((size, i) =>
      kv.set(["v", String(i).padStart(4, "0")], "x".repeat(size))
    ),
  );
  const entries = await Array.fromAsync(kv.list(["v"]));
  assertEquals(entries.map(({ value }) => (value as string).length), sizes);
});
