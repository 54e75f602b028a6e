// Listing Deno KV: damaged entries, lost connections, and what is read when.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type DenoKvClient, DenoKvStore } from "../../kv/deno.ts";
import { KvCorruptionError, KvError } from "../../kv/errors.ts";
import type { KvKey } from "../../kv/store.ts";
import { withCommits } from "./databases.ts";

const keys = Array.from(
  { length: 40 },
  (_, i): KvKey => ["a", `${i}`.padStart(2, "0")],
);

/** The database, with another `list`. */
function withList(db: Deno.Kv, list: DenoKvClient["list"]): DenoKvClient {
  return { ...withCommits(db, (commit) => commit()), list };
}

for (const damaged of [0, 20, 39]) {
  Deno.test(`list() yields all entries before and after damaged entry ${damaged} of 40`, async () => {
    using db = await Deno.openKv(":memory:");
    const kv = new DenoKvStore(db);
    await Promise.all(keys.map((key, i) => kv.set(key, i, { ttl: 60_000 })));
    await db.set(keys[damaged]!, { "@org/kv": 1n, secret: "planted" });
    for (const reverse of [false, true]) {
      const order = reverse ? keys.toReversed() : keys;
      const at = reverse ? 39 - damaged : damaged;
      const seen: KvKey[] = [];
      const error = await assertRejects(async () => {
        for await (const { key } of kv.list([], { reverse })) seen.push(key);
      }, KvCorruptionError);
      assertEquals(seen, order.slice(0, at));
      assert(error.message.includes(JSON.stringify(keys[damaged])));
      assert(!Deno.inspect(error).includes("planted"));
      const rest = kv.list([], { reverse, after: keys[damaged] });
      assertEquals(
        await Array.fromAsync(rest, ({ key }) => key),
        order.slice(at + 1),
      );
    }
  });
}

Deno.test("a lost connection while listing is not a damaged entry", async () => {
  using db = await Deno.openKv(":memory:");
  const writer = new DenoKvStore(db);
  await Promise.all(
    Array.from({ length: 250 }, (_, i) => writer.set([`${1_000 + i}`], i)),
  );
  await writer.set(["large"], "x".repeat(100_000));
  let lists = 0;
  let failing = 2;
  const kv = new DenoKvStore(withList(db, (selector, options) => {
    if (++lists === failing) throw new Error("connection reset");
    return db.list(selector as Deno.KvListSelector, options);
  }));
  for (const [list, expected] of [[2, 100], [3, 200], [4, 250]] as const) {
    lists = 0;
    failing = list;
    const seen: unknown[] = [];
    const error = await assertRejects(async () => {
      for await (const { value } of kv.list()) seen.push(value);
    }, KvError);
    assertEquals(error.message, "Cannot list []: connection reset");
    assert(!(error instanceof KvCorruptionError));
    assertEquals(seen.length, expected);
  }
});

Deno.test("list() reads a large value when the caller reaches it, and keys() never", async () => {
  using db = await Deno.openKv(":memory:");
  const writer = new DenoKvStore(db);
  for (const key of keys.slice(0, 5)) {
    await writer.set(key, "x".repeat(100_000));
  }
  let lists = 0;
  const kv = new DenoKvStore(withList(db, (selector, options) => {
    lists++;
    return db.list(selector as Deno.KvListSelector, options);
  }));
  let seen = 0;
  for await (const _ of kv.list()) {
    // One for the page of entries, and one for the chunks of each value.
    assertEquals(lists, 1 + ++seen);
  }
  assertEquals(seen, 5);
  lists = 0;
  assertEquals(
    await Array.fromAsync(kv.keys(), ({ key }) => key),
    keys.slice(0, 5),
  );
  assertEquals(lists, 1);
});

Deno.test("list() continues after keys of every kind, in both directions", async () => {
  using db = await Deno.openKv(":memory:");
  const kv = new DenoKvStore(db);
  const long = "k".repeat(2_100);
  const stored: KvKey[] = [
    ["a"],
    ["a", ""],
    ["a", "b"],
    ["a", "b", "c"],
    ["a", "b", long, "1"],
    ["a", "b", long, "2"],
    ["a", "c"],
    ["a", long],
    ["a", long, "1"],
    ["a", "k".repeat(2_000)],
    ["a", "k".repeat(2_000), "z"],
    ["a", "k".repeat(2_000), long],
    ["b"],
    [long],
  ];
  await Promise.all(stored.map((key, i) => kv.set(key, i)));
  await db.set(["a", 1], "foreign");
  const prefixes: (KvKey | readonly [])[] = [[], ...stored];
  for (const prefix of prefixes) {
    const all = await Array.fromAsync(kv.list(prefix), ({ key }) => key);
    const backwards = kv.list(prefix, { reverse: true });
    assertEquals(
      await Array.fromAsync(backwards, ({ key }) => key),
      all.toReversed(),
    );
    for (const [i, after] of all.entries()) {
      for (const limit of [1, 2, Infinity]) {
        const next = kv.keys(prefix, { after, limit });
        assertEquals(
          await Array.fromAsync(next, ({ key }) => key),
          all.slice(i + 1).slice(0, limit),
        );
        const previous = kv.keys(prefix, { after, limit, reverse: true });
        assertEquals(
          await Array.fromAsync(previous, ({ key }) => key),
          all.slice(0, i).reverse().slice(0, limit),
        );
      }
    }
  }
});
