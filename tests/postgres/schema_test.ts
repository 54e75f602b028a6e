// How the table is created, checked and chosen.
import { assert, assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { KvError } from "../../kv/errors.ts";
import { PostgresKvStore, schema } from "../../kv/postgres.ts";
import { runPrograms } from "../support/programs.ts";
import { reason, testOnPostgres, url, withTable } from "./clients.ts";

const oddNames = [
  'a "quoted" name',
  "it's $kv$ and $$",
  "back\\slash",
  "ümläut 😀",
  "SELECT",
  "Ab",
  "x".repeat(63),
];

for (const tableName of oddNames) {
  Deno.test({
    name: `the table may be named ${tableName}`,
    ignore: reason !== undefined,
    fn: () =>
      withTable(url, async ({ connect, sql }) => {
        const [a, b] = [connect(), connect({ max: 1 })];
        await Promise.all([a.set(["a"], 1), b.set(["b"], 2)]);
        assertEquals(await a.cas(["b"], 2, 3), true);
        assertEquals((await Array.fromAsync(b.list())).length, 2);
        const rows = await sql`SELECT FROM pg_class
          WHERE relname = ${tableName} AND relpersistence = 'p'`;
        assertEquals(rows.length, 1);
      }, tableName),
  });
}

testOnPostgres("the table may be in a schema", async ({ sql }) => {
  const name = `s ${crypto.randomUUID()}`;
  await sql`CREATE SCHEMA ${sql(name)}`;
  try {
    await withTable(url, async ({ store }) => {
      await store.set(["a"], 1);
      const rows = await sql`SELECT tablename FROM pg_tables
        WHERE schemaname = ${name}`;
      assertEquals([...rows], [{ tablename: "kv" }]);
    }, `${name}.kv`);
  } finally {
    await sql`DROP SCHEMA ${sql(name)} CASCADE`;
  }
});

testOnPostgres(
  "a schema that is missing is an error, until it is there",
  async ({ sql }) => {
    const name = crypto.randomUUID();
    const client = postgres(url, { fetch_types: false });
    const store = new PostgresKvStore(client, { tableName: `${name}.kv` });
    try {
      const outcomes = await Promise.allSettled([
        store.get(["a"]),
        store.set(["a"], 1),
        Array.fromAsync(store.list()),
      ]);
      for (const outcome of outcomes) {
        const { reason } = outcome as PromiseRejectedResult;
        assertEquals(reason.name, "KvError");
        assertEquals(
          reason.message,
          `Cannot create "${name}"."kv": schema "${name}" does not exist`,
        );
      }
      await sql`CREATE SCHEMA ${sql(name)}`;
      await store.set(["a"], 1);
    } finally {
      await sql`DROP SCHEMA IF EXISTS ${sql(name)} CASCADE`;
      await client.end();
    }
  },
);

testOnPostgres(
  "unlogged makes an unlogged table",
  async ({ connect, sql, tableName }) => {
    await connect({}, { unlogged: true }).set(["a"], 1);
    const rows = await sql`SELECT relpersistence FROM pg_class
    WHERE relname = ${tableName}`;
    assertEquals([...rows], [{ relpersistence: "u" }]);
  },
);

testOnPostgres(
  "values are compressed by LZ4 where the server can",
  async ({ store, sql, tableName }) => {
    await store.set(["a"], "x".repeat(10_000));
    const [row] = await sql`SELECT pg_column_compression(value) AS method,
      'lz4' = ANY (enumvals) AS able
    FROM ${sql(tableName)}, pg_settings
    WHERE name = 'default_toast_compression'`;
    assertEquals(row!["method"], row!["able"] ? "lz4" : "pglz");
  },
);

testOnPostgres(
  "with a table made by schema(), no DDL and no right to it is needed",
  async ({ sql }) => {
    const name = crypto.randomUUID().replaceAll("-", "");
    const tableName = `${name}.kv`;
    await sql.unsafe(`CREATE SCHEMA "${name}"; ${schema({ tableName })}
    CREATE ROLE "${name}" LOGIN PASSWORD '${name}';
    GRANT USAGE ON SCHEMA "${name}" TO "${name}";
    GRANT SELECT, INSERT, UPDATE, DELETE ON "${name}".kv TO "${name}"`);
    const client = postgres(url, {
      user: name,
      password: name,
      fetch_types: false,
    });
    const statements: string[] = [];
    try {
      const store = new PostgresKvStore({
        unsafe(statement, parameters, options) {
          statements.push(statement);
          return client.unsafe(statement, parameters, options);
        },
      }, { tableName });
      await store.set(["a"], 1, { ttl: 60_000 });
      assertEquals(await store.cas(["a"], 1, 2), true);
      await store.delete(["b"]);
      assertEquals(await Array.fromAsync(store.list()), [
        { key: ["a"], value: 2 },
      ]);
      assert(!statements.some((it) => /create|alter|^do\b|advisory/i.test(it)));

      const other = new PostgresKvStore(client, { tableName: `${name}.other` });
      await assertRejects(
        () => other.set(["a"], 1),
        KvError,
        `Cannot create "${name}"."other": permission denied for schema ${name}`,
      );
    } finally {
      await client.end();
      await sql.unsafe(`DROP SCHEMA "${name}" CASCADE; DROP ROLE "${name}"`);
    }
  },
);

testOnPostgres(
  "a table that exists is used without a lock that others feel",
  async ({ store, connect, sql, tableName }) => {
    await store.set(["a"], 1);
    await sql.begin(async (sql) => {
      await sql`LOCK TABLE ${sql(tableName)} IN SHARE UPDATE EXCLUSIVE MODE`;
      await sql`SELECT FROM ${sql(tableName)} WHERE key = 'a' FOR UPDATE`;
      assertEquals(await connect().get(["a"]), 1);
      await connect().set(["b"], 1);
    });
  },
);

testOnPostgres(
  "many stores make one table at once",
  async ({ connect, sql, tableName }) => {
    const stores = Array.from({ length: 12 }, () => connect({ max: 1 }));
    await Promise.all(stores.map((store, i) => store.set([`${i}`], i)));
    assertEquals((await Array.fromAsync(stores[0]!.list())).length, 12);
    const indexes = await sql`SELECT FROM pg_indexes
    WHERE tablename = ${tableName}`;
    assertEquals(indexes.length, 2);
  },
);

testOnPostgres(
  "eight processes make the table and lose no increment",
  async ({ store, tableName }) => {
    await runPrograms(8, "postgres_counter.ts", [url, tableName, "40"]);
    assertEquals(await store.get(["counter"]), 320);
  },
);
