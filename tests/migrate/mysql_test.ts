// Migrating from the layout of Fedify's MySQL store, and from that of Ghost.
import { assertEquals } from "@std/assert";
import { fedifyMysql, migrate } from "../../migrate/mod.ts";
import { MemoryKvStore } from "../../mod.ts";
import { testOnMysql } from "../mysql/clients.ts";
import { assertHas, entries, type Expected } from "./entries.ts";

testOnMysql(
  "every entry of Fedify's MySQL table arrives, whatever the session's time zone",
  async ({ tableName, table, open, sql }) => {
    await sql(`CREATE TABLE ${table} (
      \`key\` VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        NOT NULL PRIMARY KEY,
      \`value\` JSON NOT NULL,
      \`expires\` DATETIME(6) NULL,
      KEY \`idx_expires\` (\`expires\`)
    )`);
    const setUp = ["SET time_zone = '+05:45'"];
    const pool = open({ setUp, connectionLimit: 1 });
    const expected: Expected = new Map();
    const some = entries(["\0"]);
    for (let i = 0; i < some.length; i += 200) {
      const rows = some.slice(i, i + 200);
      await pool.promise().query(
        `INSERT INTO ${table} VALUES ` +
          rows.map(() => "(?, ?, NOW(6) + INTERVAL ? MICROSECOND)").join(),
        rows.flatMap(({ key, value, ttl }) => [
          JSON.stringify(key),
          JSON.stringify(value),
          ttl === undefined ? null : ttl.total("milliseconds") * 1000,
        ]),
      );
    }
    // What the server itself makes of the expiry, in the writer's time zone.
    const [rows] = await pool.promise().query(
      `SELECT \`key\`, CAST(UNIX_TIMESTAMP(expires) * 1000 AS DOUBLE) AS expires
       FROM ${table}`,
    );
    const expiries = new Map(
      (rows as { key: string; expires: number | null }[]).map(
        ({ key, expires }) => [key, expires],
      ),
    );
    for (const { key, value } of some) {
      const id = JSON.stringify(key);
      const expires = expiries.get(id) ?? null;
      expected.set(id, { value, ...expires === null ? {} : { expires } });
    }
    await sql(
      `INSERT INTO ${table} VALUES ('["expired"]', '1', NOW(6) - INTERVAL 1 DAY),
        ('no key', '1', NULL)`,
    );
    const dump = () => sql(`SELECT * FROM ${table} ORDER BY \`key\``);
    const before = await dump();
    const target = new MemoryKvStore();
    const source = fedifyMysql(pool, { tableName });
    const summary = await migrate(source, target, { verify: true });
    assertEquals([summary.written, summary.expired], [expected.size, 1]);
    assertEquals(summary.skippedEntries.map(({ key }) => key), ["no key"]);
    assertEquals(summary.different, []);
    await assertHas(target, expected, 1);
    assertEquals(await source.count!([]), expected.size + 2);
    assertEquals(await dump(), before);
  },
);

testOnMysql(
  "Ghost's entries arrive, its booleans as booleans",
  async ({ tableName, table, open, sql }) => {
    await sql(`CREATE TABLE ${table} (
      \`key\` VARCHAR(256) NOT NULL UNIQUE,
      \`value\` JSON NOT NULL,
      \`expires\` DATETIME NULL
    )`);
    await sql(`INSERT INTO ${table} VALUES
      ('["_fedify","activityIdempotence","a"]', '{"@@BOOLEAN@@": true}',
        NOW() + INTERVAL 1 DAY),
      ('["false"]', '{"@@BOOLEAN@@": false}', NULL),
      ('["other"]', '{"@@BOOLEAN@@": 1}', NULL)`);
    const target = new MemoryKvStore();
    await migrate(fedifyMysql(open().promise(), { tableName }), target);
    const found = await Array.fromAsync(target.list());
    assertEquals(found.map(({ value }) => value), [
      true,
      false,
      { "@@BOOLEAN@@": 1 },
    ]);
    const left = found[0]!.expires! - Date.now();
    assertEquals(Math.round(left / 3_600_000), 24);
  },
);
