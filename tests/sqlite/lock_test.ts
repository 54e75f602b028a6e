// Locks that several connections hold; see also clients/situations.ts.
import { assertEquals } from "@std/assert";
import { SqliteKvStore } from "../../kv/sqlite.ts";
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
