// Rows that no store wrote, or that were damaged since.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { KvCorruptionError, KvError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";

const damages = {
  "text that is not UTF-8": "value = CAST(x'22ff22' AS TEXT)",
  "text with a NUL": "value = '5' || char(0) || 'x'",
  "a number": "value = 5",
  "an integer beyond 53 bits": "value = 9007199254740993",
  "text as its expiry": "expires = 'soon'",
  "a blob as its expiry": "expires = x'00'",
  "CBOR that holds undefined": "value = x'd9d9f7f7'",
};

for (const [what, change] of Object.entries(damages)) {
  Deno.test(`cas() on a row with ${what} settles, and set() repairs the row`, async () => {
    for (const newValue of [2, undefined, 5]) {
      using db = new DatabaseSync(":memory:");
      const kv = new SqliteKvStore(db);
      await kv.set(["a"], 1);
      await kv.set(["b"], 1);
      db.exec(`UPDATE kv SET ${change} WHERE key = 'a'`);
      const [read] = await Promise.allSettled([kv.get(["a"])]);
      const found = read.status === "fulfilled" ? read.value : 1;
      assert(found !== undefined);
      const results = await Promise.allSettled([
        kv.cas(["a"], found, newValue),
        kv.cas(["b"], 1, 2),
      ]);
      assert(results[0].status === "rejected");
      assert(results[0].reason instanceof KvCorruptionError);
      assert(results[0].reason.message.startsWith('Cannot cas ["a"]: '));
      assertEquals(results[1], { status: "fulfilled", value: true });
      await assertRejects(
        () => kv.cas(["a"], found, newValue),
        KvCorruptionError,
        'Cannot cas ["a"]: ',
      );
      await kv.set(["a"], 3);
      assertEquals(await kv.cas(["a"], 3, 4), true);
      assertEquals(await kv.get(["a"]), 4);
    }
  });
}

Deno.test("a write that a trigger ignores is rejected", async () => {
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db, { busyTimeout: 20 });
  await kv.set(["a"], 1);
  db.exec(
    "CREATE TRIGGER ignore BEFORE INSERT ON kv " +
      "BEGIN SELECT RAISE(IGNORE); END",
  );
  for (
    const call of [
      () => kv.set(["b"], 1),
      () => kv.set(["b"], 1, { ttl: 1000 }),
      () => kv.cas(["b"], undefined, 1),
    ]
  ) {
    await assertRejects(call, KvError, '["b"]: ');
  }
  assertEquals(await kv.get(["b"]), undefined);
});
