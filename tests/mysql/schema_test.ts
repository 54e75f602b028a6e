// The table of a MySQL store: its creation, its check, and its limits.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvError } from "../../kv/errors.ts";
import { MysqlKvStore, schema } from "../../kv/mysql.ts";
import { startMariadb } from "../../servers/mod.ts";
import { type Fixture, poolOn, reason, testOnMysql, url } from "./clients.ts";

const database = "kv";

testOnMysql(
  "a user without the right to create tables uses the table of schema()",
  async ({ sql, tableName, open }) => {
    const user = `u${tableName.slice(0, 8)}`;
    await sql(schema({ tableName }));
    await sql(`CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'x'`);
    try {
      await sql(`GRANT SELECT, INSERT, UPDATE, DELETE
        ON ${database}.\`${tableName}\` TO '${user}'@'127.0.0.1'`);
      const store = new MysqlKvStore(open({ user, password: "x" }), {
        tableName,
      });
      await store.set(["a"], 1, { ttl: 60_000 });
      assert(await store.cas(["a"], 1, 2));
      assertEquals(await store.count(), 1);
      await store.delete(["a"]);
      assertEquals(await store.sweep(), 0);
    } finally {
      await sql(`DROP USER '${user}'@'127.0.0.1'`);
    }
  },
);

testOnMysql("schema() and the store create the same table", async (it) => {
  const { store, sql, table, tableName } = it;
  const shown = async () =>
    (await sql(`SHOW CREATE TABLE ${table}`))[0]["Create Table"];
  await store.set(["a"], 1);
  const own = await shown();
  await sql(`DROP TABLE ${table}`);
  await sql(schema({ tableName }));
  assertEquals(await shown(), own);
});

testOnMysql("a table that was dropped is created again", async (it) => {
  const { store, sql, table } = it;
  for (
    const call of [
      () => store.set(["a"], 1),
      () => store.get(["a"]),
      () => store.cas(["a"], undefined, 1),
      () => Promise.all([store.set(["a"], 1), store.set(["b"], 1)]),
      () => store.count(),
    ]
  ) {
    await store.set(["b"], 1);
    await sql(`DROP TABLE ${table}`);
    await call();
  }
});

testOnMysql("stores that open a table at once all work", async (it) => {
  const stores = Array.from({ length: 8 }, () => it.connect());
  await Promise.all(stores.map((store, i) => store.set([`${i}`], i)));
  assertEquals(await it.store.count(), 8);
});

testOnMysql("a table of another database is used by its name", async (it) => {
  const name = `other_${it.tableName.slice(0, 8)}`;
  await it.sql(`CREATE DATABASE ${name} CHARACTER SET latin1`);
  try {
    const store = it.connect({}, { tableName: `${name}.entries` });
    await store.set(["é", "Ω"], "Ω");
    await store.set(["E"], 1);
    await store.set(["e"], 2);
    assertEquals(await Array.fromAsync(store.list()), [
      { key: ["E"], value: 1 },
      { key: ["e"], value: 2 },
      { key: ["é", "Ω"], value: "Ω" },
    ]);
  } finally {
    await it.sql(`DROP DATABASE ${name}`);
  }
});

const COLUMNS = `\`key\` varbinary(3072) NOT NULL PRIMARY KEY,
  value longblob NOT NULL, full_key blob, expires bigint, due bigint,
  version bigint NOT NULL DEFAULT 0, INDEX (due)`;

const misfits: Record<string, [definition: string, message: string]> = {
  "Fedify's": [
    "TABLE T (`key` VARCHAR(768) CHARACTER SET ascii PRIMARY KEY, " +
    "value JSON NOT NULL, expires DATETIME(6), INDEX (expires))",
    "Fedify's MysqlKvStore; use another tableName, and copy the entries " +
    "with @org/kv/migrate",
  ],
  "Keyv's": [
    "TABLE T (id VARCHAR(255) PRIMARY KEY, value TEXT)",
    "it looks like a table of Keyv",
  ],
  "text keys": [
    `TABLE T (${COLUMNS.replace("varbinary(3072)", "varchar(700)")})`,
    "it lacks the column key varbinary NOT NULL: it has",
  ],
  "another required column": [
    `TABLE T (${COLUMNS}, tenant int NOT NULL)`,
    "it has the required column tenant int NOT NULL",
  ],
  "another engine": [
    `TABLE T (${COLUMNS.replace("3072", "500")}) ENGINE=MyISAM`,
    "it lacks the engine InnoDB: it has the engine MyISAM: run ALTER TABLE",
  ],
  "another unique index": [
    `TABLE T (${COLUMNS}, UNIQUE unique_expiry (expires))`,
    "it has the unique index unique_expiry (expires)",
  ],
  "no index on due": [
    `TABLE T (${COLUMNS.replace(", INDEX (due)", "")})`,
    "it lacks the index (due): it has none",
  ],
  "short keys": [
    `TABLE T (${COLUMNS.replace("3072", "100")})`,
    "its column key holds only 100 bytes",
  ],
  "a trigger": [
    `TABLE T (${COLUMNS}); CREATE TRIGGER change_T BEFORE INSERT ON T ` +
    "FOR EACH ROW SET NEW.value = '0'",
    "it has the trigger c",
  ],
};

