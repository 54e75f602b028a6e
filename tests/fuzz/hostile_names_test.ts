// Table names and prefixes that try to be SQL or a pattern.
import { assertEquals, assertInstanceOf } from "@std/assert";
import { Redis } from "ioredis";
import { DatabaseSync } from "node:sqlite";
import postgres from "postgres";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvStore } from "../../kv/store.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";

const tableNames = [
  ..."'\"`;%_*?[]()\\ $",
  ...["a;b", "kv; DROP TABLE victim; --", 'kv"; DROP TABLE victim; --'],
  ...["kv'; DROP TABLE victim; --", 'x" (y int); DROP TABLE victim; --'],
  ...["kv/*", "*/kv", "--", "select", "SELECT", "order", "user", "NULL"],
  ...["1", "a b", "\n", "\t", "é", "😀", "%s", "$1", "?1", ":name", "@name"],
  ...["${}", "E'a'", 'U&"a"', "a''b", 'a""b', "\\'", "pg_catalog"],
];

/**
 * Writes, swaps, lists and deletes. Returns whether the store takes the name:
 * it may reject it in the constructor, before the database sees it.
 */
async function exercise(open: () => KvStore): Promise<boolean> {
  let kv;
  try {
    kv = open();
  } catch (error) {
    assertInstanceOf(error, TypeError);
    return false;
  }
  const key = ["a'; DROP TABLE victim; --", '"b"', "$1"] as const;
  await kv.set(key, { text: "'; DROP TABLE victim; --" }, { ttl: 60_000 });
  await kv.get(key);
  await kv.cas!(key, { text: "'; DROP TABLE victim; --" }, 2);
  await Array.fromAsync(kv.list([key[0]]));
  await kv.delete(key);
  return true;
}

Deno.test("no table name reaches another table of SQLite", async () => {
  for (const tableName of tableNames) {
    const db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE victim (a); INSERT INTO victim VALUES (1)");
    const isTaken = await exercise(() => new SqliteKvStore(db, { tableName }));
    const { count } = db.prepare(
      "SELECT count(*) AS count FROM sqlite_schema WHERE name = ?",
    ).get(tableName)!;
    assertEquals([tableName, count], [tableName, isTaken ? 1 : 0]);
    assertEquals(db.prepare("SELECT * FROM victim").all().length, 1, tableName);
    db.close();
  }
});

const noPostgres = await unavailable("postgres");
const postgresUrl = noPostgres === undefined ? await sharedUrl("postgres") : "";

Deno.test({
  name: "no table name reaches another table of PostgreSQL",
  ignore: noPostgres !== undefined,
  async fn() {
    const schema = `s${crypto.randomUUID()}`;
    const sql = postgres(postgresUrl, { max: 1, onnotice: () => {} });
    try {
      await sql`CREATE SCHEMA ${sql(schema)}`;
      await sql.unsafe(`SET search_path TO "${schema}"`);
      await sql`CREATE TABLE victim (a int)`;
      await sql`INSERT INTO victim VALUES (1)`;
      for (const tableName of tableNames) {
        await exercise(() => new PostgresKvStore(sql, { tableName }));
        const rows = await sql`SELECT * FROM victim`;
        assertEquals(rows.length, 1, tableName);
      }
    } finally {
      await sql`DROP SCHEMA ${sql(schema)} CASCADE`;
      await sql.end();
    }
  },
});

const noRedis = await unavailable("redis");
const redisUrl = noRedis === undefined ? await sharedUrl("redis") : "";

Deno.test({
  name: "no prefix of Redis is a pattern or reaches another prefix",
  ignore: noRedis !== undefined,
  async fn() {
    const client = new Redis(redisUrl);
    const own = crypto.randomUUID();
    const prefixes = [
      ...["*", "?", "[a-z]", "\\", "a*", "a?", "a[b]", "a\\*", "ab", "a"],
      ...["{", "}", "{a}", "\n", "\0", "é", "a:", "a:b", "a:b:", ""],
    ].map((prefix) => `${own}${prefix}`);
    const stores = prefixes.map((keyPrefix) =>
      new RedisKvStore(client, { keyPrefix })
    );
    for (const [i, kv] of stores.entries()) {
      await kv.set(["*"], i);
      await kv.set(["b", "root"], i);
    }
    for (const [i, kv] of stores.entries()) {
      const listed = await Array.fromAsync(kv.list());
      assertEquals(
        [prefixes[i], ...listed.map(({ key, value }) => [key, value])],
        [prefixes[i], [["*"], i], [["b", "root"], i]],
      );
      assertEquals(await Array.fromAsync(kv.list(["?"])), []);
    }
    for (const [i, kv] of stores.entries()) {
      await kv.delete(["*"]);
      await kv.delete(["b", "root"]);
      const left = stores.slice(i + 1);
      for (const [j, other] of left.entries()) {
        assertEquals(await other.get(["*"]), i + 1 + j);
      }
    }
    const ended = new Promise((resolve) => client.once("end", resolve));
    client.disconnect();
    await ended;
  },
});
