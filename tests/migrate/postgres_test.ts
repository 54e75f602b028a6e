// Migrating from the layouts of Fedify's PostgreSQL store.
import { assert, assertEquals } from "@std/assert";
import { PostgresKvStore as FedifyKvStore } from "@fedify/postgres";
import postgres from "postgres";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { fedifyPostgres, migrate } from "../../migrate/mod.ts";
import { MemoryKvStore } from "../../mod.ts";
import { reason, url } from "../postgres/clients.ts";
import {
  assertHas,
  entries,
  type Entry,
  type Expected,
  inTurns,
} from "./entries.ts";

/** What TTLs in calendar units do at the end of a month, in any time zone. */
const MONTHS: readonly Entry[] = [
  ["year", { years: 1, months: 1, days: 1, milliseconds: 1 }] as const,
  ["months", { months: 13 }] as const,
  ["weeks", { weeks: 2, hours: 1 }] as const,
].map(([name, ttl]) => ({
  key: ["ttl", name],
  value: name,
  ttl: Temporal.Duration.from(ttl),
}));

/** A client that is closed at the end, and a schema that is removed. */
async function withSchema(
  fn: (
    sql: postgres.Sql,
    schema: string,
    connect: (options?: postgres.Options<never>) => postgres.Sql,
  ) => Promise<void>,
): Promise<void> {
  const clients: postgres.Sql[] = [];
  // deno-lint-ignore no-explicit-any -- the options are for any client
  function connect(options: postgres.Options<any> = {}): postgres.Sql {
    const sql = postgres(url, { onnotice() {}, ...options });
    clients.push(sql);
    return sql;
  }
  const schema = crypto.randomUUID();
  const sql = connect();
  await sql`CREATE SCHEMA ${sql(schema)}`;
  try {
    await fn(sql, schema, connect);
  } finally {
    await sql`DROP SCHEMA ${sql(schema)} CASCADE`;
    await Promise.all(clients.map((each) => each.end({ timeout: 1 })));
  }
}

function testOnPostgres(
  name: string,
  fn: Parameters<typeof withSchema>[0],
): void {
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined,
    fn: () => withSchema(fn),
  });
}

/** What Fedify reads in the table, as the server computes it. */
async function readTable(
  sql: postgres.Sql,
  table: string,
  decode: (value: unknown) => unknown = (value) => value,
): Promise<Expected> {
  const rows = await sql`
    SELECT key, value,
      (extract(epoch FROM created + ttl) * 1000)::float8 AS expires
    FROM ${sql(table)} WHERE ttl IS NULL OR created + ttl > now()`;
  return new Map(rows.map(({ key, value, expires }) => [
    JSON.stringify(key),
    { value: decode(value), ...expires === null ? {} : { expires } },
  ]));
}

testOnPostgres(
  "every entry that Fedify 1.8.7 wrote to PostgreSQL arrives, and its table is unchanged",
  async (sql, schema, connect) => {
    const tableName = `${schema}.fedify_kv_v2`;
    // Fedify's client has another time zone than the server.
    const writer = connect({ connection: { TimeZone: "Asia/Kathmandu" } });
    const fedify = new FedifyKvStore(writer, { tableName });
    await fedify.initialize();
    const written = [...entries(), ...MONTHS].filter((_, i) => i % 2 === 0);
    await inTurns(
      written,
      ({ key, value, ttl }) =>
        // Fedify 1.8.7 cannot store null in PostgreSQL.
        fedify.set(
          key,
          value ?? "null",
          ttl === undefined ? {} : { ttl } as never,
        ),
    );
    await sql`UPDATE ${sql(tableName)} SET value = 'null'
      WHERE value = '"null"'`;
    await sql`INSERT INTO ${sql(tableName)} (key, value, created, ttl) VALUES
      (ARRAY['expired'], '1', now() - interval '1 month', '30 minutes'),
      (ARRAY['eternal'], '1', now(), '300000 years')`;
    const all = await readTable(writer, tableName).catch(() => undefined);
    assertEquals(all, undefined, "such a TTL ends past the last timestamp");
    await sql`UPDATE ${sql(tableName)} SET ttl = NULL
      WHERE key = ARRAY['eternal']`;
    const expected = await readTable(writer, tableName);
    for (const { key, value } of written) {
      assertEquals(expected.get(JSON.stringify(key))?.value, value);
    }
    await sql`UPDATE ${sql(tableName)} SET ttl = '300000 years'
      WHERE key = ARRAY['eternal']`;
    const dump = () => sql`SELECT *, xmin FROM ${sql(tableName)} ORDER BY key`;
    const before = [...await dump()];

    const source = fedifyPostgres(writer, { tableName });
    const target = new MemoryKvStore();
    const summary = await migrate(source, target, { verify: true });
    assertEquals(summary.skippedEntries, []);
    assertEquals(summary.different, []);
    assertEquals([summary.written, summary.expired], [expected.size, 1]);
    await assertHas(target, expected, 1);
    assertEquals([...await dump()], before);
    assertEquals(await source.count!([]), expected.size + 1);

    // Into our own table on the same server; again, which changes nothing.
    const kv = new PostgresKvStore(sql, { tableName: `${schema}.kv` });
    assertEquals((await migrate(source, kv)).written, expected.size);
    const again = await migrate(source, kv, { verify: true });
    assertEquals([again.written, again.kept], [0, expected.size]);
    assertEquals(again.different, []);
  },
);

