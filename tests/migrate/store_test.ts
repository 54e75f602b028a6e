// Migrating from one of our stores, and the options of a migration.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  migrate,
  type MigrationSource,
  type SourceEntry,
  storeSource,
} from "../../migrate/mod.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import {
  KvCorruptionError,
  KvError,
  type KvExtendedStore,
  type KvKey,
  MemoryKvStore,
} from "../../mod.ts";
import { assertHas, entries, type Expected } from "./entries.ts";

const HOUR = 3_600_000;

/** A source of some entries, page by page. */
function sourceOf(...pages: SourceEntry[][]): MigrationSource {
  return {
    name: "a test",
    notes: [],
    keepsExpiry: true,
    async *pages({ after }) {
      for (const [i, entries] of pages.entries()) {
        if (i > Number(after ?? -1)) yield { entries, cursor: `${i}` };
      }
    },
  };
}

async function all(store: KvExtendedStore): Promise<Record<string, unknown>> {
  const found = await Array.fromAsync(store.list());
  return Object.fromEntries(found.map(({ key, value }) => [`${key}`, value]));
}

Deno.test("a migration between our stores keeps all types and expiries", async () => {
  using db = new DatabaseSync(":memory:");
  const from = new SqliteKvStore(db);
  const expected: Expected = new Map();
  for (const { key, value, ttl } of entries(["\0"])) {
    await from.set(key, value, { ttl });
  }
  await from.set(["rich"], { d: new Date(1), n: 1n, u: new Uint8Array([1]) });
  for await (const { key, value, expires } of from.list()) {
    expected.set(JSON.stringify(key), {
      value,
      ...expires === undefined ? {} : { expires },
    });
  }
  const target = new MemoryKvStore();
  const summary = await migrate(storeSource(from), target, { verify: true });
  assertEquals(summary.different, []);
  assertEquals(summary.written, expected.size);
  await assertHas(target, expected, 1);
});

Deno.test("a migration continues past a damaged entry of one of our stores", async () => {
  using db = new DatabaseSync(":memory:");
  const from = new SqliteKvStore(db);
  for (const part of ["a", "b", "c", "d"]) await from.set([part], part);
  db.exec("UPDATE kv SET value = '{' WHERE key IN ('b', 'd')");
  const target = new MemoryKvStore();
  const { skippedEntries } = await migrate(storeSource(from), target);
  assertEquals(skippedEntries.map(({ key }) => key), [["b"], ["d"]]);
  assertEquals(await all(target), { a: "a", c: "c" });
});

Deno.test("prefix and exclude choose the entries, and the summary counts by prefix", async () => {
  const from = new MemoryKvStore();
  const keys: KvKey[] = [["a"], ["a", "b"], ["a", "b", "c"], ["ab"], [
    "x",
    "y",
  ]];
  for (const key of keys) await from.set(key, 1);
  const target = new MemoryKvStore();
  const { prefixes } = await migrate(storeSource(from), target, {
    prefix: ["a"],
    exclude: [["a", "b", "c"]],
  });
  assertEquals(await all(target), { "a": 1, "a,b": 1 });
  const one = { read: 1, written: 1, expired: 0, kept: 0, skipped: 0 };
  assertEquals(prefixes, [{ prefix: [], ...one }, { prefix: ["a"], ...one }]);
});

Deno.test("onConflict decides about a key that the target already has", async () => {
  const source = sourceOf([
    { key: ["same"], value: { a: 1, b: 2 } },
    { key: ["other"], value: "new" },
  ]);
  for (const [onConflict, other] of [["keep", "old"], ["overwrite", "new"]]) {
    const target = new MemoryKvStore();
    await target.set(["same"], { b: 2, a: 1 });
    await target.set(["other"], "old");
    await migrate(source, target, { onConflict: onConflict as "keep" });
    assertEquals(await target.get(["other"]), other);
  }
  const target = new MemoryKvStore();
  await target.set(["same"], { b: 2, a: 1 });
  const { kept, written } = await migrate(source, target);
  assertEquals([kept, written], [1, 1]);
  await target.set(["other"], "old");
  await assertRejects(
    () => migrate(source, target),
    KvError,
    'Cannot migrate ["other"]: the target has another value under this key',
  );
  assertEquals(await target.get(["other"]), "old");
});

Deno.test("a dry run writes nothing, and counts what a migration would write", async () => {
  const target = new MemoryKvStore();
  await target.set(["kept"], 1);
  const source = sourceOf([
    { key: ["kept"], value: 1 },
    { key: ["new"], value: 1 },
    { key: ["expired"], value: 1, expires: Date.now() - 1 },
    { key: ["\ud800"], value: 1 },
    { key: ["function"], value: () => {} },
    { key: "name", error: "damaged" },
  ]);
  const summary = await migrate(source, target, { dryRun: true });
  const { read, written, kept, expired, skipped } = summary;
  assertEquals([read, written, kept, expired, skipped], [6, 1, 1, 1, 3]);
  assertEquals(await all(target), { kept: 1 });
});

