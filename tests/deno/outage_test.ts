// Deno KV that is locked, fails, or loses an answer.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { countOwn, DatabaseFile, withCommits } from "./databases.ts";
import { runPrograms } from "../support/programs.ts";

Deno.test("a swap that was sent twice counts as one that was made", async () => {
  using db = await Deno.openKv(":memory:");
  // What the client of a remote database does when the first answer is lost.
  const twice = new DenoKvStore(withCommits(db, async (commit) => {
    await commit();
    return await commit();
  }));
  const kv = new DenoKvStore(db);
  assert(await twice.cas(["a"], undefined, 1));
  assert(await twice.cas(["a"], 1, 2));
  assertEquals(await twice.cas(["a"], 1, 3), false);
  assertEquals(await kv.get(["a"]), 2);
  assert(await twice.cas(["a"], 2, undefined));
  assertEquals(await kv.get(["a"]), undefined);
  const large = "x".repeat(900_000);
  await twice.set(["large"], large);
  assertEquals(await kv.get(["large"]), large);
  assert(await twice.cas(["large"], large, `${large}.`));
  assertEquals(await kv.get(["large"]), `${large}.`);
});

Deno.test("a commit that was not answered has an unknown outcome", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(withCommits(db, async (commit) => {
    await commit();
    throw new Error("connection reset");
  }));
  const large = "x".repeat(300_000);
  const results = await Promise.allSettled([
    kv.set(["a"], 1),
    kv.set(["b"], large),
    kv.cas(["c"], undefined, 1),
    kv.cas(["d"], undefined, large),
    kv.delete(["e"]),
  ]);
  for (const result of results) {
    assert(result.status === "rejected");
    assert(result.reason instanceof KvOutcomeUnknownError);
    assert(result.reason.message.endsWith("connection reset"));
  }
  const reader = new DenoKvStore(db);
  assertEquals(await Array.fromAsync(reader.list()), [
    { key: ["a"], value: 1 },
    { key: ["b"], value: large },
    { key: ["c"], value: 1 },
    { key: ["d"], value: large },
  ]);
});

Deno.test("DenoKvStore tries again while the database is locked", async () => {
  using db = await Deno.openKv(":memory:");
  let locked = 0;
  const client = withCommits(db, (commit) => {
    return locked-- > 0
      ? Promise.reject(new TypeError("database is locked"))
      : commit();
  });
  const kv = new DenoKvStore(client, { busyTimeout: 60_000 });
  for (const times of [1, 3, 6]) {
    locked = times;
    await Promise.all([kv.set(["a"], times), kv.set(["b"], times)]);
    locked = times;
    assert(await kv.cas(["a"], times, -times));
  }
  assertEquals(await kv.get(["a"]), -6);

  const hasty = new DenoKvStore(client, { busyTimeout: 20 });
  locked = Infinity;
  const error = await assertRejects(() => hasty.set(["a"], 2), KvError);
  assertEquals(error.message, 'Cannot set ["a"]: database is locked');
  assert(error.cause instanceof TypeError);
  locked = 0;
  assertEquals(await hasty.get(["a"]), -6);
});

Deno.test("DenoKvStore waits for the lock of another process", async () => {
  using file = new DatabaseFile();
  const kv = new DenoKvStore(await file.open());
  const reader = new DenoKvStore(await file.open());
  await kv.set(["a"], 1);
  // The file may still be busy with its own housekeeping.
  using other = new DatabaseSync(file.path, { timeout: 60_000 });
  other.exec("BEGIN IMMEDIATE");
  const write = kv.set(["a"], 2);
  const swap = kv.cas(["b"], undefined, 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(await reader.get(["a"]), 1);
  other.exec("ROLLBACK");
  await write;
  assert(await swap);
});

Deno.test("three processes lose no increment on one Deno KV file", async () => {
  using file = new DatabaseFile();
  const kv = new DenoKvStore(await file.open());
  await runPrograms(3, "deno_counter.ts", [file.path, "300"]);
  assertEquals(await kv.get(["counter"]), 900);
});

Deno.test("DenoKvStore leaves a few receipts only, which expire", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  for (let i = 0; i < 50; i++) await kv.cas(["a"], i || undefined, i + 1);
  assertEquals(await countOwn(db, "receipt"), 1);
});

Deno.test("DenoKvStore rejects calls on a closed database", async () => {
  const db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  await kv.set(["a"], 1);
  db.close();
  const calls = [
    () => kv.get(["a"]),
    () => kv.set(["a"], 1),
    () => kv.set(["a"], "x".repeat(100_000)),
    () => kv.cas(["a"], 1, 2),
    () => kv.delete(["a"]),
    () => Array.fromAsync(kv.list()),
  ];
  for (const call of calls) {
    const error = await assertRejects(call, KvError, "Cannot ");
    assert(!(error instanceof KvOutcomeUnknownError));
  }
});