testOnPostgres(
  "every entry of Fedify 0.1 arrives, whose values are JSON in a JSON string",
  async (sql, schema) => {
    const tableName = `${schema}.fedify_kv`;
    await sql`CREATE UNLOGGED TABLE ${sql(tableName)} (
      key text[] PRIMARY KEY,
      value jsonb NOT NULL,
      created timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
      ttl interval
    )`;
    await inTurns(
      [...entries(), ...MONTHS],
      ({ key, value, ttl }) =>
        sql`INSERT INTO ${sql(tableName)} (key, value, ttl) VALUES (
          ${[...key]},
          to_jsonb(${JSON.stringify(value)}::text),
          ${ttl?.toString() ?? null}
        )`,
    );
    const expected = await readTable(
      sql,
      tableName,
      (value) => JSON.parse(value as string),
    );
    const target = new MemoryKvStore();
    await migrate(fedifyPostgres(sql, { tableName }), target);
    await assertHas(target, expected, 1);
  },
);

testOnPostgres(
  "a string that contains JSON stays a string where Fedify wrote none twice",
  async (sql, schema) => {
    const tableName = `${schema}.t`;
    await sql`CREATE TABLE ${sql(tableName)} (
      key text[] PRIMARY KEY, value jsonb NOT NULL,
      created timestamptz DEFAULT CURRENT_TIMESTAMP, ttl interval)`;
    const insert = (key: string, value: unknown) =>
      sql`INSERT INTO ${sql(tableName)} (key, value)
        VALUES (${[key]}, ${sql.json(value as string)})`;
    const read = async (doubleEncoded?: boolean) => {
      const target = new MemoryKvStore();
      await migrate(fedifyPostgres(sql, { tableName, doubleEncoded }), target);
      const all = await Array.fromAsync(target.list());
      return Object.fromEntries(all.map(({ key, value }) => [key[0], value]));
    };
    await insert("object", { a: 1 });
    await insert("digits", "123");
    await insert("quoted", '"a"');
    await insert("bracket", "[x]");
    const plain = { object: { a: 1 }, digits: "123", quoted: '"a"' };
    assertEquals(await read(), { ...plain, bracket: "[x]" });
    await insert("json", '{"a":1}');
    assertEquals(await read(false), {
      ...plain,
      bracket: "[x]",
      json: '{"a":1}',
    });
    assertEquals(await read(), {
      object: { a: 1 },
      digits: 123,
      quoted: "a",
      bracket: "[x]",
      json: { a: 1 },
    });
  },
);

testOnPostgres(
  "damaged rows are reported with their keys",
  async (sql, schema) => {
    const tableName = `${schema}.t`;
    await sql`CREATE TABLE ${sql(tableName)} (
      key text[] PRIMARY KEY, value jsonb NOT NULL,
      created timestamptz DEFAULT CURRENT_TIMESTAMP, ttl interval)`;
    await sql`INSERT INTO ${sql(tableName)} (key, value, created, ttl) VALUES
      ('{}', '1', now(), NULL),
      (ARRAY['a', NULL], '1', now(), NULL),
      (ARRAY[['a'], ['b']], '1', now(), NULL),
      (ARRAY['b'], '1', NULL, '1 day'),
      (ARRAY['c'], '1', NULL, NULL)`;
    const target = new MemoryKvStore();
    const { skippedEntries, written } = await migrate(
      fedifyPostgres(sql, { tableName }),
      target,
    );
    assertEquals(written, 1);
    const noKey = "its key is not an array of strings";
    assertEquals(
      new Map(skippedEntries.map(({ key, reason }) => [`${key}`, reason])),
      new Map([
        ["{}", noKey],
        ["{a,NULL}", noKey],
        ["{{a},{b}}", noKey],
        ["b", "it has a TTL, but no time of creation"],
      ]),
    );
    assert(await target.get(["c"]) === 1);
  },
);
