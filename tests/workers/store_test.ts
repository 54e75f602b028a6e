// The Workers KV store on real workerd.
import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { install } from "@sinonjs/fake-timers";
import {
  KvCorruptionError,
  KvError,
  KvOutcomeUnknownError,
} from "../../mod.ts";
import { type WorkersKvNamespace, WorkersKvStore } from "../../kv/workers.ts";
import { FakeTime } from "@std/testing/time";
import { bundle } from "../support/worker/bundle.ts";
import type { KVNamespace } from "../support/worker/miniflare.d.ts";
import { conformanceInWorkerd, unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";

/** One for its shape alone, which answers nothing. */
const noNamespace = {
  getWithMetadata() {},
  put() {},
  delete() {},
  list() {},
} as unknown as WorkersKvNamespace;

conformanceInWorkerd("WorkersKvStore", "workers", {
  without: new WorkersKvStore(noNamespace).traits.without,
  processes: 2,
});

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

/** Tests a store in the namespace, through a proxy, with its own prefix. */
function inWorkersKv(
  name: string,
  fn: (kv: WorkersKvStore, prefix: string) => Promise<void>,
): void {
  Deno.test({
    ...unsanitized,
    name: `WorkersKvStore: ${name}`,
    fn: () => {
      const keyPrefix = `test ${prefixes++}`;
      return fn(new WorkersKvStore(namespace, { keyPrefix }), `${keyPrefix}!`);
    },
  });
}

Deno.test("WorkersKvStore leaves out four guarantees, and has no cas()", () => {
  const store = new WorkersKvStore(noNamespace);
  assertEquals(Object.keys(store.traits.without), [
    "cas",
    "linearizable",
    "streaming",
    "stable-list",
  ]);
  assertFalse("cas" in store);
  // @ts-expect-error It is not one of its members.
  assertEquals(store.cas, undefined);
});

inWorkersKv(
  "list() reads some names before the first entry, or all in reverse",
  async (kv, prefix) => {
    const keys = Array.from({ length: 130 }, (_, i) => [`${i}`] as const);
    await Promise.all(keys.map((key) => kv.set(key, 1)));
    let pages = 0;
    const small = new WorkersKvStore({
      getWithMetadata: namespace.getWithMetadata.bind(namespace),
      put: namespace.put.bind(namespace),
      delete: namespace.delete.bind(namespace),
      list(options) {
        pages++;
        return namespace.list({ ...options, limit: 60 });
      },
    } as WorkersKvNamespace, { keyPrefix: prefix.slice(0, -1) });
    for await (const _ of small.keys()) break;
    assertEquals(pages, 2);
    for await (const _ of small.keys(undefined, { reverse: true })) break;
    assertEquals(pages, 2 + 3);
  },
);

inWorkersKv(
  "entries are names and values that others can read",
  async (kv, prefix) => {
    await kv.set(["users", "al ice"], { visits: 1 });
    await kv.set(["bytes"], new Uint8Array([1, 2]));
    assertEquals(
      await namespace.get(`${prefix}users!al"Cice`),
      '{"visits":1}',
    );
    const { value } = await namespace.getWithMetadata(
      `${prefix}bytes`,
      "arrayBuffer",
    );
    assertEquals([...new Uint8Array(value!).subarray(0, 3)], [
      0xd9,
      0xd9,
      0xf7,
    ]);
  },
);

inWorkersKv(
  "an entry expires to the millisecond, its name later",
  async (kv, prefix) => {
    using time = new FakeTime();
    const expires = Date.now() + 1_500;
    await Promise.all([
      kv.set(["a"], 1, { ttl: 1_500 }),
      kv.set(["b"], 2, { ttl: 90_000.5 }),
      kv.set(["c"], 3, { ttl: 1e15 }),
    ]);
    const { keys } = await namespace.list({ prefix });
    const seconds = keys.map(({ expiration }) =>
      expiration && expiration - expires / 1000 + 1.5
    );
    assert(Math.abs(seconds[0]! - 60) < 5, `${seconds}`);
    assert(Math.abs(seconds[1]! - 91) < 5, `${seconds}`);
    assertEquals(seconds[2], undefined);

    time.tick(1_499);
    assertEquals(await kv.get(["a"]), 1);
    assertEquals(await Promise.all([kv.get(["a"]), kv.get(["b"])]), [1, 2]);
    assertEquals((await Array.fromAsync(kv.list())).length, 3);
    time.tick(1);
    assertEquals(await kv.get(["a"]), undefined);
    assertEquals(await Promise.all([kv.get(["a"]), kv.get(["b"])]), [
      undefined,
      2,
    ]);
    assertEquals((await Array.fromAsync(kv.list())).length, 2);
    assertEquals((await namespace.list({ prefix })).keys.length, 3);

    await kv.set(["b"], 4);
    time.tick(1e6);
    assertEquals(await kv.get(["b"]), 4);
  },
);

inWorkersKv(
  "a value of 25 MiB is kept, one byte more is refused",
  async (kv) => {
    const largest = "x".repeat(26_214_400 - 2);
    await kv.set(["a"], largest);
    assert(await kv.get(["a"]) === largest);
    const error = await assertRejects(
      () => kv.set(["a"], `${largest}x`),
      RangeError,
    );
    assertEquals(
      error.message,
      'Cannot set ["a"]: value must take at most 26214400 bytes: ' +
        "received 26214401",
    );
    await assertRejects(
      () => kv.set(["a"], `${largest.slice(2)}é…`),
      RangeError,
    );
    assert(await kv.get(["a"]) === largest);
  },
);

inWorkersKv("values too large to come together come one by one", async (kv) => {
  const values = Array.from({ length: 5 }, (_, i) => `${i}`.repeat(9_000_000));
  for (const [i, value] of values.entries()) await kv.set([`${i}`], value);
  const found = await Promise.all(values.map((_, i) => kv.get([`${i}`])));
  assert(found.every((value, i) => value === values[i]));
  let i = 0;
  for await (const { value } of kv.list()) assert(value === values[i++]);
  assertEquals(i, 5);
});

inWorkersKv(
  "the gets of a tick travel a hundred at a time",
  async (_, prefix) => {
    const keyPrefix = prefix.slice(0, -1);
    const asked: number[] = [];
    const counting: WorkersKvNamespace = {
      ...methodsOf(namespace),
      getWithMetadata: ((names: string | string[], type: never) => {
        asked.push(typeof names === "string" ? 1 : names.length);
        return namespace.getWithMetadata(names as never, type);
      }) as WorkersKvNamespace["getWithMetadata"],
    };
    const kv = new WorkersKvStore(counting, { keyPrefix });
    await Promise.all([kv.set(["1"], "one"), kv.set(["2"], 2n)]);
    const found = await Promise.all(
      Array.from({ length: 250 }, (_, i) => kv.get([`${i}`])),
    );
    assertEquals(found.slice(0, 4), [undefined, "one", 2n, undefined]);
    // The one for itself is for the value that is no text.
    assertEquals(asked.sort((a, b) => a - b), [1, 50, 100, 100]);

    asked.length = 0;
    assertEquals(await Promise.all([kv.get(["1"]), kv.get(["1"])]), [
      "one",
      "one",
    ]);
    assertEquals(asked, [1]);
  },
);

inWorkersKv(
  "the true key of a long one stands next to its value",
  async (kv, prefix) => {
    const key = ["long", "é".repeat(3_000), "!"] as const;
    await kv.set(key, { a: 1 });
    await kv.set([...key, "bytes"], [2n]);
    const { keys } = await namespace.list({ prefix });
    assertEquals(keys.length, 2);
    const values = await Promise.all(
      keys.map(({ name }) => namespace.get(name)),
    );
    assert(values.includes(JSON.stringify({ key, value: { a: 1 } })));
    assertEquals(await kv.get(key), { a: 1 });
    const listed = await Array.fromAsync(kv.list(["long", "é".repeat(3_000)]));
    assertEquals(
      new Map(listed.map(({ key, value }) => [key.length, value])),
      new Map<number, unknown>([
        [3, { a: 1 }],
        [4, [2n]],
      ]),
    );
  },
);

inWorkersKv("lists are in every order, and keys need no values", async (
  kv,
  prefix,
) => {
  for (let i = 0; i < 130; i++) {
    await kv.set([i < 100 ? "a" : "b", `${100 + i}`], i);
  }
  await kv.set(["b", "é".repeat(600)], "long");
  await kv.set(["b", "expiring"], 1, { ttl: 600_000 });
  const all = await Array.fromAsync(kv.list());
  assertEquals(all.length, 132);
  const back = all.toReversed();
  assertEquals(await Array.fromAsync(kv.list([], { reverse: true })), back);
  for (const i of [0, 99, 100, 130, 131]) {
    const after = all[i]!.key;
    assertEquals(
      await Array.fromAsync(kv.list([], { after })),
      all.slice(i + 1),
    );
    assertEquals(
      await Array.fromAsync(kv.list([], { after, reverse: true, limit: 20 })),
      all.slice(0, i).reverse().slice(0, 20),
    );
  }
  const asked: string[][] = [];
  const watched = new WorkersKvStore({
    ...methodsOf(namespace),
    getWithMetadata: ((names: string | string[], type: never) => {
      asked.push([names].flat());
      return namespace.getWithMetadata(names as never, type);
    }) as WorkersKvNamespace["getWithMetadata"],
  }, { keyPrefix: prefix.slice(0, -1) });
  assertEquals(
    await Array.fromAsync(watched.keys()),
    all.map(({ value: _, ...rest }) => rest),
  );
  // Only the true key of the long one is not in its name.
  assertEquals(asked.map((names) => names.length), [1]);
  assertEquals(await watched.count(["a"]), 100);
  assertEquals(await watched.clear(["b"]), 32);
  assertEquals(await watched.count(), 100);
  assertEquals(await watched.sweep(), 0);
});

inWorkersKv("names of others are left alone", async (kv, prefix) => {
  await kv.set(["a"], 1);
  await kv.set(["a", "b"], 2);
  await kv.set(["ab"], 3);
  const others = [`${prefix}a b`, `${prefix}a\n`, `${prefix}"`, "zzz", "aaa"];
  for (const name of others) await namespace.put(name, "not JSON");
  const keys = async (...prefix: string[]) =>
    (await Array.fromAsync(kv.list(prefix as never))).map(({ key }) => key);
  assertEquals(await keys(), [["a"], ["a", "b"], ["ab"]]);
  assertEquals(await keys("a"), [["a"], ["a", "b"]]);
});

inWorkersKv("metadata of others is no expiry", async (kv, prefix) => {
  await namespace.put(`${prefix}a`, "1", { metadata: "expires" });
  await namespace.put(`${prefix}b`, "2", { metadata: { expires: "soon" } });
  assertEquals(await Array.fromAsync(kv.list()), [
    { key: ["a"], value: 1 },
    { key: ["b"], value: 2 },
  ]);
});

inWorkersKv("what is no JSON fails alone", async (kv, prefix) => {
  await namespace.put(`${prefix}bad`, "{");
  await namespace.put(`${prefix}bytes`, new Uint8Array([0xff]));
  await kv.set(["good"], 1);
  const outcomes = await Promise.allSettled([
    kv.get(["bad"]),
    kv.get(["bytes"]),
    kv.get(["good"]),
  ]);
  assertInstanceOf(
    (outcomes[0] as PromiseRejectedResult).reason,
    KvCorruptionError,
  );
  assertInstanceOf(
    (outcomes[1] as PromiseRejectedResult).reason,
    KvCorruptionError,
  );
  assertEquals((outcomes[2] as PromiseFulfilledResult<unknown>).value, 1);
  const error = await assertRejects(
    () => Array.fromAsync(kv.list()),
    KvCorruptionError,
  );
  assertStringIncludes(error.message, '["bad"]');
});

inWorkersKv(
  "a write that is refused for now is made later",
  async (_, prefix) => {
    const keyPrefix = prefix.slice(0, -1);
    let refusals = 2;
    const kv = new WorkersKvStore({
      ...methodsOf(namespace),
      put: (...parameters) =>
        refusals-- > 0
          ? Promise.reject(new Error("KV PUT failed: 429 Too Many Requests"))
          : namespace.put(...parameters),
    }, { keyPrefix });
    const started = performance.now();
    await kv.set(["a"], 1);
    assert(performance.now() - started >= 2_500);
    assertEquals(await kv.get(["a"]), 1);
  },
);

for (
  const { answer, Type, attempts } of [
    {
      answer: "KV PUT failed: 429 Too Many Requests",
      Type: KvError,
      attempts: 5,
    },
    {
      answer: "KV PUT failed: 500 Internal Server Error",
      Type: KvOutcomeUnknownError,
      attempts: 5,
    },
    {
      answer: "Network connection lost.",
      Type: KvOutcomeUnknownError,
      attempts: 5,
    },
    { answer: "KV PUT failed: 400 Bad Request", Type: KvError, attempts: 1 },
    {
      answer: "Too many API requests by single worker invocation.",
      Type: KvError,
      attempts: 1,
    },
  ]
) {
  Deno.test(`WorkersKvStore: a write always answered "${answer}" is a ${Type.name}`, async () => {
    const clock = install({ toFake: ["setTimeout"] });
    try {
      let attempted = 0;
      const cause = new Error(answer);
      const kv = new WorkersKvStore({
        ...noNamespace,
        put() {
          attempted++;
          return Promise.reject(cause);
        },
      });
      const rejected = assertRejects(() => kv.set(["a"], 1), KvError);
      const started = clock.now;
      await clock.runAllAsync();
      const error = await rejected;
      assertEquals(error.name, Type.name);
      assertEquals(error.cause, cause);
      assertEquals(
        error.message,
        Type === KvError
          ? `Cannot set ["a"]: ${answer}`
          : `Cannot confirm set ["a"], which may have been applied: ${answer}`,
      );
      assertEquals(attempted, attempts);
      assert(clock.now - started < 15_000);
    } finally {
      clock.uninstall();
    }
  });
}

Deno.test("WorkersKvStore rejects a keyPrefix of more than 256 bytes", () => {
  const error = assertThrows(
    () => new WorkersKvStore(noNamespace, { keyPrefix: "é".repeat(129) }),
    RangeError,
  );
  assertMatch(error.message, /at most 256 bytes: received 258$/);
});

Deno.test("WorkersKvStore rejects other clients and invalid prefixes", () => {
  for (const nothing of [undefined, null, {}, 1]) {
    assertThrows(() => new WorkersKvStore(nothing as never), TypeError);
  }
  for (const keyPrefix of [1, null, "\ud800", "a!b", "!"]) {
    assertThrows(
      () => new WorkersKvStore(noNamespace, { keyPrefix: keyPrefix as never }),
      TypeError,
      "keyPrefix",
    );
  }
});

Deno.test({
  ...unsanitized,
  name: "WorkersKvStore: stores of different prefixes share no entries",
  async fn() {
    const prefixes = [
      "",
      ".",
      "..",
      "t",
      "t:",
      "t:admin:",
      't"',
      "x".repeat(256),
    ];
    const stores = prefixes.map((keyPrefix) =>
      new WorkersKvStore(namespace, { keyPrefix })
    );
    const keys = [[""], ["root"], ["admin:root"], ["t", "root"], ["."], [
      "é".repeat(300),
    ]];
    for (const [i, kv] of stores.entries()) {
      for (const key of keys) await kv.set(key as never, prefixes[i]);
    }
    for (const [i, kv] of stores.entries()) {
      for (const key of keys) {
        assertEquals(await kv.get(key as never), prefixes[i]);
      }
      const listed = await Array.fromAsync(kv.list());
      assertEquals(listed.length, keys.length);
      assert(listed.every(({ value }) => value === prefixes[i]));
    }
    for (const kv of stores) {
      for (const key of keys) await kv.delete(key as never);
    }
  },
});

Deno.test("@org/kv/workers needs no built-in of Node or the runtime", async () => {
  const code = await bundle("kv/workers.ts");
  const imported =
    /(?:from|import|import\(|require\()\s*["'](?:node|cloudflare):/g;
  assertEquals(code.match(imported), null);
});

/** What a proxy answers to, as a plain object. */
function methodsOf(namespace: KVNamespace): WorkersKvNamespace {
  return {
    getWithMetadata:
      ((name: string, type: "arrayBuffer") =>
        namespace.getWithMetadata(name, type)) as WorkersKvNamespace[
          "getWithMetadata"
        ],
    put: (...parameters) => namespace.put(...parameters),
    delete: (name) => namespace.delete(name),
    list: (options) => namespace.list(options),
  };
}
