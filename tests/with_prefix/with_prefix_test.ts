/** A part of a store as a separate store. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryKvStore } from "../../kv/memory.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { withPrefix } from "../../kv/with_prefix.ts";
import type { KvKey } from "../../kv/store.ts";
import { DatabaseSync } from "node:sqlite";

async function filled() {
  const kv = new MemoryKvStore();
  const part = withPrefix(kv, ["app"]);
  for (
    const key of [["app"], ["app", "a"], ["app", "b", "c"], ["apple"], ["z"]]
  ) {
    await kv.set(key as unknown as KvKey, key.length);
  }
  return { kv, part };
}

Deno.test("withPrefix() reads and writes under the prefix", async () => {
  const { kv, part } = await filled();
  assertEquals(await part.get(["a"]), 2);
  await part.set(["new"], 1, { ttl: 60_000 });
  assertEquals(await kv.get(["app", "new"]), 1);
  assert(await part.cas(["a"], 2, 3));
  assertEquals(await kv.get(["app", "a"]), 3);
  await part.delete(["a"]);
  assertEquals(await kv.get(["app", "a"]), undefined);
  assertEquals(await kv.get(["z"]), 1);
});

Deno.test("withPrefix() lists, counts and clears only what is under the prefix", async () => {
  const { kv, part } = await filled();
  assertEquals(await Array.fromAsync(part.list()), [
    { key: ["a"], value: 2 },
    { key: ["b", "c"], value: 3 },
  ]);
  assertEquals(await Array.fromAsync(part.keys(["b"])), [{ key: ["b", "c"] }]);
  assertEquals(await Array.fromAsync(part.keys([], { limit: 1 })), [{
    key: ["a"],
  }]);
  assertEquals(
    await Array.fromAsync(part.keys([], { limit: 1, reverse: true })),
    [{ key: ["b", "c"] }],
  );
  assertEquals(await Array.fromAsync(part.keys([], { after: ["a"] })), [
    { key: ["b", "c"] },
  ]);
  assertEquals(await part.count(), 2);
  assertEquals(await part.clear(), 2);
  assertEquals(await kv.count(), 3);
});

Deno.test("withPrefix() names the caller's key when it is wrong", async () => {
  const { part } = await filled();
  await assertRejects(
    () => part.get([] as unknown as KvKey),
    TypeError,
    "Cannot get []",
  );
  await assertRejects(
    () => part.set([1] as unknown as KvKey, 1),
    TypeError,
    "key[0] must be a string",
  );
  assertThrows(
    () => withPrefix(new MemoryKvStore(), [] as unknown as KvKey),
    TypeError,
  );
});

Deno.test("withPrefix() of a store without cas() has none", () => {
  const kv = new MemoryKvStore();
  Object.defineProperty(kv, "cas", { value: undefined });
  assertEquals(
    "cas" in
      withPrefix(kv as Omit<MemoryKvStore, "cas"> as MemoryKvStore, ["a"]),
    false,
  );
});

Deno.test("parts of one SQLite store keep apart, and the order of unawaited calls holds", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  const [a, b] = [withPrefix(kv, ["a"]), withPrefix(kv, ["b"])];
  a.set(["k"], 1);
  b.set(["k"], 2);
  a.set(["k"], 3);
  assertEquals([await a.get(["k"]), await b.get(["k"])], [3, 2]);
  assertEquals(await b.clear(), 1);
  assertEquals(await kv.count(), 1);
});
