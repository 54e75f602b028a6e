// The conformance suite on the memory store, and its own behavior.
import { assertEquals } from "@std/assert";
import { MemoryKvStore } from "../../kv/memory.ts";
import type { KvKey } from "../../kv/store.ts";
import { conformance } from "../../testing/mod.ts";
import { FakeTime } from "@std/testing/time";

conformance({ name: "MemoryKvStore", open: () => new MemoryKvStore() });

Deno.test("MemoryKvStore reclaims expired entries that nobody touches", async () => {
  using time = new FakeTime();
  const kv = new MemoryKvStore();
  for (let i = 0; i < 2_000; i++) {
    await kv.set(["old", `${i}`], { i }, { ttl: i % 2 ? 1_000 : 500 });
  }
  assertEquals(kv.size, 2_000);
  time.tick(1_000);
  for (let i = 0; i < 200; i++) await kv.set(["new", `${i}`], i);
  assertEquals(kv.size, 200);
});

Deno.test("MemoryKvStore keeps an entry whose TTL was renewed", async () => {
  using time = new FakeTime();
  const kv = new MemoryKvStore();
  await kv.set(["a"], 1, { ttl: 100 });
  await kv.set(["a"], 2, { ttl: 300 });
  await kv.set(["b"], 1, { ttl: 100 });
  await kv.set(["b"], 2);
  time.tick(200);
  for (let i = 0; i < 10; i++) await kv.set(["c"], i);
  assertEquals(await kv.get(["a"]), 2);
  assertEquals(await kv.get(["b"]), 2);
  time.tick(100);
  assertEquals(await kv.get(["a"]), undefined);
  await kv.set(["c"], 0);
  assertEquals(kv.size, 2);
});

Deno.test("MemoryKvStore yields the first entry of many without walking all", async () => {
  const kv = new MemoryKvStore();
  const count = 50_000;
  for (let i = 0; i < count; i++) await kv.set(["a", `${i}`], i);
  const first = async () => {
    const entries = kv.list(["a"])[Symbol.asyncIterator]();
    const { value } = await entries.next();
    await entries.return?.();
    return value.key;
  };
  assertEquals(await first(), ["a", "0"]);
  // From here on the order is kept up: listing the first again and again takes
  // no sorting, else this would take minutes.
  for (let i = 0; i < 1_000; i++) {
    await kv.delete(["a", `${i}`]);
    assertEquals((await first())[0], "a");
  }
});

Deno.test("MemoryKvStore lists keys of thousands of parts", async () => {
  const kv = new MemoryKvStore();
  const long = Array.from({ length: 8_000 }, () => "x") as unknown as KvKey;
  await kv.set(["a"], 1);
  await kv.set(long, 2);
  await kv.set(["y"], 3);
  const entries = await Array.fromAsync(kv.list());
  assertEquals(entries.map(({ value }) => value), [1, 2, 3]);
  assertEquals(entries[1]?.key, long);
  await kv.delete(long);
  assertEquals(kv.size, 2);
});

Deno.test("a listing can be iterated more than once", async () => {
  const kv = new MemoryKvStore();
  await kv.set(["a"], 1);
  const entries = kv.list();
  assertEquals((await Array.fromAsync(entries)).length, 1);
  await kv.set(["b"], 1);
  assertEquals((await Array.fromAsync(entries)).length, 2);
});

Deno.test("MemoryKvStore goes on with a list while many entries become few", async () => {
  const kv = new MemoryKvStore();
  const parts = Array.from({ length: 400 }, (_, i) => `${1000 + i}`);
  for (const part of parts) await kv.set(["a", part], part);
  const listed: unknown[] = [];
  for await (const { value } of kv.list(["a"])) {
    listed.push(value);
    if (listed.length !== 100) continue;
    for (const part of parts) {
      if (part < "1050" || part > "1200") await kv.delete(["a", part]);
    }
    assertEquals((await Array.fromAsync(kv.list(["a"]))).length, 151);
  }
  assertEquals(listed, parts.filter((part) => part <= "1200"));
});
