/** Damaged and foreign values, metadata and names in Workers KV. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  KvCorruptionError,
  KvError,
  type KvKey,
  type KvStore,
} from "../../mod.ts";
import { encodeKey } from "../../kv/core/key.ts";
import { type WorkersKvNamespace, WorkersKvStore } from "../../kv/workers.ts";
import { foreign, mutate, pick, randomOf } from "../support/mutations.ts";
import type { KVNamespace } from "../support/worker/miniflare.d.ts";
import { unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";

let worker: Workerd;
let namespace: KVNamespace;

Deno.test.beforeAll(async () => {
  worker = await Workerd.start("tests/support/worker/conformance.ts", {
    objects: { OBJECTS: "KvStoreDurableObject" },
  });
  namespace = await worker.kv;
});

Deno.test.afterAll(() => worker[Symbol.asyncDispose]());

let prefixes = 0;

function inNamespace(
  name: string,
  fn: (kv: WorkersKvStore, prefix: string) => Promise<void>,
): void {
  Deno.test({
    ...unsanitized,
    name: `a damaged Workers KV: ${name}`,
    fn: () => {
      const keyPrefix = `damaged ${prefixes++}`;
      return fn(new WorkersKvStore(namespace, { keyPrefix }), `${keyPrefix}!`);
    },
  });
}

/** The value of an entry, or `damaged` if that is what both reads say. */
async function read(kv: KvStore, key: KvKey): Promise<unknown> {
  const outcomes = await Promise.allSettled([
    kv.get(key),
    Array.fromAsync(kv.list!(key)).then(([entry]) => entry?.value),
  ]);
  const [got, listed] = outcomes.map((outcome) => {
    if (outcome.status === "fulfilled") return JSON.stringify(outcome.value);
    assertInstanceOf(outcome.reason, KvCorruptionError);
    assertStringIncludes(outcome.reason.message, JSON.stringify(key));
    return "damaged";
  });
  assertEquals(got, listed);
  return got;
}

for (const place of ["first", "middle", "last"]) {
  inNamespace(`list() yields all before a damaged ${place} entry`, async (
    kv,
    prefix,
  ) => {
    const keys = Array.from({ length: 40 }, (_, i) => [`${100 + i}`] as const);
    for (const key of keys) await kv.set(key, 1);
    const index = { first: 0, middle: 20, last: 39 }[place]!;
    await namespace.put(`${prefix}${keys[index]![0]}`, "secret");
    const listed: KvKey[] = [];
    const error = await assertRejects(async () => {
      for await (const { key } of kv.list()) listed.push(key);
    }, KvCorruptionError);
    assertEquals(listed, keys.slice(0, index));
    assertStringIncludes(error.message, JSON.stringify(keys[index]));
    assert(!error.message.includes("secret"), error.message);
  });
}

inNamespace("metadata of any shape hides nothing", async (kv, prefix) => {
  const shapes = [
    null,
    1,
    "expires",
    [1],
    {},
    { expires: null },
    {
      expires: "2000-01-01",
    },
    { expires: [0] },
    { expires: 1e300 },
    { bytes: -1 },
    { bytes: "9" },
    {
      bytes: 1e300,
    },
  ];
  for (const [i, metadata] of shapes.entries()) {
    await namespace.put(`${prefix}${100 + i}`, `${i}`, { metadata });
  }
  const keys = shapes.map((_, i) => [`${100 + i}`] as const);
  assertEquals(
    await Promise.all(keys.map((key) => kv.get(key))),
    shapes.map((_, i) => i),
  );
  assertEquals(
    (await Array.fromAsync(kv.list())).map(({ value }) => value),
    shapes.map((_, i) => i),
  );
});

inNamespace("a value under a digest belongs to its key", async (kv, prefix) => {
  const key = ["long", "é".repeat(600)] as const;
  await kv.set(key, "mine");
  const [{ name }] = (await namespace.list({ prefix })).keys as [
    { name: string },
  ];
  const other = ["long", "è".repeat(600)];
  for (
    const stored of [
      { key: other, value: "not mine" },
      { key: ["long"], value: "not mine" },
      { key: [...key, "more"], value: "not mine" },
      { key: ["long", 1], value: 1 },
      { key: ["long", "\ud800"], value: 1 },
      { key: [], value: 1 },
      { key: "long", value: 1 },
      { key },
      { value: 1 },
      [key, 1],
      null,
      "mine",
    ]
  ) {
    await namespace.put(name, JSON.stringify(stored));
    await assertRejects(() => kv.get(key), KvCorruptionError);
    await assertRejects(() => Array.fromAsync(kv.list()), KvCorruptionError);
    assertEquals(await kv.get(other as unknown as KvKey), undefined);
  }
  await kv.set(key, "mine");
  assertEquals(await read(kv, key), '"mine"');
});

