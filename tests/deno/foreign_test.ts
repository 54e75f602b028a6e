// What other programs store, and what looks like our own entries but is not.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvCorruptionError } from "../../kv/errors.ts";
import type { KvKey } from "../../kv/store.ts";
import { countOwn, OWN, rawEntries } from "./databases.ts";

const LARGE = "x".repeat(900_000);

/** JSON that resembles the form in which the store keeps values with a TTL. */
const lookalikes: unknown[] = [
  { "@org/kv": 1 },
  { "@org/kv": 2 },
  { "@org/kv": 1, value: "x", expires: 0 },
  { "@org/kv": 1, value: "x", key: ["b"] },
  { "@org/kv": "1", data: "x" },
  { "@org/kv": 1, chunks: { id: "a", count: 1e9, bytes: 1 } },
  { "@org/kv": 1, chunks: { id: { a: 1 }, count: -1, bytes: null } },
  { "@org/kv": 2, expires: 0 },
];

Deno.test("JSON of other programs is never taken for the store's own form", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  for (const value of lookalikes) {
    await db.set(["a"], 1);
    await db.set(["b"], value);
    await db.set(["c"], 2);
    assertEquals(await kv.get(["b"]), value);
    assertEquals(await Array.fromAsync(kv.list()), [
      { key: ["a"], value: 1 },
      { key: ["b"], value },
      { key: ["c"], value: 2 },
    ]);
    assertEquals(await kv.cas(["b"], undefined, 1), false);
    assert(await kv.cas(["b"], value, { nested: value }));
    assertEquals((await db.get(["b"])).value, { nested: value });
    for (const next of [1, LARGE, undefined]) {
      await db.set(["b"], value);
      await kv.set(["b"], next);
      assertEquals(await kv.get(["b"]), next);
    }
  }
});

Deno.test("a value that resembles the store's own form is stored as it is", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  for (const value of lookalikes) {
    await kv.set(["a"], value);
    assertEquals((await db.get(["a"])).value, value);
    assertEquals(await kv.get(["a"]), value);
    await kv.set(["a"], value, { ttl: 60_000 });
    assertEquals(await kv.get(["a"]), value);
    assert(await kv.cas(["a"], value, 1));
  }
});

/** Entries that have the mark of the store's own form and another shape. */
const damaged: { [what: string]: Record<string, unknown> } = {
  "another version": { "@org/kv": 9n, value: 1 },
  "no value": { "@org/kv": 1n },
  "a value that is undefined": { "@org/kv": 1n, value: undefined },
  "two values": { "@org/kv": 1n, value: 1, data: new Uint8Array([49]).buffer },
  "bytes that are no encoding": {
    "@org/kv": 1n,
    data: new Uint8Array(1).buffer,
  },
  "bytes in place of a buffer": { "@org/kv": 1n, data: new Uint8Array([49]) },
  "text in place of bytes": { "@org/kv": 1n, data: "1" },
  "an expiry that is text": { "@org/kv": 1n, value: 1, expires: "0" },
  "an expiry that is NaN": { "@org/kv": 1n, value: 1, expires: NaN },
  "another key": { "@org/kv": 1n, value: 1, key: ["b"] },
  "chunks that are null": { "@org/kv": 1n, chunks: null },
  "chunks that do not exist": { "@org/kv": 1n, chunks: chunks() },
  "chunks with an id that is an object": chunks({ id: {} }),
  "chunks with a long id": chunks({ id: "a".repeat(5_000) }),
  "a negative number of chunks": chunks({ count: -1 }),
  "a number of chunks that is NaN": chunks({ count: NaN }),
  "a billion chunks": chunks({ count: 1e9, bytes: 6e13 }),
  "more bytes than memory": chunks({ bytes: Number.MAX_SAFE_INTEGER }),
  "a number of bytes that is text": chunks({ bytes: "1" }),
  "no digest": chunks({ digest: undefined }),
};

function chunks(change: Record<string, unknown> = {}) {
  const digest = "0".repeat(64);
  const chunks = { id: "none", count: 1, bytes: 1, digest, ...change };
  return { "@org/kv": 1n, chunks };
}

