// Entries of Deno KV expire on time, before the database sweeps them.
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { DenoKvStore } from "../../kv/deno.ts";
import type { KvKey } from "../../kv/store.ts";
import { DatabaseFile } from "./databases.ts";
import { FakeTime } from "@std/testing/time";

Deno.test("an entry of DenoKvStore is gone from its expiry on, swept or not", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const keys: KvKey[] = [["plain"], ["rich"], ["large"], ["x".repeat(5_000)]];
  const values = [1, 1n, "x".repeat(100_000), { a: 1 }];
  for (const [i, key] of keys.entries()) {
    await kv.set(key, values[i], { ttl: 30_000 });
  }
  time.tick(29_999);
  for (const [i, key] of keys.entries()) {
    assertEquals(await kv.get(key), values[i]);
  }
  assertEquals((await Array.fromAsync(kv.list())).length, keys.length);
  time.tick(1);
  assertEquals((await db.get(["plain"])).versionstamp !== null, true);
  assertEquals(await Array.fromAsync(kv.list()), []);
  for (const [i, key] of keys.entries()) {
    assertEquals(await kv.get(key), undefined);
    assertEquals(await kv.cas(key, values[i], 2), false);
    assert(await kv.cas(key, undefined, undefined));
    assert(await kv.cas(key, undefined, 2));
    assertEquals(await kv.get(key), 2);
  }
});

Deno.test("DenoKvStore passes the TTL on, so that the database sweeps", async () => {
  using file = new DatabaseFile();
  const kv = new DenoKvStore(await file.open());
  const before = Date.now();
  await kv.set(["short"], 1, { ttl: 5_000.5 });
  await kv.set(["endless"], 1, { ttl: Number.MAX_VALUE });
  await kv.set(["none"], 1);
  using sqlite = new DatabaseSync(file.path, { timeout: 60_000 });
  const rows = sqlite.prepare("SELECT expiration_ms FROM kv ORDER BY k").all();
  const [endless, none, short] = rows.map(({ expiration_ms }) => expiration_ms);
  assertEquals([endless, none], [-1, -1]);
  assert(Number(short) >= before + 5_001 && Number(short) < before + 15_000);
});

Deno.test("an entry of DenoKvStore is not missing if it expires and is overwritten while it is read", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const writer = new DenoKvStore(db);
  const key: KvKey = ["lease"];
  // The answer arrives after the expiry of what it holds.
  const slow = async <T>(read: () => Promise<T>): Promise<T> => {
    const answer = await read();
    await writer.set(key, "new");
    time.tick(20);
    return answer;
  };
  const reader = new DenoKvStore(
    new Proxy(db, {
      get(db, name) {
        const member = Reflect.get(db, name);
        if (typeof member !== "function") return member;
        return name === "get" || name === "getMany"
          ? (...args: unknown[]) => slow(() => member.apply(db, args))
          : member.bind(db);
      },
    }),
  );
  for (const keys of [[key], [key, ["other"]]] as KvKey[][]) {
    await writer.set(key, "old", { ttl: 10 });
    const [value] = await Promise.all(keys.map((key) => reader.get(key)));
    assertEquals(value, "old");
    await writer.set(key, "old", { ttl: 10 });
    const [isCreated] = await Promise.all(
      keys.map((key) => reader.cas(key, undefined, "mine")),
    );
    assertEquals(isCreated, false);
  }
});
