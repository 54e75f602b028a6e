// Errors name keys, and never quote a stored or a given value.
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { KvError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";

const SECRET = "s3cr3t";

/** What makes calls fail. */
const faults: Record<string, (db: DatabaseSync) => void> = {
  "a value that is not JSON": (db) =>
    db.exec(`UPDATE kv SET value = '{"${SECRET}": ${SECRET}'`),
  "bytes that are not JSON": (db) =>
    db.exec(`UPDATE kv SET value = CAST('${SECRET} ${SECRET}' AS BLOB)`),
  "bytes that are not CBOR": (db) =>
    db.exec(`UPDATE kv SET value = x'd9d9f766' || '${SECRET}${SECRET}'`),
  "an expiry that is text": (db) =>
    db.exec(`UPDATE kv SET expires = '${SECRET}'`),
  "a full disk": (db) => db.exec("PRAGMA max_page_count = 1"),
  "a trigger": (db) =>
    db.exec(
      "CREATE TRIGGER stop BEFORE UPDATE ON kv " +
        "BEGIN SELECT RAISE(ABORT, 'stopped'); END",
    ),
  "another table": (db) =>
    db.exec(
      "DROP TABLE kv; CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT); " +
        `INSERT INTO kv VALUES ('a', '${SECRET}')`,
    ),
  "a closed database": (db) => db.close(),
};

for (const [fault, apply] of Object.entries(faults)) {
  Deno.test(`no error after ${fault} quotes a value`, async () => {
    const db = new DatabaseSync(":memory:");
    const kv = new SqliteKvStore(db);
    await kv.set(["a"], SECRET);
    apply(db);
    const large = SECRET.repeat(10_000);
    const results = await Promise.allSettled([
      kv.get(["a"]),
      kv.cas(["a"], `${SECRET} expected`, large),
      kv.set(["a"], large),
      kv.set(["a"], large, { ttl: 1_000 }),
      Array.fromAsync(kv.list()),
    ]);
    const errors = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason] : []
    );
    assert(errors.length > 0);
    for (const error of errors) {
      assert(error instanceof KvError);
      const text = Deno.inspect(error, { depth: 10, showHidden: true });
      assert(!text.includes(SECRET), text);
      assertEquals(String(error.stack).includes(SECRET), false);
    }
    if (db.isOpen) db.close();
  });
}