for (const [what, value] of Object.entries(damaged)) {
  Deno.test(`an entry with ${what} is corrupt, and harms no other`, async () => {
    using db = await Deno.openKv(":memory:");
    const kv = new DenoKvStore(db);
    const key: KvKey = ["k"];
    await kv.set(["a"], 1);
    await db.set(key, value);
    const results = await Promise.allSettled([
      kv.get(["a"]),
      kv.get(key),
      kv.cas(["a"], 1, 2),
      kv.cas(["b"], undefined, 3),
    ]);
    assertEquals(results.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    const message = 'Cannot get ["k"]: ';
    await assertRejects(() => kv.get(key), KvCorruptionError, message);
    for (const expected of [1, LARGE]) {
      const swap = () => kv.cas(key, expected, 2);
      await assertRejects(swap, KvCorruptionError, 'Cannot cas ["k"]: ');
    }
    const seen: unknown[] = [];
    await assertRejects(
      async () => {
        for await (const { value } of kv.list()) seen.push(value);
      },
      KvCorruptionError,
      'Cannot list ["k"]: ',
    );
    assertEquals(seen, [2, 3]);
    for (const next of ["small", LARGE, undefined]) {
      await db.set(key, value);
      await kv.set(key, next);
      assertEquals(await kv.get(key), next);
    }
  });
}

Deno.test("what is stored in place of a long key needs the long key with it", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const long: KvKey = ["a", "b".repeat(3_000)];
  const other: KvKey = ["a", "c".repeat(3_000)];
  await kv.set(long, 1);
  await kv.set(other, 2);
  const [first, second] = await rawEntries(db);

  // A value without the store's own form belongs to another program.
  await db.set(first!.key, "foreign");
  const isFirst = (await kv.get(long)) === undefined;
  const [lost, kept] = isFirst ? [long, other] : [other, long];
  assertEquals(await kv.get(lost), undefined);
  assertEquals(await Array.fromAsync(kv.list(), ({ key }) => key), [kept]);
  assert(await kv.cas(lost, undefined, 3));
  assertEquals(await kv.get(lost), 3);

  // An entry of ours that was copied tells another key than it is stored under.
  await db.set(first!.key, second!.value);
  await assertRejects(() => kv.get(lost), KvCorruptionError);
  await assertRejects(() => Array.fromAsync(kv.list()), KvCorruptionError);
  await kv.delete(lost);
  assertEquals(await Array.fromAsync(kv.list(), ({ key }) => key), [kept]);
});

Deno.test("an entry that refers to the chunks of another one never deletes them", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  await kv.set(["victim"], LARGE);
  const { value } = await db.get(["victim"]);
  for (const next of [LARGE, `${LARGE}.`]) {
    await db.set(["copy"], value);
    assertEquals(await kv.get(["copy"]), LARGE);
    await kv.set(["copy"], next);
    await db.set(["copy"], value);
    assert(await kv.cas(["copy"], LARGE, next));
    assertEquals(await kv.get(["copy"]), next);
  }
  await db.set(["copy"], value);
  assert(await kv.cas(["copy"], LARGE, undefined));
  for (let i = 0; i < 5; i++) await kv.set(["other"], `${i}`.repeat(70_000));
  assertEquals(await kv.get(["victim"]), LARGE);
});

Deno.test("records of chunks that are not ours stop no write and no cleaning", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const records: unknown[] = [
    1,
    null,
    {},
    { key: [], count: 1 },
    { key: "a", count: 1 },
    { key: ["k".repeat(3_000)], count: 1 },
    { key: ["a"], count: NaN },
    { key: ["a"], count: -1 },
    { key: ["a"], count: 1, pending: "now" },
    { key: [1], count: 1 },
  ];
  for (const [i, record] of records.entries()) {
    await db.set([OWN, "large", `${i}`], record);
  }
  await db.set([OWN, "large", 1], { key: ["a"], count: 1 });
  for (let i = 0; i < 5; i++) {
    await kv.set(["a"], `${i}`.repeat(70_000));
    await kv.set(["a"], 1);
  }
  await kv.set(["b"], LARGE);
  await kv.set(["b"], LARGE);
  assertEquals(await countOwn(db, "large"), records.length + 2);
  assertEquals(await countOwn(db, "chunk"), 15);
});

Deno.test("members of Object.prototype are not members of a value", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const name = "polluted";
  const prototype = Object.prototype as Record<string, unknown>;
  prototype[name] = prototype;
  try {
    await kv.set(["a"], { a: 1 });
    await kv.set(["b"], { a: 1 }, { ttl: 60_000 });
    assertEquals(Object.keys(await kv.get(["a"]) as object), ["a"]);
    assertEquals(Object.keys(await kv.get(["b"]) as object), ["a"]);
  } finally {
    delete prototype[name];
  }
});
