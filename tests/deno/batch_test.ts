// How the Deno KV store puts calls into commits.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import type { KvKey } from "../../kv/store.ts";
import { countOwn, withCommits } from "./databases.ts";
import { FakeTime } from "@std/testing/time";

Deno.test("one bad call among a thousand fails alone", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(withCommits(db, (commit, keys) => {
    return keys.some((key) => key[1] === "777")
      ? Promise.reject(new TypeError("rejected"))
      : commit();
  }));
  const names = Array.from({ length: 1_000 }, (_, i) => `${i}`);
  const calls: ((name: string) => Promise<unknown>)[] = [
    (name) => kv.set(["set", name], name),
    (name) => kv.cas(["create", name], undefined, name),
    (name) => kv.cas(["set", name], name, "new"),
    (name) => kv.delete(["set", name]),
  ];
  await db.set(["set", "777"], "777");
  for (const call of calls) {
    const results = await Promise.allSettled(names.map(call));
    const failed = results.flatMap(({ status }, i) =>
      status === "rejected" ? [i] : []
    );
    assertEquals(failed, [777]);
    const [failure] = results.slice(777);
    assert(failure?.status === "rejected");
    assert(failure.reason instanceof KvError);
    assert(failure.reason.message.endsWith("rejected"));
  }
  const left = await Array.fromAsync(kv.list(["set"]));
  assertEquals(left, [{ key: ["set", "777"], value: "777" }]);
});

Deno.test("batches of long keys and of large values stay below the limits", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const keys = Array.from(
    { length: 200 },
    (_, i): KvKey => [`${i}`, "k".repeat(1_900), "\0".repeat(i % 60)],
  );
  const sizes = keys.map((_, i) => i % 5 === 0 ? 60_000 : i);
  const values = sizes.map((size) => "x".repeat(size));
  await Promise.all(keys.map((key, i) => kv.set(key, values[i])));
  assertEquals(await Promise.all(keys.map((key) => kv.get(key))), values);
  const swaps = keys.map((key, i) => kv.cas(key, values[i], [values[i]]));
  assertEquals(await Promise.all(swaps), keys.map(() => true));
  assertEquals(
    await Promise.all(keys.map((key) => kv.get(key))),
    values.map((value) => [value]),
  );
});

Deno.test("swaps of one tick take as few commits as the database allows", async () => {
  const limits: [number, number][] = [[100, 3], [10, 21]];
  for (const [limit, expected] of limits) {
    using db = await Deno.openKv(":memory:");
    let commits = 0;
    const client = withCommits(db, (commit, keys, checks) => {
      if (checks > limit) {
        // What the client says of a database that answers so.
        return Promise.reject(new Error(`status=400: ${checks} checks`));
      }
      if (keys.length > 0) commits++;
      return commit();
    });
    const kv = new DenoKvStore(client);
    const keys = Array.from({ length: 205 }, (_, i): KvKey => ["a", `${i}`]);
    const created = keys.map((key) => kv.cas(key, undefined, 1));
    assertEquals(await Promise.all(created), keys.map(() => true));
    assertEquals(commits, expected);
    commits = 0;
    const swapped = keys.map((key) => kv.cas(key, 1, 2));
    assertEquals(await Promise.all(swapped), keys.map(() => true));
    assertEquals(commits, expected);
    assertEquals((await Array.fromAsync(kv.list())).length, keys.length);
  }
});

Deno.test("a swap that another program gets ahead of fails alone", async () => {
  using db = await Deno.openKv(":memory:");
  const keys = Array.from({ length: 90 }, (_, i): KvKey => ["a", `${i}`]);
  let commits = 0;
  const client = withCommits(db, async (commit, written) => {
    // It finds out how many checks there may be, then swaps.
    if (written.length > 0 && ++commits === 1) {
      await db.set(["a", "7"], "other");
    }
    return await commit();
  });
  for (const expected of [undefined, "old"]) {
    const kv = new DenoKvStore(client);
    for (const key of keys) await db.delete(key);
    if (expected !== undefined) {
      for (const key of keys) await db.set(key, expected);
    }
    commits = 0;
    const results = await Promise.all(
      keys.map((key) => kv.cas(key, expected, "new")),
    );
    assertEquals(results.filter((swapped) => !swapped).length, 1);
    assertEquals(results[7], false);
    assert(commits < 10, `${commits} commits`);
    assertEquals(await kv.get(["a", "7"]), "other");
    assertEquals(await kv.get(["a", "8"]), "new");
  }
});

Deno.test("cas() gives up when others never stop writing an equal value", async () => {
  using db = await Deno.openKv(":memory:");
  let commits = 0;
  const kv = new DenoKvStore(
    withCommits(db, async (commit, _keys, checks) => {
      if (checks > 0) await db.set(["a"], 1);
      assert(++commits < 10_000, "still trying");
      return await commit();
    }),
    { busyTimeout: 50 },
  );
  for (const value of [2, "x".repeat(900_000), undefined]) {
    await db.set(["a"], 1);
    const error = await assertRejects(() => kv.cas(["a"], 1, value), KvError);
    assertEquals(
      error.message,
      'Cannot cas ["a"]: other clients keep on writing the entry',
    );
    assert(!(error instanceof KvOutcomeUnknownError));
    assertEquals(await kv.get(["a"]), 1);
  }
  assertEquals(await countOwn(db, "chunk"), 0);
  assert(commits < 1_000, `${commits} commits`);
});

Deno.test("a batch that takes more bytes than it seemed to is cut", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const keys = Array.from({ length: 200 }, (_, i): KvKey => [`${i}`]);
  const text = "€".repeat(3_000);
  await Promise.all(keys.map((key) => kv.set(key, text)));
  const swaps = keys.map((key) => kv.cas(key, text, `${text}.`));
  assertEquals(await Promise.all(swaps), keys.map(() => true));
  const numbers = Array.from({ length: 3_000 }, (_, i) => i + 0.5);
  await Promise.all(keys.map((key) => kv.set(key, numbers)));
  const found = await Promise.all(keys.map((key) => kv.get(key)));
  assertEquals(found, keys.map(() => numbers));
});

Deno.test("DenoKvStore sends a distant database all reads of a tick at once", async () => {
  using db = await Deno.openKv(":memory:");
  using time = new FakeTime();
  const keys = Array.from({ length: 200 }, (_, i): KvKey => [`${i}`]);
  for (const [latency, most] of [[0, 4], [5, 20]] as const) {
    let underWay = 0;
    let seen = 0;
    const kv = new DenoKvStore({
      ...withCommits(db, (commit) => commit()),
      async getMany(keys) {
        seen = Math.max(seen, ++underWay);
        await Promise.resolve();
        time.tick(latency);
        underWay--;
        return keys.map((key) => ({ key, value: 1, versionstamp: "0" }));
      },
    });
    // The first reads tell how far it is.
    await Promise.all([kv.get(["a"]), kv.get(["b"])]);
    seen = 0;
    const values = await Promise.all(keys.map((key) => kv.get(key)));
    assertEquals(values, keys.map(() => 1));
    assertEquals(seen, most);
  }
});
