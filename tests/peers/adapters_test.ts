// The adapters on every kind of store: what the suites of others leave out.
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Keyv } from "keyv";
import { createStorage } from "unstorage";
import { Keyv5Storage, KeyvStorage } from "../../adapters/keyv.ts";
import { unstorageDriver } from "../../adapters/unstorage.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import type { KvStore } from "../../kv/store.ts";
import { FakeTime } from "@std/testing/time";
import { kinds } from "./stores.ts";

for (const { name, reason, open } of kinds) {
  const onStore = (sentence: string, fn: (kv: KvStore) => Promise<void>) =>
    Deno.test({
      name: `${sentence} (${name}${reason === undefined ? "" : `, ${reason}`})`,
      ignore: reason !== undefined,
      async fn() {
        const { store, close } = open();
        try {
          await fn(store);
        } finally {
          await close();
        }
      },
    });

  onStore("unstorage reads, lists and clears what it wrote", async (kv) => {
    await kv.set(["unstorage"], "not an item");
    await kv.set(["other", "a"], "of another program");
    const storage = createStorage({ driver: unstorageDriver(kv) });
    assertEquals(await storage.getItem("a:b"), null);
    assertEquals(await storage.hasItem("a:b"), false);
    await storage.setItem("a:b", { c: [1] });
    await storage.setItem("a:*", true);
    await storage.setItem("ab", 0);
    assertEquals(await storage.getItem("a:b"), { c: [1] });
    assertEquals(await storage.getItem("ab"), 0);
    assertEquals(await storage.getKeys(), ["a:*", "a:b", "ab"]);
    assertEquals(await storage.getKeys("a"), ["a:*", "a:b"]);
    assertEquals(await storage.getKeys("a:*"), []);
    assertEquals(
      await storage.getItems(["a:b", "none"]),
      [{ key: "a:b", value: { c: [1] } }, { key: "none", value: null }],
    );
    await storage.removeItem("a:b");
    assertEquals(await storage.hasItem("a:b"), false);
    await unstorageDriver(kv).clear("a:");
    assertEquals(await storage.getKeys(), ["ab"]);
    await storage.clear();
    assertEquals(await storage.getKeys(), []);
    assertEquals(await kv.get(["unstorage"]), "not an item");
    assertEquals(await kv.get(["other", "a"]), "of another program");
  });

  onStore("unstorage stores raw values with their types", async (kv) => {
    const storage = createStorage({ driver: unstorageDriver(kv) });
    const values = [
      new Uint8Array([0, 255]),
      new Map([["a", new Date(1)]]),
      1n,
    ];
    for (const value of values) {
      await storage.setItemRaw("raw", value);
      assertEquals(await storage.getItemRaw("raw"), value);
    }
    assertEquals(await storage.getItemRaw("none"), null);
  });

  onStore("unstorage clears more items than one batch takes", async (kv) => {
    const storage = createStorage({ driver: unstorageDriver(kv) });
    const keys = Array.from({ length: 600 }, (_, i) => `many:${i}`);
    await storage.setItems(keys.map((key) => ({ key, value: "1" })));
    assertEquals((await storage.getKeys("many")).length, 600);
    await storage.clear();
    assertEquals(await storage.getKeys(), []);
  });

  onStore("Keyv keeps its namespaces apart from each other", async (kv) => {
    const open = (namespace?: string) =>
      new Keyv({
        store: new Keyv5Storage(kv),
        ...namespace === undefined ? {} : { namespace },
      });
    const [a, ab, none] = [open("a"), open("a:b"), open()];
    await a.set("b:c", 1);
    await ab.set("c", 2);
    await none.set("a", 3);
    assertEquals(
      await Promise.all([a.get("b:c"), ab.get("c"), none.get("a")]),
      [1, 2, 3],
    );
    await a.clear();
    assertEquals(
      await Promise.all([a.get("b:c"), ab.get("c"), none.get("a")]),
      [undefined, 2, 3],
    );
    await none.clear();
    assertEquals([await ab.get("c"), await none.get("a")], [2, undefined]);
  });

  onStore(
    "Keyv's adapter clears more keys than one batch takes",
    async (kv) => {
      const storage = new KeyvStorage(kv);
      storage.namespace = "many";
      await storage.setMany(
        Array.from({ length: 600 }, (_, i) => ({ key: `${i}`, value: i })),
      );
      assertEquals((await Array.fromAsync(storage.iterator())).length, 600);
      await storage.clear();
      assertEquals(await Array.fromAsync(storage.iterator()), []);
    },
  );
}

Deno.test("an item of unstorage lives for its TTL in seconds", async () => {
  using time = new FakeTime();
  const kv = new MemoryKvStore();
  const storage = createStorage({ driver: unstorageDriver(kv, { ttl: 60 }) });
  await storage.setItem("default", "1");
  await storage.setItem("own", "1", { ttl: 1.5 });
  time.tick(1_499);
  assertEquals(await storage.getKeys(), ["default", "own"]);
  time.tick(1);
  assertEquals(await storage.getKeys(), ["default"]);
  time.tick(58_500);
  assertEquals(await storage.getKeys(), []);
});

Deno.test("a value of Keyv 6 lives until its expiry, one of Keyv 5 for its TTL", async () => {
  using time = new FakeTime();
  const storages = [
    { storage: new KeyvStorage(new MemoryKvStore()), start: Date.now() },
    { storage: new Keyv5Storage(new MemoryKvStore()), start: 0 },
  ];
  for (const { storage, start } of storages) {
    await storage.set("a", 1, start + 1_000);
    await storage.setMany([{
      key: "b",
      value: 1,
      ...start > 0 ? { expires: start + 1_000 } : { ttl: 1_000 },
    }]);
  }
  time.tick(999);
  for (const { storage } of storages) {
    assertEquals(await storage.hasMany(["a", "b"]), [true, true]);
  }
  time.tick(1);
  for (const { storage } of storages) {
    assertEquals(await storage.hasMany(["a", "b"]), [false, false]);
  }
});

Deno.test("the errors of a store reach the callers of its adapters", async () => {
  const kv = new MemoryKvStore();
  const storage = createStorage({ driver: unstorageDriver(kv) });
  const error = await assertRejects(() =>
    storage.setItemRaw("a", () => "a function")
  );
  assertInstanceOf(error, TypeError);
  await assertRejects(() => new KeyvStorage(kv).set("\uD800", 1), TypeError);
});
