// MysqlKvStore: its options, its client's options, limits and errors.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createConnection,
  createPool as createPromisePool,
} from "mysql2/promise";
import { KvError } from "../../kv/errors.ts";
import { MysqlKvStore } from "../../kv/mysql.ts";
import { startMariadb } from "../../servers/mod.ts";
import {
  type ClientOptions,
  poolOn,
  reason,
  testOnMysql,
  url,
} from "./clients.ts";

const values = [
  { text: "é Ω 😀 \0 ' \" \\ %", n: null },
  new Date(0),
  10n ** 30n,
  new Uint8Array([0, 255, 128, 39, 92]),
  new Map([["a", NaN]]),
];

const situations: Record<string, ClientOptions> = {
  "defaults": {},
  "without FOUND_ROWS": { flags: ["-FOUND_ROWS"] },
  "a connection in latin1": { charset: "latin1" },
  "a connection in ascii": { charset: "ascii" },
  "rows as arrays, nested tables, and a typeCast": {
    rowsAsArray: true,
    nestTables: "_",
    typeCast: () => 1,
  },
  "named placeholders and big numbers as strings": {
    namedPlaceholders: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: true,
    dateStrings: true,
  },
  "no eval": { disableEval: true },
  "an empty sql_mode": { setUp: ["SET SESSION sql_mode = ''"] },
  "a strict sql_mode": {
    setUp: [
      "SET SESSION sql_mode = CONCAT('STRICT_ALL_TABLES,ANSI,NO_ZERO_DATE," +
      "NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY,NO_UNSIGNED_SUBTRACTION," +
      // The rest is for MariaDB; to MySQL it is a comment.
      "PAD_CHAR_TO_FULL_LENGTH'" +
      "/*M! ,',TIME_ROUND_FRACTIONAL,SIMULTANEOUS_ASSIGNMENT' */)",
    ],
  },
  "safe updates": { setUp: ["SET SESSION sql_safe_updates = 1"] },
  "another time zone": { setUp: ["SET SESSION time_zone = '+11:00'"] },
};

for (const [name, options] of Object.entries(situations)) {
  testOnMysql(`every operation works with ${name}`, async ({ connect }) => {
    const store = connect({ ...options, connectionLimit: 2 });
    for (const [i, value] of values.entries()) {
      assert(await store.cas(["v", `${i}`], undefined, value));
      assert(!await store.cas(["v", `${i}`], undefined, 1));
      assert(await store.cas(["v", `${i}`], value, value));
      assertEquals(await store.get(["v", `${i}`]), value);
    }
    const keys = ["a", "b", "c", "Ω", "'"].map((key) => [key] as [string]);
    const set = (value: unknown, ttl?: number) =>
      Promise.all(keys.map((key) => store.set(key, value, { ttl: ttl! })));
    await set(1, 60_000);
    await set(2);
    const swaps = await Promise.all(
      keys.map((key, i) => store.cas(key, i === 1 ? 0 : 2, 3, { ttl: 60_000 })),
    );
    assertEquals(swaps, [true, false, true, true, true]);
    const read = await Promise.all(keys.map((key) => store.get(key)));
    assertEquals(read, [3, 2, 3, 3, 3]);
    assertEquals(await store.count(), keys.length + values.length);
    assert(await store.cas(keys[0]!, 3, undefined));
    await Promise.all(keys.map((key) => store.delete(key)));
    assertEquals(await store.count(["v"]), values.length);
    await store.set(["due"], 1, { ttl: 1 });
    while (await store.get(["due"]) !== undefined);
    assertEquals(await store.sweep(), 1);
  });
}

testOnMysql("swaps of values in other forms take place", async ({ store }) => {
  const large = "x".repeat(200_000);
  await store.set(["a"], { a: 1, b: large });
  assert(await store.cas(["a"], { b: large, a: 1 }, { a: 2, b: large }));
  assert(!await store.cas(["a"], { b: large, a: 1 }, 1));
  const keys = Array.from({ length: 40 }, (_, i) => [`${i}`] as [string]);
  await Promise.all(keys.map((key) => store.set(key, { a: 1, b: 2 })));
  const swaps = keys.map((key, i) =>
    store.cas(key, i % 2 ? { b: 2, a: 1 } : { a: 1, b: 2 }, i)
  );
  assertEquals(await Promise.all(swaps), keys.map(() => true));
});

Deno.test({
  name: "pools and connections with promises work",
  ignore: reason !== undefined,
  async fn() {
    const tableName = crypto.randomUUID();
    const pool = createPromisePool(url);
    const connection = await createConnection(url);
    const pooled = await pool.getConnection();
    for (const client of [pool, connection, pooled]) {
      const store = new MysqlKvStore(client, { tableName });
      await store.set(["a"], 1);
      assertEquals(await store.get(["a"]), 1);
    }
    pooled.release();
    await pool.query(`DROP TABLE \`${tableName}\``);
    await pool.end();
    await connection.end();
    const store = new MysqlKvStore(connection, { tableName });
    // Nothing was sent, so the outcome is known.
    const error = await assertRejects(() => store.set(["a"], 1), KvError);
    assertEquals((error as Error).name, "KvError");
  },
});

