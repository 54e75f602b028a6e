import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type DenoKvClient, type DenoKvKey, DenoKvStore } from "../kv/deno.ts";
import {
  KvCorruptionError,
  KvError,
  KvOutcomeUnknownError,
} from "../kv/errors.ts";
import type { KvKey } from "../kv/store.ts";
import { conformance } from "../testing/mod.ts";
import { FakeTime } from "./fake_time.ts";
import { runPrograms } from "./programs.ts";

const HOUR = 3_600_000;

conformance({
  name: "DenoKvStore in memory",
  async open() {
    const kv = await Deno.openKv(":memory:");
    return { store: new DenoKvStore(kv), close: () => kv.close() };
  },
});

conformance({
  name: "DenoKvStore on a file",
  async open() {
    const file = new DatabaseFile();
    return {
      store: new DenoKvStore(await file.open()),
      peer: async () => new DenoKvStore(await file.open()),
      close: () => file[Symbol.dispose](),
    };
  },
});

/** A database in a temporary folder, and its handles. */
class DatabaseFile implements Disposable {
  readonly #folder = Deno.makeTempDirSync();
  readonly #handles: Deno.Kv[] = [];
  readonly path = `${this.#folder}/kv.db`;

  async open(): Promise<Deno.Kv> {
    const kv = await Deno.openKv(this.path);
    this.#handles.push(kv);
    return kv;
  }

  [Symbol.dispose]() {
    for (const kv of this.#handles) kv.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** What really is in the database, the driver's own entries included. */
async function rawEntries(kv: Deno.Kv): Promise<Deno.KvEntry<unknown>[]> {
  const all = { start: [new Uint8Array()], end: [true, true] };
  return await Array.fromAsync(kv.list(all));
}

/** How many entries of a kind are the driver's own. */
async function countOwn(
  kv: Deno.Kv,
  kind: "chunk" | "large" | "receipt",
): Promise<number> {
  const entries = await rawEntries(kv);
  return entries.filter(({ key }) =>
    key[0] instanceof Uint8Array && key[1] === kind
  ).length;
}

/** A database whose commits pass through a function. */
function withCommits(
  kv: Deno.Kv,
  commit: (
    commit: () => Promise<Deno.KvCommitResult | Deno.KvCommitError>,
    keys: readonly DenoKvKey[],
  ) => Promise<Deno.KvCommitResult | Deno.KvCommitError>,
): DenoKvClient {
  return {
    get: (key) => kv.get(key as Deno.KvKey),
    getMany: (keys) => kv.getMany(keys as Deno.KvKey[]),
    list: (selector, options) =>
      kv.list(selector as Deno.KvListSelector, options),
    atomic() {
      const atomic = kv.atomic();
      const keys: DenoKvKey[] = [];
      return {
        check: (check) => atomic.check(check as Deno.AtomicCheck),
        set(key, value, options) {
          keys.push(key);
          return atomic.set(key as Deno.KvKey, value, options);
        },
        delete(key) {
          keys.push(key);
          return atomic.delete(key as Deno.KvKey);
        },
        commit: () => commit(() => atomic.commit(), keys),
      };
    },
  };
}

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
    new Deno.KvU64(5n),
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
  await db.set(["undefined"], undefined);
  assert(await kv.cas(["undefined"], undefined, 1));
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

Deno.test("DenoKvStore takes no value for the form in which it stores others", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const values = [
    { "@org/kv": 1, value: 1 },
    { "@org/kv": 1, chunks: { id: "a", count: 1, bytes: 1 } },
    { "@org/kv": 2, expires: 0 },
  ];
  for (const value of values) {
    await kv.set(["a"], value);
    assertEquals(await kv.get(["a"]), value);
    await kv.set(["b"], 1);
    assert(await kv.cas(["a"], value, { nested: value }));
    assertEquals((await db.get(["a"])).value, { nested: value });
  }
});

Deno.test("DenoKvStore tells an unknown form from its neighbours", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  await kv.set(["a"], 1);
  const damaged: [KvKey, unknown][] = [
    [["newer"], { "@org/kv": 9 }],
    [["empty"], { "@org/kv": 1 }],
    [["bytes"], { "@org/kv": 1, data: new Uint8Array([1, 2]) }],
    [["gone"], { "@org/kv": 1, chunks: { id: "no", count: 1, bytes: 1 } }],
  ];
  for (const [key, value] of damaged) {
    await db.set(key, value);
    const results = await Promise.allSettled([
      kv.get(["a"]),
      kv.get(key),
      kv.get(["a"]),
      kv.cas(key, 1, 2),
      kv.cas(["b"], undefined, undefined),
    ]);
    assertEquals(results.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      assert(result.reason instanceof KvCorruptionError);
      assert(result.reason.message.includes(JSON.stringify(key)));
    }
    await assertRejects(
      () => Array.fromAsync(kv.list(key)),
      KvCorruptionError,
      `Cannot list ${JSON.stringify(key)}`,
    );
    await kv.set(key, "whole");
    assertEquals(await kv.get(key), "whole");
  }
});

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
  using sqlite = new DatabaseSync(file.path);
  const rows = sqlite.prepare("SELECT expiration_ms FROM kv ORDER BY k").all();
  const [endless, none, short] = rows.map(({ expiration_ms }) => expiration_ms);
  assertEquals([endless, none], [-1, -1]);
  assert(Number(short) >= before + 5_001 && Number(short) < before + 15_000);
});

