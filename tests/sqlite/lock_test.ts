// Locks that several connections hold; see also clients/situations.ts.
import { assertEquals } from "@std/assert";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvKey } from "../../kv/store.ts";
import { FakeTime } from "@std/testing/time";
import { runPrograms } from "../support/programs.ts";
import { DatabaseFile } from "./databases.ts";

Deno.test("two stores write to one file with a rollback journal", async () => {
  using file = new DatabaseFile();
  const [one, two] = [file.connect(""), file.connect("")];
  const stores = [new SqliteKvStore(one), new SqliteKvStore(two)];
  await Promise.all(
    stores.flatMap((kv, i) =>
      Array.from({ length: 100 }, (_, j) => kv.set([`${i}`, `${j}`], j))
    ),
  );
  assertEquals((await Array.fromAsync(stores[0]!.list())).length, 200);
});

Deno.test("get() does not wait for a lock with the writes of its tick", async () => {
  using file = new DatabaseFile();
  const kv = new SqliteKvStore(file.connect(), { busyTimeout: 50 });
  await kv.set(["a"], 1);
  await kv.set(["b"], 1);
  const other = file.connect();
  other.exec("BEGIN IMMEDIATE");
  const results = await Promise.allSettled([
    kv.get(["a"]),
    kv.set(["b"], 2),
    kv.get(["b"]),
    kv.get(["c"]),
  ]);
  other.exec("ROLLBACK");
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  assertEquals(await kv.get(["b"]), 1);
});

Deno.test("get() does not wait for a commit of its tick that readers hold up", async () => {
  using file = new DatabaseFile();
  const journal = "PRAGMA journal_mode = DELETE";
  const kv = new SqliteKvStore(file.connect(journal), { busyTimeout: 50 });
  await kv.set(["a"], 1);
  const other = file.connect(journal);
  other.exec("BEGIN; SELECT count(*) FROM kv");
  const results = await Promise.allSettled([
    kv.get(["a"]),
    kv.set(["b"], 2),
    kv.get(["b"]),
  ]);
  other.exec("ROLLBACK");
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "rejected",
  ]);
  assertEquals(await kv.get(["b"]), undefined);
});

Deno.test("three processes lose no increment on one SQLite file", async () => {
  using file = new DatabaseFile();
  await runPrograms(3, "sqlite_counter.ts", [file.path, "300"]);
  const kv = new SqliteKvStore(file.connect());
  assertEquals(await kv.get(["counter"]), 900);
});

Deno.test("an entry of SqliteKvStore is not missing if it expires and is overwritten while it is read", async () => {
  using time = new FakeTime();
  using file = new DatabaseFile();
  const writer = new SqliteKvStore(file.connect());
  const db = file.connect();
  let overtake = () => {};
  /** Passes all on to an object, and tells of what its method `name` returns. */
  function observe<T extends object>(
    object: T,
    name: string,
    // deno-lint-ignore no-explicit-any -- the methods have other types each
    then: (answer: any, args: any[]) => unknown,
  ): T {
    return new Proxy(object, {
      get(object, property) {
        const member = Reflect.get(object, property);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const answer = member.apply(object, args);
          return property === name ? then(answer, args) : answer;
        };
      },
    });
  }
  const reader = new SqliteKvStore(
    observe(
      db,
      "prepare",
      (statement, [sql]) =>
        observe(statement, "get", (row) => {
          if (sql.startsWith("SELECT value")) overtake();
          return row;
        }),
    ),
  );
  for (const keys of [[["lease"]], [["lease"], ["other"]]] as KvKey[][]) {
    await writer.set(["lease"], "old", { ttl: 10 });
    overtake = () => {
      // A synchronous client writes when set() is called.
      void writer.set(["lease"], "new");
      overtake = () => {};
      time.tick(20);
    };
    const [value] = await Promise.all(keys.map((key) => reader.get(key)));
    assertEquals(value, "old");
  }
});