Deno.test("a client that is not supported is a TypeError", () => {
  const clients: unknown[] = [
    undefined,
    null,
    "mysql://localhost",
    {},
    { execute() {} },
    { query() {}, promise() {} },
    { execute: () => Promise.resolve([]), pool: {} },
  ];
  for (const client of clients) {
    assertThrows(
      () => new MysqlKvStore(client as never),
      TypeError,
      "Cannot create a MysqlKvStore: pool must be a pool or connection",
    );
  }
});

Deno.test("an option that is unknown or invalid is an error", async () => {
  const pool = poolOn("mysql://127.0.0.1:1/kv");
  const make = (options: unknown) => () =>
    new MysqlKvStore(pool, options as never);
  assertThrows(make({ table: "a" }), TypeError, 'unknown option "table"');
  assertThrows(make({ initialized: true }), TypeError, "schema()");
  assertThrows(make({ tableName: 1 }), TypeError, "tableName must be");
  assertThrows(make({ timeout: 0 }), RangeError, "timeout must be");
  assertThrows(make({ maxPending: 1.5 }), RangeError, "maxPending must be");
  await pool.promise().end();
});

Deno.test({
  name: "a value over max_allowed_packet is a RangeError and changes nothing",
  ignore: reason !== undefined,
  async fn() {
    await using server = await startMariadb({
      settings: { max_allowed_packet: 1_048_576 },
    });
    const pool = poolOn(server.url);
    const store = new MysqlKvStore(pool);
    await store.set(["a"], 1);
    const large = "x".repeat(1_048_000);
    const [rejected, neighbour] = await Promise.allSettled([
      store.set(["a"], large),
      store.set(["b"], 2),
    ]);
    assertEquals(neighbour.status, "fulfilled");
    assert(rejected.status === "rejected");
    assert(rejected.reason instanceof RangeError);
    assert(/max_allowed_packet of the server is 1048576/.test(
      rejected.reason.message,
    ));
    assertEquals(await store.get(["a"]), 1);
    // A value just below the limit is read back, in lists as well.
    const most = Number(
      /at most (\d+) bytes/.exec(rejected.reason.message)![1],
    );
    const value = "x".repeat(most - 200);
    assert(await store.cas(["a"], 1, value));
    assert(await store.cas(["a"], value, value));
    assertEquals(await store.get(["a"]), value);
    const many = Array.from({ length: 9 }, (_, i) => `${i}`);
    await Promise.all(
      many.map((i) => store.set(["many", i], i.repeat(300_000))),
    );
    const listed = await Array.fromAsync(store.list(["many"]));
    assertEquals(listed.map(({ value }) => (value as string)[0]), many);
    await Promise.all(
      many.map((i) => store.set(["many", i], i.repeat(100_000))),
    );
    const read = await Promise.all(many.map((i) => store.get(["many", i])));
    assertEquals(
      read.map((value) => (value as string).length),
      many.map(() => 100_000),
    );
    await pool.promise().end();
  },
});

testOnMysql("an error holds no value and no statement", async (it) => {
  const { connect, sql, table, store } = it;
  await store.set(["a"], 1);
  await sql(`ALTER TABLE ${table} ADD CONSTRAINT small
    CHECK (OCTET_LENGTH(value) < 20)`);
  const secret = "s3cr3t-".repeat(10);
  for (
    const call of [
      () => store.set(["a"], secret),
      () => store.cas(["a"], 1, secret),
      () => store.cas(["b"], undefined, secret),
      () => connect({ password: "wr0ng-pass" }).set(["a"], secret),
    ]
  ) {
    const error = await assertRejects(call, KvError) as Error;
    assert(error.cause instanceof Error);
    const shown = Deno.inspect(error, { depth: 9, showHidden: true }) +
      error.stack + (error.cause as Error).stack + JSON.stringify(error.cause);
    assert(!/s3cr3t|wr0ng|INSERT|UPDATE/.test(shown), shown);
    assert("code" in error.cause, shown);
  }
});

Deno.test("a value that the server quotes is left out of an error", async () => {
  const { redacted } = await import("../../kv/mysql/errors.ts");
  const error = Object.assign(
    new Error("Incorrect string value: '\\xF0s3cr3t' for column 'value'"),
    {
      code: "ER_X",
      errno: 1366,
      sqlState: "22007",
      sql: "s3cr3t",
      sqlMessage: "s3cr3t",
    },
  );
  const copy = redacted(error) as Error;
  assertEquals(copy.message, "Incorrect string value: (left out)");
  assert(!Deno.inspect(copy, { showHidden: true }).includes("s3cr3t"));
  assertEquals({ ...copy }, { code: "ER_X", errno: 1366, sqlState: "22007" });
});

testOnMysql("a value that cannot be decoded is corruption", async (it) => {
  const { store, sql, table } = it;
  await Promise.all(["a", "b", "c"].map((key) => store.set([key], 1)));
  await sql(`UPDATE ${table} SET value = 'x' WHERE \`key\` = 'b'`);
  const error = await assertRejects(() => store.get(["b"]), KvError) as Error;
  assertEquals(error.name, "KvCorruptionError");
  const keys: unknown[] = [];
  await assertRejects(
    async () => {
      for await (const { key } of store.list()) keys.push(key);
    },
    KvError,
    '["b"]',
  );
  assertEquals(keys, [["a"]]);
  assertEquals(await store.count(), 3);
});
