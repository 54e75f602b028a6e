// Listing the memory store: order, changes meanwhile, and the event loop.

import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { compareStrings, encodeKey } from "../../kv/core/key.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import { keyOf, LEVELS, namesOf } from "../../kv/memory/trie.ts";
import type { KvKey, KvListOptions } from "../../kv/store.ts";
import { FakeTime } from "@std/testing/time";

const part = fc.constantFrom(
  "",
  "a",
  "b",
  "!",
  '"',
  "é",
  "\ufffd",
  "\u{1f600}",
);
const key = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 4 }),
  fc.array(part, { minLength: 6, maxLength: 11 }),
  // Most keys share their leading parts.
  fc.array(fc.constantFrom("a", "b"), { minLength: 7, maxLength: 10 }),
) as unknown as fc.Arbitrary<KvKey>;

function startsWith(
  key: readonly string[],
  prefix: readonly string[],
): boolean {
  return prefix.every((part, i) => key[i] === part);
}

/** What a listing must yield, by sorting everything. */
function expected(
  keys: Iterable<KvKey>,
  prefix: readonly string[],
  { after, reverse, limit = Infinity }: KvListOptions,
): KvKey[] {
  const compare = (a: KvKey, b: KvKey) =>
    compareStrings(encodeKey(a), encodeKey(b)) * (reverse ? -1 : 1);
  return [...keys]
    .filter((key) => startsWith(key, prefix))
    .sort(compare)
    .filter((key) => after === undefined || compare(key, after) > 0)
    .slice(0, limit);
}

Deno.test("MemoryKvStore lists any prefix from any key in both directions", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(key, { maxLength: 40 }),
    fc.array(key, { maxLength: 10 }),
    key,
    key,
    fc.nat(9),
    fc.record({
      reverse: fc.boolean(),
      limit: fc.option(fc.nat(5), { nil: undefined }),
      isAfter: fc.boolean(),
    }),
    async (keys, deleted, one, other, length, { reverse, limit, isAfter }) => {
      const kv = new MemoryKvStore();
      const model = new Map<string, KvKey>();
      const list = async (
        prefix: readonly string[],
        options: KvListOptions,
      ) => {
        const entries = await Array.fromAsync(
          kv.keys(prefix as KvKey, options),
        );
        assertEquals(
          entries.map(({ key }) => key),
          expected(model.values(), prefix, options),
        );
      };
      for (const key of keys) {
        await kv.set(key, 1);
        model.set(encodeKey(key), key);
      }
      const prefix = one.slice(0, length);
      const after = isAfter
        ? [...prefix, ...other] as unknown as KvKey
        : undefined;
      await list(prefix, { reverse, limit, after });
      for (const key of [...deleted, ...keys.slice(0, 5)]) {
        await kv.delete(key);
        model.delete(encodeKey(key));
      }
      await list(prefix, { reverse, limit, after });
      await kv.set(one, 1);
      model.set(encodeKey(one), one);
      await list(prefix, { reverse, limit, after });
      await list([], { reverse });
      for (const key of model.values()) await list(key, { reverse });
      assertEquals(kv.size, model.size);
    },
  ));
});

Deno.test("MemoryKvStore lists many names while they change", async () => {
  for (const reverse of [false, true]) {
    const kv = new MemoryKvStore();
    const stable = new Set<string>();
    const random = randomOf(7);
    const name = () => `${Math.floor(random() * 1e6)}`.padStart(6, "0");
    for (let i = 0; i < 6_000; i++) stable.add(name());
    for (const part of stable) await kv.set(["a", part], 1);
    const listed: string[] = [];
    const added: string[] = [];
    for await (const { key } of kv.list(["a"], { reverse })) {
      listed.push(key[1]!);
      if (random() < 0.5) {
        const part = `${name()}x`;
        added.push(part);
        await kv.set(["a", part], 1);
      }
      if (random() < 0.4 && added.length > 0) {
        await kv.delete(["a", added.shift()!]);
      }
    }
    assertEquals(
      listed,
      [...listed].sort((a, b) => (a < b ? -1 : 1) * (reverse ? -1 : 1)),
    );
    assertEquals(new Set(listed).size, listed.length);
    for (const part of listed) stable.delete(part);
    assertEquals(stable.size, 0);
  }
});

