// Situations that every SQLite client must handle.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvError } from "../../../kv/errors.ts";
import { SqliteKvStore } from "../../../kv/sqlite.ts";
import { FakeTime } from "@std/testing/time";
import type { Connection } from "./client.ts";
import type { Databases } from "./databases.ts";

/** What SQLite's users meet besides the contract. */
export interface Situation {
  readonly name: string;
  run(databases: Databases): Promise<void>;
}

/** Every situation. */
export const situations: readonly Situation[] = [
  ...[0, 500].map((own) => ({
    name: "the event loop goes on while a call waits for a lock, when the " +
      `client has waited for ${own} ms`,
    async run(databases: Databases) {
      const other = databases.connect();
      const db = databases.connect();
      db.exec(`PRAGMA busy_timeout = ${own}`);
      const kv = new SqliteKvStore(db);
      await kv.set(["a"], 1);
      other.exec("BEGIN IMMEDIATE");
      const write = kv.set(["a"], 2);
      const many = Promise.all([kv.set(["b"], 1), kv.cas(["c"], undefined, 1)]);
      await sleep(0);
      let fastest = Infinity;
      // One of several times, as a busy machine may be late anyway.
      const rounds = own > 0 ? 5 : 1;
      for (let round = 0; round < rounds && fastest >= own; round++) {
        const start = performance.now();
        for (let i = 0; i < 10; i++) await sleep(5);
        fastest = Math.min(fastest, performance.now() - start);
      }
      if (own > 0) assert(fastest < own, `${fastest}`);
      assertEquals(value(other, "SELECT value FROM kv WHERE key = 'a'"), "1");
      other.exec("COMMIT");
      await write;
      assertEquals(await many, [undefined, true]);
      assertEquals(await kv.get(["a"]), 2);
      assertEquals(Number(value(db, "PRAGMA busy_timeout")), own);
    },
  })),
  {
    name: "a call gives up on a lock after its busyTimeout",
    async run(databases) {
      const other = databases.connect();
      const db = databases.connect();
      db.exec("PRAGMA busy_timeout = 10");
      const kv = new SqliteKvStore(db, { busyTimeout: 20 });
      await kv.set(["a"], 1);
      other.exec("BEGIN IMMEDIATE");
      for (
        const write of [
          () => kv.set(["a"], 2),
          () => Promise.all([kv.set(["a"], 2), kv.set(["b"], 2)]),
        ]
      ) {
        const error = await assertRejects(write, KvError);
        assertEquals(error.message, 'Cannot set ["a"]: database is locked');
        assert(error.cause instanceof Error);
      }
      assertEquals(await kv.get(["a"]), 1);
      other.exec("ROLLBACK");
      await kv.set(["a"], 3);
      assertEquals(await kv.get(["a"]), 3);
    },
  },
  {
    name: "calls take part in the caller's transaction",
    async run(databases) {
      const db = databases.connect();
      const other = new SqliteKvStore(databases.connect());
      const kv = new SqliteKvStore(db);
      await kv.set(["a"], 1);
      db.exec("BEGIN");
      await Promise.all([kv.set(["a"], 2), kv.set(["b"], 2)]);
      assertEquals(await kv.get(["a"]), 2);
      assertEquals(await other.get(["a"]), 1);
      db.exec("ROLLBACK");
      assertEquals(await kv.get(["a"]), 1);
      assertEquals(await kv.get(["b"]), undefined);
      db.exec("BEGIN");
      assertEquals(await kv.cas(["a"], 1, 3), true);
      db.exec("COMMIT");
      assertEquals(await other.get(["a"]), 3);
    },
  },
  {
    name: "the client's own way to run a transaction is not disturbed",
    async run(databases) {
      const { db, transact } = databases.client.openTransactional(":memory:");
      databases.closing(db);
      db.exec("CREATE TABLE mine (n)");
      const kv = new SqliteKvStore(db);
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 3; i++) {
        transact(() => {
          db.exec(`INSERT INTO mine VALUES (${i})`);
          writes.push(kv.set(["a", `${i}`], i), kv.set(["b", `${i}`], i));
        });
      }
      await Promise.all(writes);
      assertEquals(Number(value(db, "SELECT count(*) FROM mine")), 3);
      assertEquals(Number(value(db, "SELECT count(*) FROM kv")), 6);
    },
  },
  ...["FAIL", "ABORT", "ROLLBACK"].map((effect) => ({
    name: `a RAISE(${effect}) is kept from its neighbours`,
    async run(databases: Databases) {
      const db = databases.connect();
      const kv = new SqliteKvStore(db);
      await kv.set(["a"], 1);
      refuseBad(db, effect);
      const results = await Promise.allSettled([
        kv.set(["good"], 1),
        kv.set(["bad"], 1),
        kv.cas(["a"], 1, 2),
        kv.get(["a"]),
      ]);
      assertEquals(results.map(({ status }) => status), [
        "fulfilled",
        "rejected",
        "fulfilled",
        "fulfilled",
      ]);
      assertEquals(keys(db), "a=2,good=1");
      db.exec("BEGIN; ROLLBACK"); // No transaction is left open.
    },
  })),
  {
    name: "the caller's transaction stays open when a call fails",
    async run(databases) {
      const db = databases.openMemory();
      const kv = new SqliteKvStore(db);
      await kv.set(["a"], 1);
      refuseBad(db, "FAIL");
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
      db.exec("COMMIT");
      assertEquals(keys(db), "a=5,fine=1,good=1");
    },
  },
  ...["on a file", "in memory"].map((where) => ({
    name: `the table is created again when a rollback undid it, ${where}`,
    async run(databases: Databases) {
      const db = where === "in memory"
        ? databases.openMemory()
        : databases.connect();
      for (const calls of [0, 1, 2, 3]) {
        db.exec("DROP TABLE IF EXISTS kv");
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
    },
  })),
  {
    name: "the table is created again when another connection dropped it",
    async run(databases) {
      const other = databases.connect();
      const kv = new SqliteKvStore(databases.connect());
      for (let round = 0; round < 2; round++) {
        await kv.set(["a"], round);
        other.exec("DROP TABLE kv");
        assertEquals(await kv.get(["a"]), undefined);
        assertEquals(await Array.fromAsync(kv.list()), []);
        other.exec("DROP TABLE kv");
        assertEquals(await kv.cas(["a"], undefined, "new"), true);
      }
    },
  },
  {
    name: "a write in the caller's stale transaction is rejected at once",
    async run(databases) {
      const db = databases.connect();
      db.exec("PRAGMA journal_mode = WAL");
      const other = new SqliteKvStore(databases.connect());
      const kv = new SqliteKvStore(db, {
        // Where errors have no code, nothing tells this lock from others.
        busyTimeout: databases.client.hidesCodes ? 20 : 60_000,
      });
      await kv.set(["a"], 1);
      db.exec("BEGIN");
      assertEquals(await kv.get(["a"]), 1);
      await other.set(["a"], 2);
      const results = await Promise.allSettled([
        kv.set(["a"], 3),
        kv.get(["a"]),
        kv.cas(["a"], 1, 3),
      ]);
      assertEquals(results.map(({ status }) => status), [
        "rejected",
        databases.client.hidesCodes ? "rejected" : "fulfilled",
        "rejected",
      ]);
      await assertRejects(() => kv.delete(["a"]), KvError, "locked");
      db.exec("ROLLBACK");
      if (databases.client.staysStale) return;
      assertEquals(await kv.cas(["a"], 2, 3), true);
    },
  },
  {
    name: "calls succeed or fail alone while the caller's iterator is open",
    async run(databases) {
      const db = databases.openMemory();
      const file = databases.connect();
      for (const each of [db, file]) {
        const kv = new SqliteKvStore(each);
        await Promise.all([kv.set(["a"], 1), kv.set(["b"], 2)]);
        const rows = databases.client.iterate?.(each, "SELECT key FROM kv");
        rows?.next();
        const results = await Promise.allSettled([
          kv.get(["a"]),
          kv.set(["c"], 3),
          kv.get(["b"]),
        ]);
        rows?.return?.();
        assertEquals(results[0], { status: "fulfilled", value: 1 });
        assertEquals(results[2], { status: "fulfilled", value: 2 });
        assertEquals(
          await kv.get(["c"]),
          results[1].status === "fulfilled" ? 3 : undefined,
        );
      }
    },
  },
  {
    name: "a table's name may be any text",
    async run(databases) {
      const db = databases.openMemory();
      for (const tableName of ['odd "name"', "select", "Käse 🧀", "名前名前"]) {
        const kv = new SqliteKvStore(db, { tableName });
        await kv.set(["a"], tableName, { ttl: 60_000 });
        assertEquals(await kv.cas(["a"], tableName, 2), true);
        assertEquals(await kv.get(["a"]), 2);
        for await (const entry of kv.list()) {
          assertEquals(entry, { key: ["a"], value: 2 });
        }
        await kv.delete(["a"]);
        assertEquals(await kv.get(["a"]), undefined);
      }
    },
  },
  {
    name: "expired entries that nobody touches are reclaimed",
    async run(databases) {
      const db = databases.openMemory();
      const kv = new SqliteKvStore(db);
      const time = new FakeTime();
      try {
        await Promise.all(Array.from(
          { length: 3_000 },
          (_, i) => kv.set(["old", `${i}`], i, { ttl: 1_000 }),
        ));
        time.tick(1_000);
        for (let i = 0; i < 500; i++) await kv.set(["new", `${i}`], i);
      } finally {
        time[Symbol.dispose]();
      }
      assertEquals(Number(value(db, "SELECT count(*) FROM kv")), 500);
    },
  },
  {
    name: "calls on a closed database are rejected",
    async run(databases) {
      const db = databases.client.open(":memory:");
      const kv = new SqliteKvStore(db);
      await kv.set(["a"], 1);
      db.close();
      const calls = [
        () => kv.get(["a"]),
        () => kv.set(["a"], 1),
        () => Promise.all([kv.set(["a"], 1), kv.get(["b"])]),
        () => kv.list()[Symbol.asyncIterator]().next(),
      ];
      for (const call of calls) {
        const { message } = await assertRejects(call, KvError);
        assert(!message.includes("freed"), message);
      }
    },
  },
];

/** The first column of the first row, whatever a client gives for a row. */
function value(db: Connection, sql: string): unknown {
  return Object.values(db.prepare(sql).get() as object)[0];
}

function keys(db: Connection): unknown {
  return value(
    db,
    "SELECT group_concat(entry) FROM " +
      "(SELECT key || '=' || value AS entry FROM kv ORDER BY key)",
  );
}

function refuseBad(db: Connection, effect: string): void {
  db.exec(
    "CREATE TRIGGER refuse BEFORE INSERT ON kv WHEN new.key = 'bad' " +
      `BEGIN SELECT RAISE(${effect}, 'refused'); END`,
  );
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
