// Expiry and sweeps in MySQL.
import { assert, assertEquals } from "@std/assert";
import type { KvKey } from "../../kv/store.ts";
import { numbersTo, testOnMysql } from "./clients.ts";

testOnMysql(
  "time zones of sessions do not change a TTL",
  async ({ connect, table, sql }) => {
    for (const zone of ["-11:00", "+00:00", "+11:00"]) {
      const store = connect({ setUp: [`SET SESSION time_zone = '${zone}'`] });
      const before = Date.now();
      await store.set(["a"], 1, { ttl: 60_000 });
      const [{ expires }] = await sql(`SELECT expires FROM ${table}`);
      assert(expires >= before + 59_000 && expires <= Date.now() + 61_000);
      assertEquals(await store.get(["a"]), 1);
    }
  },
);

testOnMysql("a write deletes expired rows in steps", async (fixture) => {
  const { store, table, sql } = fixture;
  await store.set(["live"], 1, { ttl: 60_000 });
  await sql(`INSERT INTO ${table} (\`key\`, value, expires, due)
    SELECT CONCAT('old!', seq), '1', seq, seq FROM ${numbersTo(1000)}`);
  const count = async () =>
    (await sql(`SELECT COUNT(*) AS n FROM ${table}`))[0].n;
  const other = fixture.connect();
  await other.set(["a"], 1);
  const first = await count();
  assert(first < 1_002 && first > 500, `${first} rows are left`);
  for (let i = 0; i < 640; i++) await other.set(["a"], i);
  assertEquals(await count(), 2);
});

testOnMysql("sweep() deletes all expired rows and no others", async (it) => {
  const { store, table, sql } = it;
  await store.set(["live"], 1, { ttl: 60_000 });
  await store.set(["forever"], 1);
  await sql(`INSERT INTO ${table} (\`key\`, value, expires, due)
    SELECT CONCAT('old!', seq), '1', seq, seq FROM ${numbersTo(700)}`);
  // Rows that were written again with another expiry are due, but not expired.
  await sql(`INSERT INTO ${table} (\`key\`, value, expires, due)
    SELECT CONCAT('later!', seq), '1', 99999999999999, 1 FROM ${
    numbersTo(300)
  }`);
  assertEquals(await store.sweep(), 700);
  assertEquals(await store.count(), 302);
  const [row] = await sql(`SELECT COUNT(*) AS n FROM ${table}
    WHERE due <> expires`);
  assertEquals(row.n, 0);
  assertEquals(await store.sweep(), 0);
});

testOnMysql("an update never raises due", async ({ store, table, sql }) => {
  const key: KvKey = ["a"];
  const row = async () =>
    (await sql(`SELECT expires, due FROM ${table} WHERE \`key\` = 'a'`))[0];
  await store.set(key, 1, { ttl: 60_000 });
  const { due } = await row();
  await store.set(key, 1, { ttl: 120_000 });
  assertEquals((await row()).due, due);
  await store.set(key, 1);
  assertEquals(await row(), { expires: null, due });
  assert(await store.cas(key, 1, 2, { ttl: 1_000 }));
  const swapped = await row();
  assert(swapped.due < due && swapped.due === swapped.expires);
});

testOnMysql("a sweep reads by the index on due", async (fixture) => {
  const { store, table, sql } = fixture;
  await store.set(["a"], 1);
  await sql(`INSERT INTO ${table} (\`key\`, value, expires, due)
    SELECT CONCAT('b!', seq), REPEAT('1', 300), 9e13, 9e13 FROM ${
    numbersTo(3000)
  };
    ANALYZE TABLE ${table}`);
  const client = fixture.open({ connectionLimit: 1 }).promise();
  await client.query("FLUSH STATUS");
  const { MysqlKvStore } = await import("../../kv/mysql.ts");
  const other = new MysqlKvStore(client, { tableName: fixture.tableName });
  await other.set(["a"], 2);
  const [rows] = await client.query(
    "SHOW SESSION STATUS LIKE 'Handler_read_rnd_next'",
  );
  // Opening reads the schema; a scan of the table would read all rows.
  const [{ Value }] = rows as [{ Value: string }];
  assert(Number(Value) < 1_000, `${Value} rows were read`);
});