Deno.test("verify finds entries that are missing or different", async () => {
  const expires = Date.now() + HOUR;
  const source = sourceOf([
    { key: ["equal"], value: { a: 1, b: undefined }, expires },
    { key: ["value"], value: 1 },
    { key: ["expiry"], value: 1, expires },
    { key: ["eternal"], value: 1, expires },
    { key: ["mortal"], value: 1 },
  ]);
  const target = new MemoryKvStore();
  await target.set(["value"], 2);
  await target.set(["expiry"], 1, { ttl: HOUR / 2 });
  await target.set(["eternal"], 1);
  await target.set(["mortal"], 1, { ttl: HOUR });
  const { different } = await migrate(source, target, {
    onConflict: "keep",
    verify: true,
  });
  assertEquals(different, [
    { key: ["value"], difference: "value" },
    { key: ["expiry"], difference: "expiry" },
    { key: ["eternal"], difference: "expiry" },
    { key: ["mortal"], difference: "expiry" },
  ]);
});

Deno.test("a checkpoint comes after its entries have arrived, and never past a failure", async () => {
  const pages = [0, 1, 2, 3].map((i): SourceEntry[] => [
    { key: [`${i}`], value: i },
  ]);
  class Failing extends MemoryKvStore {
    override async cas(
      ...[key, ...rest]: Parameters<MemoryKvStore["cas"]>
    ): Promise<boolean> {
      if (key[0] === "2") throw new KvError("the server is down");
      await new Promise((resolve) => setTimeout(resolve, 0));
      return await super.cas(key, ...rest);
    }
  }
  const target = new Failing();
  const cursors: string[] = [];
  await assertRejects(
    () =>
      migrate(sourceOf(...pages), target, {
        async onCheckpoint(cursor) {
          assertEquals(await target.get([cursor]), Number(cursor));
          cursors.push(cursor);
        },
      }),
    KvError,
    "the server is down",
  );
  assertEquals(cursors, ["0", "1"]);
  const rest = new MemoryKvStore();
  await migrate(sourceOf(...pages), rest, { after: cursors.at(-1)! });
  assertEquals(await all(rest), { 2: 2, 3: 3 });
});

Deno.test("a bounded number of writes is pending", async () => {
  let pending = 0;
  let most = 0;
  class Counting extends MemoryKvStore {
    override async cas(
      ...args: Parameters<MemoryKvStore["cas"]>
    ): Promise<boolean> {
      most = Math.max(most, ++pending);
      await new Promise((resolve) => setTimeout(resolve, 0));
      pending--;
      return await super.cas(...args);
    }
  }
  const many = Array.from(
    { length: 2_000 },
    (_, i): SourceEntry => ({ key: [`${i}`], value: i }),
  );
  const { written } = await migrate(sourceOf(many), new Counting());
  assertEquals([written, most], [2_000, 512]);
});

Deno.test("a signal ends a migration with its reason", async () => {
  const end = new AbortController();
  const reason = new Error("enough");
  const pages = [1, 2].map((i): SourceEntry[] => [{ key: [`${i}`], value: i }]);
  const target = new MemoryKvStore();
  const error = await assertRejects(() =>
    migrate(sourceOf(...pages), target, {
      signal: end.signal,
      onProgress: () => end.abort(reason),
    })
  );
  assert(error === reason);
  assertEquals(await all(target), { 1: 1 });
});

Deno.test("wrong arguments and options reject before anything is read", async () => {
  const source = sourceOf([{ key: ["a"], value: 1 }]);
  const target = new MemoryKvStore();
  for (
    const [options, message] of [
      [{ onConflic: "keep" }, 'unknown option "onConflic"'],
      [{ onConflict: "merge" }, 'onConflict must be "keep", "overwrite" or'],
      [{ onDamaged: 1 }, 'onDamaged must be "skip" or "fail"'],
      [{ exclude: "a" }, "exclude must be an array of prefixes"],
      [{ exclude: [[]] }, "it would leave out every entry"],
      [{ exclude: ["a"] }, "a key must be an array of strings"],
      [{ dryRun: true, verify: true }, "a dry run writes nothing to verify"],
    ] as const
  ) {
    const error = await assertRejects(() =>
      migrate(source, target, options as never)
    );
    assert(error instanceof TypeError || error instanceof RangeError);
    assert(error.message.includes(message), error.message);
  }
  await assertRejects(() => migrate(target as never, target), TypeError);
  await assertRejects(() => migrate(source, {} as never), TypeError);
  assertEquals(await all(target), {});
});

Deno.test("a damaged entry ends a migration with onDamaged set to fail", async () => {
  const source = sourceOf([{ key: ["a"], error: "damaged" }]);
  const error = await assertRejects(() =>
    migrate(source, new MemoryKvStore(), { onDamaged: "fail" })
  );
  assertInstanceOf(error, KvCorruptionError);
  assertEquals(error.message, 'Cannot migrate ["a"]: damaged');
});