/** Numbers between 0 and 1 that look random, the same in every run. */
function randomOf(seed: number): () => number {
  return () => (seed = seed * 48271 % 2147483647) / 2147483647;
}

Deno.test("MemoryKvStore lists the same names twice at once", async () => {
  const kv = new MemoryKvStore();
  const parts = Array.from(
    { length: 30_000 },
    (_, i) => `${i * 7919 % 30_000}`,
  );
  for (const part of parts) await kv.set([part], 1);
  parts.sort();
  const [one, two] = await Promise.all([
    Array.fromAsync(kv.keys()),
    Array.fromAsync(kv.keys([], { reverse: true })),
  ]);
  assertEquals(one.map(({ key }) => key[0]!), parts);
  assertEquals(two.map(({ key }) => key[0]!), parts.toReversed());
});

Deno.test("MemoryKvStore lists names again that were all deleted meanwhile", async () => {
  const kv = new MemoryKvStore();
  for (let i = 0; i < 20_000; i++) await kv.set(["a", `${i}`], 1);
  const entries = kv.list(["a"])[Symbol.asyncIterator]();
  await entries.next();
  assertEquals(await kv.clear(["a"]), 20_000);
  await kv.set(["a", "x"], 2);
  assertEquals((await entries.next()).done, true);
  assertEquals((await Array.fromAsync(kv.list(["a"]))).length, 1);
});

Deno.test("MemoryKvStore lets timers run while it lists, counts and clears", async () => {
  const kv = new MemoryKvStore();
  const count = 100_000;
  for (let i = 0; i < count; i++) await kv.set([`${i * 7919 % count}`], 1);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 0);
  const grows = async (what: string, run: () => Promise<unknown>) => {
    const before = ticks;
    await run();
    assert(ticks > before, `no timer ran during ${what}`);
  };
  try {
    await grows("list()", async () => {
      for await (const _ of kv.list());
    });
    await grows("count()", () => kv.count());
    await grows("clear()", () => kv.clear());
  } finally {
    clearInterval(timer);
  }
  assertEquals(kv.size, 0);
});

Deno.test("MemoryKvStore ends a listing when its signal is aborted", async () => {
  const kv = new MemoryKvStore();
  for (let i = 0; i < 10; i++) await kv.set([`${i}`], i);
  const abort = new AbortController();
  const listed: unknown[] = [];
  const error = await assertRejects(async () => {
    for await (const { value } of kv.list([], { signal: abort.signal })) {
      listed.push(value);
      if (value === 3) abort.abort(new Error("enough"));
    }
  });
  assertEquals([(error as Error).message, listed], ["enough", [0, 1, 2, 3]]);
});

Deno.test("a key of 8,000 empty parts takes 8 levels and a name of its size", () => {
  for (const end of ["", "x"]) {
    const key = [...Array(8_000).fill(""), end];
    const names = namesOf(key);
    assertEquals(names.length, LEVELS);
    assert(names.join("").length <= 8_000);
    assertEquals(keyOf(names), key);
  }
});

Deno.test("MemoryKvStore.sweep() reclaims all expired entries", async () => {
  using time = new FakeTime();
  const kv = new MemoryKvStore();
  for (let i = 0; i < 1_000; i++) await kv.set(["old", `${i}`], i, { ttl: 1 });
  await kv.set(["new"], 1, { ttl: 60_000 });
  time.tick(1);
  assertEquals(await kv.sweep(), 1_000);
  assertEquals(kv.size, 1);
  assertEquals(await kv.sweep(), 0);
});