inNamespace("each get of a long key gives a separate value", async (kv) => {
  const key = ["long", "é".repeat(600)] as const;
  await kv.set(key, { a: 1 });
  const [a, b] = await Promise.all([kv.get(key), kv.get(key)]);
  assertEquals(a, b);
  assert(a !== b);
});

inNamespace("a list reads at most 8 MB of large values at once", async (
  kv,
  prefix,
) => {
  const asked: string[][] = [];
  const watched = new WorkersKvStore(watch(asked), {
    keyPrefix: prefix.slice(0, -1),
  });
  for (let i = 0; i < 200; i++) await kv.set(["a", `${i}`], i);
  for (let i = 0; i < 12; i++) await kv.set(["b", `${i}`], "é".repeat(1e6));
  assertEquals((await Array.fromAsync(watched.list())).length, 212);
  const large = asked.map((names) =>
    names.filter((name) => name.startsWith(`${prefix}b`)).length
  );
  assert(Math.max(...large) <= 4, `${large}`);
});

inNamespace("one value that cannot be read fails alone", async (kv, prefix) => {
  await kv.set(["a"], 1);
  await kv.set(["b"], 2n);
  await kv.set(["c"], 3);
  const broken: WorkersKvNamespace = {
    ...watch([]),
    getWithMetadata: ((names: never, type: never) =>
      names === `${prefix}b`
        ? Promise.reject(new Error("KV GET failed: 400 Bad Request"))
        : namespace.getWithMetadata(names, type)) as WorkersKvNamespace[
        "getWithMetadata"
      ],
  };
  const store = new WorkersKvStore(broken, { keyPrefix: prefix.slice(0, -1) });
  const [a, b, c] = await Promise.allSettled(
    ["a", "b", "c"].map((part) =>
      store.get([part])
    ),
  );
  assertEquals(a, { status: "fulfilled", value: 1 });
  assertEquals(c, { status: "fulfilled", value: 3 });
  for (
    const error of [
      (b as PromiseRejectedResult).reason,
      await assertRejects(() => Array.fromAsync(store.list()), KvError),
    ]
  ) assertEquals(error.name, "KvError");
});

inNamespace("foreign values are values or damage", async (kv, prefix) => {
  await kv.set(["x", "neighbour"], 1);
  for (const [i, stored] of foreign.entries()) {
    await namespace.put(`${prefix}x!${i}`, stored);
    await read(kv, ["x", `${i}`]);
    assertEquals(await kv.get(["x", "neighbour"]), 1);
    await kv.set(["x", `${i}`], i);
    assertEquals(await read(kv, ["x", `${i}`]), `${i}`);
  }
});

inNamespace("400 values at random, each one or damage", async (kv, prefix) => {
  const random = randomOf(1);
  const originals = [
    { name: "Ærøskøbing", tags: ["a"] },
    [1, null, "x".repeat(500)],
    { at: new Date(0), big: "1n" },
  ];
  let damaged = 0;
  for (let i = 0; i < 400; i++) {
    const key = i % 4 === 0
      ? ["long", "é".repeat(600), `${i}`] as const
      : ["short", `${i}`] as const;
    await kv.set(key, pick(random, originals));
    const { keys } = await namespace.list({
      prefix: prefix + encodeKey(key.slice(0, 1)),
    });
    const name = i % 4 === 0 ? keys[0]!.name : `${prefix}${encodeKey(key)}`;
    const { value } = await namespace.getWithMetadata(name, "arrayBuffer");
    const stored = new Uint8Array(value!);
    const text = new TextDecoder().decode(stored);
    await namespace.put(
      name,
      mutate(random, stored[0] === 0xd9 ? stored : text),
    );
    if (i % 4 !== 0) {
      if (await read(kv, key) === "damaged") damaged++;
    } else {
      const [got] = await Promise.allSettled([kv.get(key)]);
      if (got.status === "rejected") {
        assertInstanceOf(got.reason, KvCorruptionError);
        damaged++;
      }
    }
    await kv.set(key, i);
    assertEquals(await kv.get(key), i);
    await kv.delete(key);
  }
  assert(damaged > 200, `${damaged}`);
});

/** The namespace as a plain object that notes what is read together. */
function watch(asked: string[][]): WorkersKvNamespace {
  return {
    getWithMetadata: ((names: string | string[], type: never) => {
      asked.push([names].flat());
      return namespace.getWithMetadata(names as never, type);
    }) as WorkersKvNamespace["getWithMetadata"],
    put: (...parameters) => namespace.put(...parameters),
    delete: (name) => namespace.delete(name),
    list: (options) => namespace.list(options),
  };
}