Deno.test("values of 70 KB, 900 KB and 5 MB are never seen half", async () => {
  using file = new DatabaseFile();
  const writer = new DenoKvStore(await file.open());
  const reader = new DenoKvStore(await file.open());
  for (const size of [70_000, 900_000, 5_000_000]) {
    const versions = ["a", "b"].map((letter) => letter.repeat(size));
    await writer.set(["large"], versions[0]);
    let writing = true;
    const reading = (async () => {
      let reads = 0;
      for (; writing || reads < 2; reads++) {
        const value = await reader.get<string>(["large"]);
        const [entry] = await Array.fromAsync(reader.list());
        assert(value === versions[0] || value === versions[1]);
        assert(versions.includes(entry!.value as string));
      }
    })();
    for (let i = 1; i <= 6; i++) {
      await writer.set(["large"], versions[i % 2]);
    }
    const current = versions[0]!;
    assert(await writer.cas(["large"], current, versions[1]));
    assertEquals(await writer.cas(["large"], current, versions[1]), false);
    writing = false;
    await reading;
  }
});

Deno.test("DenoKvStore deletes the chunks of values that were replaced", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const large = "x".repeat(900_000);
  await kv.set(["kept"], large);
  const perValue = await countOwn(db, "chunk");
  assertEquals(perValue, 15);
  await kv.set(["kept"], large);
  await kv.cas(["kept"], large, `${large}.`);
  assertEquals(await countOwn(db, "chunk"), perValue);

  const gone = Array.from({ length: 20 }, (_, i): KvKey => ["gone", `${i}`]);
  for (const key of gone) await kv.set(key, large, { ttl: HOUR });
  assertEquals(await countOwn(db, "chunk"), 21 * perValue);
  for (const key of gone.slice(0, 10)) await kv.set(key, "small");
  for (const key of gone.slice(10)) await kv.delete(key);
  for (let i = 0; i < 5; i++) await kv.set(["another"], `${i}`.repeat(70_000));
  assertEquals(await countOwn(db, "large"), 2);
  assertEquals(await countOwn(db, "chunk"), perValue + 2);
  time.tick(1);
  assertEquals(await kv.get(["kept"]), `${large}.`);
});

Deno.test("a write that dies halfway leaves the old value, and no garbage", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const old = "old".repeat(300_000);
  await kv.set(["a"], old);
  const chunks = await countOwn(db, "chunk");

  let commits = 0;
  const refusing = new DenoKvStore(withCommits(db, (commit) => {
    return ++commits === 3 ? Promise.reject(new TypeError("no")) : commit();
  }));
  await assertRejects(() => refusing.set(["a"], "x".repeat(3e6)), KvError);
  assertEquals(await kv.get(["a"]), old);
  assertEquals(await countOwn(db, "chunk"), chunks);

  for (const call of ["set", "cas"] as const) {
    let commits = 0;
    const dying = new DenoKvStore(withCommits(db, (commit) => {
      return ++commits > 3 ? Promise.reject(new TypeError("dead")) : commit();
    }));
    const value = "x".repeat(3e6);
    await assertRejects(
      () =>
        call === "set" ? dying.set(["a"], value) : dying.cas(["a"], old, value),
      KvError,
      "dead",
    );
  }
  assertEquals(await kv.get(["a"]), old);
  assertEquals(await countOwn(db, "large"), 3);
  assert(await countOwn(db, "chunk") > chunks);
  for (let i = 0; i < 3; i++) await kv.set(["b"], `${i}`.repeat(70_000));
  assertEquals(await countOwn(db, "large"), 4, "they might be under way");
  time.tick(HOUR + 1);
  for (let i = 0; i < 3; i++) await kv.set(["b"], `${i}`.repeat(70_000));
  assertEquals(await countOwn(db, "large"), 2);
  assertEquals(await countOwn(db, "chunk"), chunks + 2);
  assertEquals(await kv.get(["a"]), old);
});

