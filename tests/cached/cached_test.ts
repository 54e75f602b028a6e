/** The cache in front of a store, and memoize(). */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { cached, memoize } from "../../cached/mod.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import type { KvKey } from "../../kv/store.ts";
import { conformance } from "../../testing/mod.ts";
import { FakeTime } from "@std/testing/time";

/** A store that counts its reads. */
class Counting extends MemoryKvStore {
  reads = 0;

  override get<T = unknown>(key: KvKey): Promise<T | undefined> {
    this.reads++;
    return super.get<T>(key);
  }
}

conformance({
  name: "CachedKvStore",
  open: () => cached(new MemoryKvStore(), { maxAge: 1 }),
  without: cached(new MemoryKvStore()).traits.without,
  report() {},
});

Deno.test("a cached read is served from memory until maxAge, as a separate value", async () => {
  using time = new FakeTime();
  const store = new Counting();
  const kv = cached(store, { maxAge: 1_000 });
  await store.set(["a"], { n: 1 });
  const first = await kv.get<{ n: number }>(["a"]);
  first!.n = 2;
  await store.set(["a"], { n: 3 });
  time.tick(999);
  assertEquals(await kv.get(["a"]), { n: 1 });
  time.tick(1);
  assertEquals(await kv.get(["a"]), { n: 3 });
  assertEquals(store.reads, 2);
});

Deno.test("a missing entry is remembered too", async () => {
  const store = new Counting();
  const kv = cached(store, { maxAge: 60_000 });
  assertEquals(await kv.get(["a"]), undefined);
  assertEquals(await kv.get(["a"]), undefined);
  assertEquals(store.reads, 1);
});

Deno.test("the process's own writes are visible at once, awaited or not", async () => {
  const kv = cached(new MemoryKvStore(), { maxAge: 60_000 });
  assertEquals(await kv.get(["a"]), undefined);
  kv.set(["a"], 1);
  assertEquals(await kv.get(["a"]), 1);
  assert(await kv.cas(["a"], 1, 2));
  assertEquals(await kv.get(["a"]), 2);
  kv.delete(["a"]);
  assertEquals(await kv.get(["a"]), undefined);
  await kv.set(["a"], 3);
  await kv.clear();
  assertEquals(await kv.get(["a"]), undefined);
});

Deno.test("cas() is decided by the store, not by the cache", async () => {
  const store = new MemoryKvStore();
  const kv = cached(store, { maxAge: 60_000 });
  await kv.set(["a"], 1);
  assertEquals(await kv.get(["a"]), 1);
  await store.set(["a"], 2);
  assertEquals(await kv.cas(["a"], 1, 3), false);
  assertEquals(await kv.get(["a"]), 2);
});

Deno.test("concurrent misses read the store once, and failures are not kept", async () => {
  const store = new Counting();
  const kv = cached(store);
  await Promise.all(Array.from({ length: 100 }, () => kv.get(["a"])));
  assertEquals(store.reads, 1);
  class Failing extends MemoryKvStore {
    isDown = true;
    override get<T = unknown>(key: KvKey): Promise<T | undefined> {
      return this.isDown
        ? Promise.reject(new Error("down"))
        : super.get<T>(key);
    }
  }
  const failing = new Failing();
  const other = cached(failing);
  await assertRejects(() => other.get(["a"]), Error, "down");
  failing.isDown = false;
  assertEquals(await other.get(["a"]), undefined);
});

Deno.test("the cache keeps at most maxEntries and maxBytes", async () => {
  const store = new Counting();
  const kv = cached(store, { maxAge: 60_000, maxEntries: 2 });
  for (const part of ["a", "b", "c", "a"]) await kv.get([part]);
  assertEquals(store.reads, 4);
  const small = cached(store, { maxAge: 60_000, maxBytes: 100 });
  await store.set(["large"], "x".repeat(200));
  await small.get(["large"]);
  await small.get(["large"]);
  assertEquals(store.reads, 6);
});

Deno.test("cached() rejects wrong options", () => {
  for (const options of [{ maxAge: 0 }, { maxEntries: 1.5 }]) {
    let error: unknown;
    try {
      cached(new MemoryKvStore(), options);
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof RangeError);
  }
});

Deno.test("memoize() loads once for 500 concurrent misses, and each gets a separate value", async () => {
  const kv = new MemoryKvStore();
  let loads = 0;
  const load = () => Promise.resolve({ loads: ++loads });
  const results = await Promise.all(
    Array.from(
      { length: 500 },
      () => memoize(kv, ["m"], load, { ttl: 60_000 }),
    ),
  );
  assertEquals(loads, 1);
  results[0]!.loads = 99;
  assertEquals(results[1], { loads: 1 });
  assertEquals(await memoize(kv, ["m"], load, { ttl: 60_000 }), { loads: 1 });
});

Deno.test("memoize() returns a value within its grace and loads a new one", async () => {
  using time = new FakeTime();
  const kv = new MemoryKvStore();
  let loads = 0;
  const load = () => ++loads;
  const options = { ttl: 1_000, grace: 1_000 };
  assertEquals(await memoize(kv, ["m"], load, options), 1);
  time.tick(1_500);
  assertEquals(await memoize(kv, ["m"], load, options), 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(await memoize(kv, ["m"], load, options), 2);
  time.tick(1_500);
  const failing = () => Promise.reject(new Error("no network"));
  assertEquals(await memoize(kv, ["m"], failing, options), 2);
  time.tick(5_000);
  await assertRejects(
    () => memoize(kv, ["m"], failing, options),
    Error,
    "no network",
  );
});

Deno.test("memoize() of several stores on one backend loads once", async () => {
  const kv = new MemoryKvStore();
  // Each process has its own store object.
  const processes = Array.from({ length: 10 }, () =>
    Object.create(kv, {
      get: { value: (key: KvKey) => kv.get(key) },
      set: { value: (...args: Parameters<typeof kv.set>) => kv.set(...args) },
      cas: { value: (...args: Parameters<typeof kv.cas>) => kv.cas(...args) },
    }) as MemoryKvStore);
  let loads = 0;
  const load = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return ++loads;
  };
  const results = await Promise.all(
    processes.map((store) => memoize(store, ["m"], load, { ttl: 60_000 })),
  );
  assertEquals(results, new Array(10).fill(1));
});

Deno.test("memoize() rejects options that would never remember anything", async () => {
  const kv = new MemoryKvStore();
  for (
    const [options, Type] of [
      [{ tttl: 1 }, TypeError],
      [{}, RangeError],
      [{ ttl: -5 }, RangeError],
      [{ ttl: 5, grace: -1 }, RangeError],
      [{ ttl: 5, timeout: 0 }, RangeError],
    ] as const
  ) {
    let loads = 0;
    await assertRejects(
      () => memoize(kv, ["m"], () => ++loads, options as { ttl: number }),
      Type,
      'Cannot memoize ["m"]',
    );
    assertEquals(loads, 0);
  }
});
