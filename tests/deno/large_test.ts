// Values in Deno KV that take more than one entry.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvError } from "../../kv/errors.ts";
import type { KvKey } from "../../kv/store.ts";
import { countOwn, DatabaseFile, HOUR, withCommits } from "./databases.ts";
import { FakeTime } from "@std/testing/time";

Deno.test("values of 70 KB, 900 KB and 5 MB are never seen half", async () => {
  using file = new DatabaseFile();
  const writer = new DenoKvStore(await file.open());
  const reader = new DenoKvStore(await file.open());
  for (const size of [70_000, 900_000, 5_000_000]) {
    const versions = ["a", "b"].map((letter) => letter.repeat(size));
    await writer.set(["large"], versions[0]);
    let writing = true;
    const reading = (async () => {
      let reads = 0;
      for (; writing || reads < 2; reads++) {
        const value = await reader.get<string>(["large"]);
        const [entry] = await Array.fromAsync(reader.list());
        assert(value === versions[0] || value === versions[1]);
        assert(versions.includes(entry!.value as string));
      }
    })();
    for (let i = 1; i <= 6; i++) {
      await writer.set(["large"], versions[i % 2]);
    }
    const current = versions[0]!;
    assert(await writer.cas(["large"], current, versions[1]));
    assertEquals(await writer.cas(["large"], current, versions[1]), false);
    writing = false;
    await reading;
  }
});

Deno.test("DenoKvStore deletes the chunks of values that were replaced", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const large = "x".repeat(900_000);
  await kv.set(["kept"], large);
  const perValue = await countOwn(db, "chunk");
  assertEquals(perValue, 15);
  await kv.set(["kept"], large);
  await kv.cas(["kept"], large, `${large}.`);
  assertEquals(await countOwn(db, "chunk"), perValue);

  const gone = Array.from({ length: 20 }, (_, i): KvKey => ["gone", `${i}`]);
  for (const key of gone) await kv.set(key, large, { ttl: HOUR });
  assertEquals(await countOwn(db, "chunk"), 21 * perValue);
  for (const key of gone.slice(0, 10)) await kv.set(key, "small");
  for (const key of gone.slice(10)) await kv.delete(key);
  for (let i = 0; i < 5; i++) await kv.set(["another"], `${i}`.repeat(70_000));
  assertEquals(await countOwn(db, "large"), 2);
  assertEquals(await countOwn(db, "chunk"), perValue + 2);
  time.tick(1);
  assertEquals(await kv.get(["kept"]), `${large}.`);
});

Deno.test("a write that dies halfway leaves the old value, and no garbage", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const old = "old".repeat(300_000);
  await kv.set(["a"], old);
  const chunks = await countOwn(db, "chunk");

  let commits = 0;
  const rejecting = new DenoKvStore(withCommits(db, (commit) => {
    return ++commits === 3 ? Promise.reject(new TypeError("no")) : commit();
  }));
  await assertRejects(() => rejecting.set(["a"], "x".repeat(3e6)), KvError);
  assertEquals(await kv.get(["a"]), old);
  assertEquals(await countOwn(db, "chunk"), chunks);

  for (const call of ["set", "cas"] as const) {
    let commits = 0;
    const dying = new DenoKvStore(withCommits(db, (commit) => {
      return ++commits > 3 ? Promise.reject(new TypeError("dead")) : commit();
    }));
    const value = "x".repeat(3e6);
    await assertRejects(
      () =>
        call === "set" ? dying.set(["a"], value) : dying.cas(["a"], old, value),
      KvError,
      "dead",
    );
  }
  assertEquals(await kv.get(["a"]), old);
  assertEquals(await countOwn(db, "large"), 3);
  assert(await countOwn(db, "chunk") > chunks);
  for (let i = 0; i < 3; i++) await kv.set(["b"], `${i}`.repeat(70_000));
  assertEquals(await countOwn(db, "large"), 4, "they might be under way");
  time.tick(HOUR + 1);
  for (let i = 0; i < 3; i++) await kv.set(["b"], `${i}`.repeat(70_000));
  assertEquals(await countOwn(db, "large"), 2);
  assertEquals(await countOwn(db, "chunk"), chunks + 2);
  assertEquals(await kv.get(["a"]), old);
});

Deno.test("a write whose chunks were given up is rejected and changes nothing", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const other = new DenoKvStore(db);
  await other.set(["a"], "old");
  let commits = 0;
  const slow = new DenoKvStore(withCommits(db, async (commit) => {
    if (++commits === 3) {
      time.tick(HOUR + 1);
      for (let i = 0; i < 3; i++) await other.set(["b"], "b".repeat(70_000));
    }
    return commit();
  }));
  await assertRejects(
    () => slow.set(["a"], "x".repeat(900_000)),
    KvError,
    "more than an hour",
  );
  assertEquals(await other.get(["a"]), "old");
  assertEquals(await countOwn(db, "large"), 1);
});
