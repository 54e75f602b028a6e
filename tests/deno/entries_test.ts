// What the Deno KV store reads and writes as entries.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import type { KvKey } from "../../kv/store.ts";
import { HOUR, rawEntries } from "./databases.ts";

Deno.test("DenoKvStore keeps plain values as the plain objects that others read", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const values: [KvKey, unknown][] = [
    [["a", "b"], { name: "Alice", tags: ["x", null], n: 1.5 }],
    [["text"], "\ud800 é 😀"],
    [["null"], null],
    [["false"], false],
    [["dropped"], { a: 1, b: undefined }],
  ];
  await Promise.all(values.map(([key, value]) => kv.set(key, value)));
  assert(await kv.cas(["swapped"], undefined, [1]));
  assertEquals((await db.get(["a", "b"])).value, values[0]![1]);
  assertEquals((await db.get(["text"])).value, values[1]![1]);
  assert((await db.get(["null"])).versionstamp !== null);
  assertEquals((await db.get(["false"])).value, false);
  assertEquals(Object.keys((await db.get(["dropped"])).value as object), ["a"]);
  assertEquals((await db.get(["swapped"])).value, [1]);
});

Deno.test("DenoKvStore reads, lists and swaps what Fedify's own store wrote", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const key = ["_fedify", "remoteDocument", "https://example.com/1"] as const;
  const document = { "@context": ["a"], id: "https://example.com/1" };
  await db.set(key, document, { expireIn: HOUR });
  assertEquals(await kv.get(key), document);
  assertEquals(await Array.fromAsync(kv.list(["_fedify"])), [
    { key, value: document },
  ]);
  const reordered = { id: document.id, "@context": ["a"] };
  assertEquals(await kv.cas(key, { id: document.id }, 1), false);
  assertEquals(await kv.cas(key, undefined, 1), false);
  assert(await kv.cas(key, reordered, { ...document, more: true }));
  assertEquals((await db.get(key)).value, { ...document, more: true });
});

Deno.test("DenoKvStore returns and swaps what other programs can write only", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const values = [
    new Date(0),
    new Map([["a", new Set([1n])]]),
    new Uint8Array([1, 2]),
    { a: 1, b: undefined },
    { date: new Date(1), nan: NaN },
  ];
  for (const [i, value] of values.entries()) {
    const key = ["v", `${i}`] as const;
    await db.set(key, value);
    assertEquals(await kv.get(key), value);
    assert(await kv.cas(key, await kv.get(key), "swapped"), `value ${i}`);
    assertEquals(await kv.get(key), "swapped");
    await db.set(key, value);
  }
  const listed = await Array.fromAsync(kv.list(), ({ value }) => value);
  assertEquals(listed, values);
  const counter = new Deno.KvU64(5n);
  await db.set(["counter"], counter);
  assertEquals(await kv.get(["counter"]), counter);
  await assertRejects(() => kv.cas(["counter"], counter, 1), TypeError);
  await kv.set(["counter"], 1);
  assertEquals(await kv.get(["counter"]), 1);
  await db.set(["undefined"], undefined);
  assert(await kv.cas(["undefined"], undefined, 1));
});

Deno.test("two gets of one counter in one tick share nothing", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  await db.set(["counter"], new Deno.KvU64(5n));
  await db.set(["map"], new Map([["a", 1]]));
  for (const key of [["counter"], ["map"]] as const) {
    const [first, second] = await Promise.all([kv.get(key), kv.get(key)]);
    assert(first !== second);
    assertEquals(first, second);
    assertEquals(Object.getPrototypeOf(first), Object.getPrototypeOf(second));
  }
});

Deno.test("DenoKvStore lists past the keys of other programs", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const foreign: Deno.KvKey[] = [
    [1],
    [new Uint8Array([1])],
    ["a", 1, "b"],
    ["a", new Uint8Array([1])],
    ["a", "b", 7n],
    ["a", "b", true],
    [false],
    ["\u{10ffff}\u{10ffff}" + "A".repeat(43)],
  ];
  for (const key of foreign) await db.set(key, 1);
  const keys: KvKey[] = [["a"], ["a", ""], ["a", "b"], ["a", "b", "c"], ["b"]];
  for (const key of keys) await kv.set(key, 1);
  await kv.set(["a", "large"], "x".repeat(100_000));
  await kv.cas(["a", "large"], "x".repeat(100_000), "small");
  assert((await rawEntries(db)).length > keys.length + foreign.length);
  const listed = await Array.fromAsync(kv.list(), ({ key }) => key);
  assertEquals(listed, [...keys.slice(0, 4), ["a", "large"], ["b"]]);
  const under = await Array.fromAsync(kv.list(["a", "b"]), ({ key }) => key);
  assertEquals(under, [["a", "b"], ["a", "b", "c"]]);
});

Deno.test("DenoKvStore keeps every key that fits as it is", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const fits: KvKey[] = [
    ["x".repeat(2_046)],
    ["é".repeat(1_023)],
    ["\0".repeat(1_023)],
    ["a".repeat(1_000), "b".repeat(1_044)],
  ];
  for (const key of fits) {
    await kv.set(key, 1);
    assertEquals((await db.get(key)).value, 1);
    assertEquals(await Array.fromAsync(kv.list(key)), [{ key, value: 1 }]);
    const [first, ...rest] = key;
    const longer: KvKey = [`${first}\0`, ...rest];
    await kv.set(longer, 2);
    assertEquals(await kv.get(longer), 2);
    assertEquals(await Array.fromAsync(kv.list(longer)), [
      { key: longer, value: 2 },
    ]);
  }
  assertEquals((await Array.fromAsync(kv.list())).length, 2 * fits.length);
});

Deno.test("DenoKvStore keeps every plain value that fits as it is", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const twoBytes = ("€" + "x".repeat(40_000)).slice(1);
  const values: [unknown, boolean][] = [
    ["x".repeat(65_530), true],
    ["x".repeat(65_531), false],
    ["€".repeat(32_764), true],
    ["€".repeat(32_766), false],
    [twoBytes, true],
    [Array.from({ length: 16_000 }, (_, i) => i), true],
    [[0.5, ...Array.from({ length: 16_000 }, (_, i) => i)], false],
    [
      Array.from({ length: 100 }, (_, i) => ({ i, text: "x".repeat(600) })),
      true,
    ],
  ];
  for (const [i, [value, isPlain]] of values.entries()) {
    await kv.set([`${i}`], value);
    assertEquals(await kv.get([`${i}`]), value);
    const stored = (await db.get([`${i}`])).value as object;
    assertEquals(Object.hasOwn(stored, "@org/kv"), !isPlain, `value ${i}`);
    for (const ttl of [HOUR, undefined]) {
      await kv.set([`${i}`], value, { ttl });
      assertEquals(await kv.get([`${i}`]), value);
      assert(await kv.cas([`${i}`], value, value, { ttl }));
    }
  }
});