Deno.test("a write whose chunks were given up is rejected and changes nothing", async () => {
  using time = new FakeTime();
  using db = await Deno.openKv(":memory:");
  const other = new DenoKvStore(db);
  await other.set(["a"], "old");
  let commits = 0;
  const slow = new DenoKvStore(withCommits(db, async (commit) => {
    if (++commits === 3) {
      time.tick(HOUR + 1);
      for (let i = 0; i < 3; i++) await other.set(["b"], "b".repeat(70_000));
    }
    return commit();
  }));
  await assertRejects(
    () => slow.set(["a"], "x".repeat(900_000)),
    KvError,
    "more than an hour",
  );
  assertEquals(await other.get(["a"]), "old");
  assertEquals(await countOwn(db, "large"), 1);
});

Deno.test("one bad call among a thousand fails alone", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(withCommits(db, (commit, keys) => {
    return keys.some((key) => key[1] === "777")
      ? Promise.reject(new TypeError("refused"))
      : commit();
  }));
  const names = Array.from({ length: 1_000 }, (_, i) => `${i}`);
  const calls: ((name: string) => Promise<unknown>)[] = [
    (name) => kv.set(["set", name], name),
    (name) => kv.cas(["create", name], undefined, name),
    (name) => kv.cas(["set", name], name, "new"),
    (name) => kv.delete(["set", name]),
  ];
  await db.set(["set", "777"], "777");
  for (const call of calls) {
    const results = await Promise.allSettled(names.map(call));
    const failed = results.flatMap(({ status }, i) =>
      status === "rejected" ? [i] : []
    );
    assertEquals(failed, [777]);
    const [failure] = results.slice(777);
    assert(failure?.status === "rejected");
    assert(failure.reason instanceof KvError);
    assert(failure.reason.message.endsWith("refused"));
  }
  const left = await Array.fromAsync(kv.list(["set"]));
  assertEquals(left, [{ key: ["set", "777"], value: "777" }]);
});

Deno.test("batches of long keys and of large values stay below the limits", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const keys = Array.from(
    { length: 200 },
    (_, i): KvKey => [`${i}`, "k".repeat(1_900), "\0".repeat(i % 60)],
  );
  const sizes = keys.map((_, i) => i % 5 === 0 ? 60_000 : i);
  const values = sizes.map((size) => "x".repeat(size));
  await Promise.all(keys.map((key, i) => kv.set(key, values[i])));
  assertEquals(await Promise.all(keys.map((key) => kv.get(key))), values);
  const swaps = keys.map((key, i) => kv.cas(key, values[i], [values[i]]));
  assertEquals(await Promise.all(swaps), keys.map(() => true));
  assertEquals(
    await Promise.all(keys.map((key) => kv.get(key))),
    values.map((value) => [value]),
  );
});

Deno.test("a swap that was sent twice counts as one that was made", async () => {
  using db = await Deno.openKv(":memory:");
  // What the client of a remote database does when the first answer is lost.
  const twice = new DenoKvStore(withCommits(db, async (commit) => {
    await commit();
    return await commit();
  }));
  const kv = new DenoKvStore(db);
  assert(await twice.cas(["a"], undefined, 1));
  assert(await twice.cas(["a"], 1, 2));
  assertEquals(await twice.cas(["a"], 1, 3), false);
  assertEquals(await kv.get(["a"]), 2);
  assert(await twice.cas(["a"], 2, undefined));
  assertEquals(await kv.get(["a"]), undefined);
  const large = "x".repeat(900_000);
  await twice.set(["large"], large);
  assertEquals(await kv.get(["large"]), large);
  assert(await twice.cas(["large"], large, `${large}.`));
  assertEquals(await kv.get(["large"]), `${large}.`);
});