for (const [name, [definition, message]] of Object.entries(misfits)) {
  testOnMysql(
    `a table that does not fit is rejected and not changed (${name})`,
    async ({ store, sql, table }) => {
      const create = definition
        .replace("change_T", `\`c${table.slice(1, 9)}\``)
        .replaceAll(/\bT\b/g, table);
      await sql(`CREATE ${create}`);
      const shown = () => sql(`SHOW CREATE TABLE ${table}`);
      const before = await shown();
      for (
        const call of [
          () => store.get(["a"]),
          () => store.set(["a"], 1),
          () => Array.fromAsync(store.list()),
        ]
      ) await assertRejects(call, KvError, message);
      assertEquals(await shown(), before);
      assertEquals(await sql(`SELECT * FROM ${table}`), []);
    },
  );
}

testOnMysql("a view is rejected", async ({ store, sql, table }) => {
  await sql(`CREATE VIEW ${table} AS SELECT 1 AS \`key\``);
  await assertRejects(
    () => store.get(["a"]),
    KvError,
    "it lacks the type BASE TABLE: it has the type VIEW",
  );
  await sql(`DROP VIEW ${table}`);
});

testOnMysql("a connection without a database is an error", async (it) => {
  const pool = poolOn(url, { uri: url.replace(/\/kv$/, "/") });
  const store = new MysqlKvStore(pool);
  await assertRejects(
    () => store.get(["a"]),
    KvError,
    "the connection has no database",
  );
  const other = new MysqlKvStore(pool, { tableName: `kv.${it.tableName}` });
  await other.set(["a"], 1);
  assertEquals(await it.store.get(["a"]), 1);
  await pool.promise().end();
});

testOnMysql("autocommit that is off is an error", async (it) => {
  const store = it.connect({ setUp: ["SET autocommit = 0"] });
  await assertRejects(() => store.get(["a"]), KvError, "autocommit must be on");
});

Deno.test("a table name that is invalid is a TypeError", () => {
  for (
    const tableName of ["", ".", "a.b.c", "a\0", "a ", "😀", "a".repeat(65), 1]
  ) {
    assertThrows(
      () => schema({ tableName: tableName as string }),
      TypeError,
      "Cannot name a table",
    );
  }
  assert(schema({ tableName: "a`b" }).includes("`a``b`"));
});

/** Keys around the limit of the index, and beyond. */
async function checkLongKeys(store: MysqlKvStore): Promise<void> {
  const keys = [700, 760, 766, 767, 768, 1_535, 1_536, 3_000, 3_071, 3_072]
    .concat(8_000).map((length, i) => ["long", "k".repeat(length - 5), `${i}`]);
  for (const [i, key] of keys.entries()) {
    await store.set(key as [string], i);
    assert(await store.cas(key as [string], i, { i }));
  }
  assertEquals(await store.count(["long"]), keys.length);
  for (const [i, key] of keys.entries()) {
    assertEquals(await store.get(key as [string]), { i });
    assertEquals(await store.count(key as [string]), 1);
  }
}

testOnMysql(
  "keys of any length work",
  ({ store }: Fixture) => checkLongKeys(store),
);

for (const [page, bytes] of [["4k", 768], ["8k", 1_536]] as const) {
  Deno.test({
    name: `keys of any length work on a server with pages of ${page}`,
    ignore: reason !== undefined,
    async fn() {
      await using server = await startMariadb({
        settings: { innodb_page_size: page, innodb_flush_method: "nosync" },
      });
      const pool = poolOn(server.url);
      await checkLongKeys(new MysqlKvStore(pool));
      const [rows] = await pool.promise().query("SHOW CREATE TABLE kv");
      assert(JSON.stringify(rows).includes(`varbinary(${bytes})`));
      await pool.promise().end();
    },
  });
}
