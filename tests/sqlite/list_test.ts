// Listings in SQLite: what is not ours, how much memory, and for how long.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { KvCorruptionError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvListOptions } from "../../kv/store.ts";
import { FakeTime } from "@std/testing/time";
import { type OpenTable, openTable } from "../../kv/sqlite/table.ts";

const foreign = {
  "a character that is escaped": "'x y'",
  "an escape of nothing": "'x\"z'",
  "an escape at its end": "'x\"'",
  "a NUL": "'x' || char(0) || 'y'",
  "text that is not UTF-8": "CAST(x'78ff' AS TEXT)",
  "truncated UTF-8": "CAST(x'78f09f98' AS TEXT)",
};

for (const [what, key] of Object.entries(foreign)) {
  Deno.test(`list() throws at a key with ${what}, after all entries before it`, async () => {
    using db = new DatabaseSync(":memory:");
    const kv = new SqliteKvStore(db);
    for (const name of ["a", "é", "\ufffd", "x", "y z"]) {
      await kv.set([name], name);
    }
    db.exec(`INSERT INTO kv (key, value) VALUES (${key}, '"theirs"')`);
    const seen: unknown[] = [];
    const error = await assertRejects(async () => {
      for await (const { value } of kv.list()) seen.push(value);
    }, KvCorruptionError);
    assertEquals(seen, ["a", "x"]);
    assert(error.message.startsWith('Cannot list ["x'), error.message);
    assert(!error.message.includes("theirs"));
  });
}

Deno.test("list() throws at a damaged row, after all entries before it", async () => {
  for (
    const change of [
      "value = 5",
      "value = x'ff'",
      "expires = 'soon'",
      "value = CAST(zeroblob(20000) AS TEXT)",
    ]
  ) {
    using db = new DatabaseSync(":memory:");
    const kv = new SqliteKvStore(db);
    for (const name of ["a", "b", "c"]) await kv.set([name], name);
    db.exec(`UPDATE kv SET ${change} WHERE key = 'b'`);
    const seen: unknown[] = [];
    await assertRejects(
      async () => {
        for await (const { value } of kv.list()) seen.push(value);
      },
      KvCorruptionError,
      'Cannot list ["b"]: ',
    );
    assertEquals(seen, ["a"]);
  }
});

/** The pages of a whole table. */
function pagesOf({ listing }: OpenTable, reverse: boolean) {
  const order = { reverse, keysOnly: false };
  const pages = [];
  let limit = 32;
  let page = listing.page({ start: "", end: undefined }, limit, order);
  while (true) {
    pages.push(page.entries);
    if (page.rest === undefined) return pages;
    limit = 256;
    page = listing.page(page.rest, limit, order);
  }
}

Deno.test("a page holds 1 MiB and its last value at most, whatever the order of sizes", async () => {
  const sizes = {
    "small ones first": (i: number) => i < 600 ? 10 : 500_000,
    "large ones first": (i: number) => i < 60 ? 500_000 : 10,
    "mixed": (i: number) => i % 11 === 0 ? 500_000 : 10,
    "just below the limit of small ones": () => 16_000,
  };
  for (const [name, size] of Object.entries(sizes)) {
    using db = new DatabaseSync(":memory:");
    const kv = new SqliteKvStore(db);
    const total = 660;
    await Promise.all(Array.from(
      { length: total },
      (_, i) => kv.set([String(i).padStart(4, "0")], "x".repeat(size(i))),
    ));
    const table = openTable(db, "kv");
    const keysOf = (pages: ReturnType<typeof pagesOf>) =>
      pages.flat().map(({ key }) => Number(key[0]));
    const pages = pagesOf(table, false);
    const all = Array.from({ length: total }, (_, i) => i);
    assertEquals(keysOf(pages), all, name);
    assertEquals(keysOf(pagesOf(table, true)), all.toReversed(), name);
    for (const page of pages) {
      const bytes = page.slice(0, -1).reduce(
        (sum, entry) => sum + ("value" in entry ? entry.value?.length ?? 0 : 0),
        0,
      );
      assert(bytes <= 2 ** 20, `${name}: ${bytes}`);
    }
  }
});

Deno.test("a long listing lets timers run", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.set(["a"], 0);
  db.exec(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000) " +
      "INSERT INTO kv (key, value) SELECT 'b!' || i, '1' FROM n",
  );
  let entries = 0;
  let seenByTimer = 0;
  const timer = setInterval(() => seenByTimer ||= entries, 1);
  for await (const _ of kv.list()) entries++;
  clearInterval(timer);
  assertEquals(entries, 50_001);
  assert(seenByTimer > 0 && seenByTimer < entries);
});

Deno.test("list() and keys() begin and end where their options say", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  const names = Array.from(
    { length: 100 },
    (_, i) => String(i).padStart(3, "0"),
  );
  await Promise.all(names.map((name) => kv.set(["a", name], name)));
  await kv.set(["a", "010", "child"], 1);
  await kv.set(["b"], 1);
  const keys = async (options: KvListOptions) =>
    (await Array.fromAsync(kv.keys(["a"], options))).map(({ key }) => key[1]);
  for (const reverse of [false, true]) {
    const all = await keys({ reverse });
    assertEquals(all.length, 101);
    const entries = await Array.fromAsync(kv.list(["a"], { reverse }));
    assertEquals(entries.map(({ key }) => key[1]), all);
    for (const [limit, from] of [[1, 5], [40, 5], [500, 90]] as const) {
      const after = ["a", String(from).padStart(3, "0")] as const;
      const position = all.indexOf(after[1]);
      assertEquals(
        await keys({ after, limit, reverse }),
        all.slice(position + 1, position + 1 + limit),
      );
    }
  }
  db.exec("UPDATE kv SET value = 'not JSON' WHERE key = 'a!010'");
  assertEquals((await keys({})).length, 101);
});

Deno.test("sweep() reclaims all expired entries, and tells how many", async () => {
  using time = new FakeTime();
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await Promise.all(
    Array.from(
      { length: 3_000 },
      (_, i) => kv.set(["old", `${i}`], i, { ttl: 1_000 }),
    ),
  );
  for (let i = 0; i < 600; i++) await kv.set(["old", `${i}`], i);
  time.tick(1_000);
  assertEquals(await kv.sweep(), 2_400);
  assertEquals(await kv.sweep(), 0);
  assertEquals(db.prepare("SELECT count(*) AS n FROM kv").get()?.n, 600);
});