Deno.test("a commit that was not answered has an unknown outcome", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(withCommits(db, async (commit) => {
    await commit();
    throw new Error("connection reset");
  }));
  const large = "x".repeat(300_000);
  const results = await Promise.allSettled([
    kv.set(["a"], 1),
    kv.set(["b"], large),
    kv.cas(["c"], undefined, 1),
    kv.cas(["d"], undefined, large),
    kv.delete(["e"]),
  ]);
  for (const result of results) {
    assert(result.status === "rejected");
    assert(result.reason instanceof KvOutcomeUnknownError);
    assert(result.reason.message.endsWith("connection reset"));
  }
  const reader = new DenoKvStore(db);
  assertEquals(await Array.fromAsync(reader.list()), [
    { key: ["a"], value: 1 },
    { key: ["b"], value: large },
    { key: ["c"], value: 1 },
    { key: ["d"], value: large },
  ]);
});

Deno.test("DenoKvStore tries again while the database is locked", async () => {
  using db = await Deno.openKv(":memory:");
  let locked = 0;
  const client = withCommits(db, (commit) => {
    return locked-- > 0
      ? Promise.reject(new TypeError("database is locked"))
      : commit();
  });
  const kv = new DenoKvStore(client, { busyTimeout: 60_000 });
  for (const times of [1, 3, 6]) {
    locked = times;
    await Promise.all([kv.set(["a"], times), kv.set(["b"], times)]);
    locked = times;
    assert(await kv.cas(["a"], times, -times));
  }
  assertEquals(await kv.get(["a"]), -6);

  const hasty = new DenoKvStore(client, { busyTimeout: 20 });
  locked = Infinity;
  const error = await assertRejects(() => hasty.set(["a"], 2), KvError);
  assertEquals(error.message, 'Cannot set ["a"]: database is locked');
  assert(error.cause instanceof TypeError);
  locked = 0;
  assertEquals(await hasty.get(["a"]), -6);
});

Deno.test("DenoKvStore waits for the lock of another process", async () => {
  using file = new DatabaseFile();
  const kv = new DenoKvStore(await file.open());
  const reader = new DenoKvStore(await file.open());
  await kv.set(["a"], 1);
  using other = new DatabaseSync(file.path);
  other.exec("BEGIN IMMEDIATE");
  const write = kv.set(["a"], 2);
  const swap = kv.cas(["b"], undefined, 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(await reader.get(["a"]), 1);
  other.exec("ROLLBACK");
  await write;
  assert(await swap);
});

Deno.test("three processes lose no increment on one Deno KV file", async () => {
  using file = new DatabaseFile();
  const kv = new DenoKvStore(await file.open());
  await runPrograms(3, "deno_counter.ts", [file.path, "300"]);
  assertEquals(await kv.get(["counter"]), 900);
});

Deno.test("DenoKvStore leaves a few receipts only, which expire", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  for (let i = 0; i < 50; i++) await kv.cas(["a"], i || undefined, i + 1);
  assertEquals(await countOwn(db, "receipt"), 1);
});

Deno.test("DenoKvStore rejects calls on a closed database", async () => {
  const db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  await kv.set(["a"], 1);
  db.close();
  const calls = [
    () => kv.get(["a"]),
    () => kv.set(["a"], 1),
    () => kv.set(["a"], "x".repeat(100_000)),
    () => kv.cas(["a"], 1, 2),
    () => kv.delete(["a"]),
    () => Array.fromAsync(kv.list()),
  ];
  for (const call of calls) {
    const error = await assertRejects(call, KvError, "Cannot ");
    assert(!(error instanceof KvOutcomeUnknownError));
  }
});

Deno.test("new DenoKvStore() refuses bad arguments", async () => {
  using db = await Deno.openKv(":memory:");
  assertThrows(
    () => new DenoKvStore({} as Deno.Kv),
    TypeError,
    "kv must have a method atomic()",
  );
  for (const busyTimeout of [-1, NaN, Infinity]) {
    assertThrows(
      () => new DenoKvStore(db, { busyTimeout }),
      RangeError,
      `received ${busyTimeout}`,
    );
  }
  const text = "1" as unknown as number;
  assertThrows(() => new DenoKvStore(db, { busyTimeout: text }), TypeError);
});
