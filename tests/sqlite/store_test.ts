// The conformance suite on SQLite, and what the store reads and writes.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTime } from "../support/fake_time.ts";
import { DatabaseSync } from "node:sqlite";
import { KvCorruptionError, KvError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { conformance } from "../../testing/mod.ts";
import { DatabaseFile } from "./databases.ts";

conformance({
  name: "SqliteKvStore in memory",
  open() {
    const db = new DatabaseSync(":memory:");
    return { store: new SqliteKvStore(db), close: () => db.close() };
  },
});

conformance({
  name: "SqliteKvStore on a file",
  open() {
    const file = new DatabaseFile();
    return {
      store: new SqliteKvStore(file.connect()),
      peer: () => new SqliteKvStore(file.connect()),
      close: () => file[Symbol.dispose](),
    };
  },
});

function rows(db: DatabaseSync): unknown[][] {
  return db.prepare("SELECT key, value FROM kv ORDER BY key").all()
    .map((row) => Object.values(row));
}

Deno.test("SqliteKvStore keeps plain values as JSON that SQL can read", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.set(["users", "https://example.com/@alice"], { name: "Alice" });
  assertEquals(rows(db), [
    ["users!https://example.com/@alice", '{"name":"Alice"}'],
  ]);
  const row = db.prepare("SELECT value ->> 'name' AS name FROM kv").get();
  assertEquals(row?.name, "Alice");
});

Deno.test("SqliteKvStore takes part in the caller's transaction", async () => {
  using file = new DatabaseFile();
  const db = file.connect();
  const other = new SqliteKvStore(file.connect());
  const kv = new SqliteKvStore(db);
  await kv.set(["a"], 1);

  db.exec("BEGIN");
  await Promise.all([kv.set(["a"], 2), kv.set(["b"], 2)]);
  assertEquals(await kv.get(["a"]), 2);
  assertEquals(await other.get(["a"]), 1);
  assert(db.isTransaction);
  db.exec("ROLLBACK");
  assertEquals(await kv.get(["a"]), 1);
  assertEquals(await kv.get(["b"]), undefined);

  db.exec("BEGIN");
  await kv.cas(["a"], 1, 3);
  db.exec("COMMIT");
  assertEquals(await other.get(["a"]), 3);
});

Deno.test("SqliteKvStore leaves the caller's transaction open when a call fails", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.set(["a"], 1);
  db.exec(
    "CREATE TRIGGER refuse BEFORE INSERT ON kv WHEN new.key = 'bad' " +
      "BEGIN SELECT RAISE(FAIL, 'refused'); END",
  );
  db.exec("BEGIN; UPDATE kv SET value = '5' WHERE key = 'a'");
  const results = await Promise.allSettled([
    kv.set(["good"], 1),
    kv.set(["bad"], 1),
    kv.set(["fine"], 1),
  ]);
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assert(db.isTransaction);
  db.exec("COMMIT");
  assertEquals(rows(db), [["a", "5"], ["fine", "1"], ["good", "1"]]);
});

Deno.test("SqliteKvStore writes nothing beside a caller's transaction that an error ended", async () => {
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

for (const effect of ["FAIL", "ABORT", "ROLLBACK"]) {
  Deno.test(`SqliteKvStore keeps a RAISE(${effect}) from its neighbours`, async () => {
    using file = new DatabaseFile();
    const db = file.connect();
    const kv = new SqliteKvStore(db);
    await kv.set(["a"], 1);
    db.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON kv WHEN new.key = 'bad' " +
        `BEGIN SELECT RAISE(${effect}, 'refused'); END`,
    );
    const results = await Promise.allSettled([
      kv.set(["good"], 1),
      kv.set(["bad"], 1),
      kv.cas(["a"], 1, 2),
      kv.get(["a"]),
    ]);
    assertEquals(results.map((result) => result.status), [
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    assertEquals(rows(db), [["a", "2"], ["good", "1"]]);
    assertEquals(db.isTransaction, false);
  });
}

Deno.test("SqliteKvStore tells an undecodable value from its neighbours", async () => {
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

Deno.test("SqliteKvStore keeps stores in different tables apart", async () => {
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

Deno.test("SqliteKvStore refuses a database in UTF-16, whose order is another", async () => {
  using db = new DatabaseSync(":memory:");
  db.exec("PRAGMA encoding = 'UTF-16'");
  await assertRejects(
    () => new SqliteKvStore(db).set(["a"], 1),
    KvError,
    "the database must be encoded in UTF-8: it is UTF-16le",
  );
});

Deno.test("SqliteKvStore rejects calls on a closed database", async () => {
  const db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.set(["a"], 1);
  db.close();
  await assertRejects(() => kv.get(["a"]), KvError, 'Cannot get ["a"]');
  await assertRejects(() => kv.set(["a"], 1), KvError, 'Cannot set ["a"]');
  await assertRejects(() => Array.fromAsync(kv.list()), KvError, "Cannot list");
});

Deno.test("SqliteKvStore reclaims expired entries that nobody touches", async () => {
  using time = new FakeTime();
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await Promise.all(Array.from(
    { length: 10_000 },
    (_, i) => kv.set(["old", `${i}`], i, { ttl: 1_000 }),
  ));
  time.tick(1_000);
  for (let i = 0; i < 2_000; i++) await kv.set(["new", `${i}`], i);
  assertEquals(rows(db).length, 2_000);
});

Deno.test("SqliteKvStore reclaims entries that got another expiry on the way", async () => {
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

for (const where of ["on a file", "in memory"]) {
  Deno.test(`SqliteKvStore makes its table anew when a rollback undid it, ${where}`, async () => {
    for (const calls of [0, 1, 2, 3]) {
      using file = new DatabaseFile();
      using memory = new DatabaseSync(":memory:");
      const db = where === "in memory" ? memory : file.connect();
      const kv = new SqliteKvStore(db);
      db.exec("BEGIN");
      await kv.set(["a"], 1);
      db.exec("ROLLBACK");
      const keys = Array.from({ length: calls }, (_, i) => [`${i}`] as const);
      await Promise.all(keys.map((key) => kv.set(key, 2)));
      assertEquals(await kv.get(["a"]), undefined);
      assertEquals(
        await Array.fromAsync(kv.list()),
        keys.map((key) => ({ key, value: 2 })),
      );
    }
  });
}

Deno.test("SqliteKvStore lists pages of large values in order", async () => {
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
