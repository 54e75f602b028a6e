// Tables that exist already: those that fit are used, the others are rejected.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type postgres from "postgres";
import { KvError } from "../../kv/errors.ts";
import { PostgresKvStore, schema } from "../../kv/postgres.ts";
import { testOnPostgres, url, withTable } from "./clients.ts";

/** Rejects every call with a message, and leaves the rows as they were. */
async function assertRejected(
  { sql, store, tableName }: {
    sql: postgres.Sql;
    store: PostgresKvStore;
    tableName: string;
  },
  ...messages: string[]
): Promise<void> {
  const content = () =>
    sql`SELECT t::text FROM ${sql(tableName)} AS t`.values();
  const before = await content();
  const outcomes = await Promise.allSettled([
    store.get(["a"]),
    store.set(["a"], 1),
    store.delete(["a"]),
    store.cas(["a"], undefined, 1),
    Array.fromAsync(store.list()),
  ]);
  for (const outcome of outcomes) {
    const { reason } = outcome as PromiseRejectedResult;
    assertEquals(reason?.name, "KvError");
    for (const message of [tableName, ...messages]) {
      assertStringIncludes(reason.message, message);
    }
  }
  assertEquals(await content(), before);
}

const columns = `key text COLLATE "C" PRIMARY KEY, value text NOT NULL,
  full_key text COLLATE "C", expires bigint, due bigint`;

const misfits: Record<string, [sql: string, ...messages: string[]]> = {
  "of Fedify": [
    `CREATE UNLOGGED TABLE $ (key text[] PRIMARY KEY, value jsonb NOT NULL,
      created timestamp with time zone DEFAULT now(), ttl interval);
    INSERT INTO $ VALUES ('{a}', '1')`,
    "its columns are key text[] (key), value jsonb, created timestamp",
    "it is a table of Fedify's PostgresKvStore; use another tableName, and " +
    "copy the entries with @org/kv/migrate",
  ],
  "of Keyv": [
    `CREATE TABLE $ (key varchar(255) PRIMARY KEY, value text);
    INSERT INTO $ VALUES ('a', '1')`,
    "its columns are key character varying(255) (key), value text",
    "it looks like a table of Keyv; use another tableName",
  ],
  "with a required column": [
    `CREATE TABLE $ (${columns}, owner text NOT NULL)`,
    "its column owner is required",
  ],
  "with a column of another type": [
    `CREATE TABLE $ (${columns.replace("expires bigint", "expires integer")})`,
    "expires integer",
  ],
  "with keys in another order": [
    `CREATE TABLE $ (${columns.replace(' COLLATE "C"', "")})`,
    'its column key has the collation "default", not "C"',
    'ALTER COLUMN key TYPE text COLLATE "C"',
  ],
  "without a key": [
    `CREATE TABLE $ (${columns.replace(" PRIMARY KEY", " NOT NULL")})`,
    "it has no usable unique index on the column key alone",
    "ADD PRIMARY KEY (key)",
  ],
  "with a key that is checked late": [
    `CREATE TABLE $ (${columns.replace(" PRIMARY KEY", " UNIQUE DEFERRABLE")})`,
    "it has no usable unique index on the column key alone",
  ],
  "with unique values": [
    `CREATE TABLE $ (${columns}, UNIQUE (value))`,
    "forbids entries with equal values",
  ],
  "that another table inherits from": [
    `CREATE TABLE $ (${columns});
    CREATE TABLE "$-child" () INHERITS ($);
    INSERT INTO "$-child" VALUES ('a', '1')`,
    "inherits from it",
  ],
  "with a trigger that may change writes": [
    `CREATE TABLE $ (${columns});
    CREATE TRIGGER t BEFORE INSERT ON $ FOR EACH ROW
      EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
    'its trigger "t" may change writes',
  ],
  "with a rule": [
    `CREATE TABLE $ (${columns});
    CREATE RULE r AS ON DELETE TO $ DO INSTEAD NOTHING`,
    'its rule "r" changes statements',
  ],
};

for (const [name, [create, ...messages]] of Object.entries(misfits)) {
  testOnPostgres(`a table ${name} is rejected`, async (fixture) => {
    const { sql, tableName } = fixture;
    const statements = create
      .replaceAll('"$-child"', `"child of ${tableName.slice(0, 30)}"`)
      .replaceAll("$", `"${tableName}"`);
    await sql.unsafe(statements);
    try {
      await assertRejected(fixture, ...messages);
    } finally {
      await sql`DROP TABLE ${sql(tableName)} CASCADE`;
    }
  });
}

testOnPostgres("a view is rejected", async (fixture) => {
  const { sql, tableName } = fixture;
  await sql.unsafe(`CREATE VIEW "${tableName}" AS SELECT 'a' AS key`);
  await assertRejected(fixture, "it is a view: use another tableName");
  await sql`DROP VIEW ${sql(tableName)}`;
});

testOnPostgres("a partition of a table is rejected", async (fixture) => {
  const { sql, tableName } = fixture;
  const parent = `parent ${tableName.slice(0, 30)}`;
  await sql.unsafe(
    `CREATE TABLE "${parent}" (${columns}) PARTITION BY HASH (key);
    CREATE TABLE "${tableName}" PARTITION OF "${parent}"
      FOR VALUES WITH (MODULUS 2, REMAINDER 0)`,
  );
  await assertRejected(fixture, "it is a partition or child of another table");
  await sql`DROP TABLE ${sql(parent)}`;
});

testOnPostgres(
  "a temporary table in front of the store's table is rejected",
  async ({ sql, tableName }) => {
    const reserved = await sql.reserve();
    try {
      await reserved.unsafe(`CREATE TEMP TABLE "${tableName}" (${columns})`);
      const store = new PostgresKvStore(reserved, { tableName });
      await assertRejects(
        () => store.set(["a"], 1),
        KvError,
        "it is a temporary table, which only one connection sees",
      );
      await reserved.unsafe(`DROP TABLE "${tableName}"`);
      await store.set(["a"], 1);
      // From now on the store knows the schema.
      await reserved.unsafe(`CREATE TEMP TABLE "${tableName}" (${columns})`);
      await reserved`SET search_path = pg_temp`;
      assertEquals(await store.get(["a"]), 1);
      await reserved`DISCARD ALL`;
    } finally {
      reserved.release();
    }
  },
);

testOnPostgres(
  "a table of an untrusted role is rejected before its trigger runs",
  async ({ sql, connect }) => {
    const id = crypto.randomUUID().replaceAll("-", "");
    const [app, mallory] = [`app${id}`, `mal${id}`];
    await sql.unsafe(`CREATE ROLE ${app} LOGIN; CREATE ROLE ${mallory} LOGIN;
      CREATE SCHEMA "s${id}";
      GRANT CREATE, USAGE ON SCHEMA "s${id}" TO ${app}, ${mallory};
      SET ROLE ${mallory};
      ${schema({ tableName: `s${id}.kv` })}
      GRANT ALL ON "s${id}".kv TO PUBLIC;
      RESET ROLE`);
    try {
      for (const role of [undefined, app]) {
        const store = connect(
          role === undefined ? {} : { connection: { role } },
          { tableName: `s${id}.kv` },
        );
        await assertRejects(
          () => store.set(["a"], 1),
          KvError,
          `Cannot open "s${id}"."kv": it belongs to the role "${mallory}"`,
        );
      }
      await sql.unsafe(`ALTER TABLE "s${id}".kv OWNER TO ${app}`);
      const store = connect({ connection: { role: app } }, {
        tableName: `s${id}.kv`,
      });
      await store.set(["a"], 1);
    } finally {
      await sql.unsafe(`DROP SCHEMA "s${id}" CASCADE;
        DROP OWNED BY ${app}, ${mallory}; DROP ROLE ${app}, ${mallory}`);
    }
  },
);

for (const partitions of [2, 4]) {
  testOnPostgres(
    `a table of ${partitions} partitions keeps every entry`,
    async ({ sql, store, connect, tableName }) => {
      const [create, index] = schema({ tableName }).split(";");
      await sql.unsafe(`${create} PARTITION BY HASH (key); ${index}`);
      for (let i = 0; i < partitions; i++) {
        await sql.unsafe(
          `CREATE TABLE "${i} ${tableName}" PARTITION OF "${tableName}"
          FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${i})`,
        );
      }
      const parts = Array.from({ length: 120 }, (_, i) => `${i}`);
      await Promise.all(parts.map((part) => store.set([part], part)));
      const peer = connect();
      for (let round = 0; round < 3; round++) {
        assertEquals(
          await Promise.all(parts.map((part, i) =>
            (i % 2 ? store : peer).cas(
              [part],
              round === 0 ? part : `${part}:${round - 1}`,
              `${part}:${round}`,
            )
          )),
          parts.map(() => true),
        );
      }
      // A sweep meets rows of other partitions at the same places.
      await Promise.all(
        parts.slice(0, 60).map((part) => store.set(["dead", part], 1)),
      );
      await sql`UPDATE ${sql(tableName)} SET expires = 1, due = 1
        WHERE key LIKE 'dead!%'`;
      assertEquals(await store.sweep(), 60);
      assertEquals(
        (await Array.fromAsync(store.list())).map(({ key, value }) =>
          `${key[0]}=${value}`
        ).sort(),
        parts.map((part) => `${part}=${part}:2`).sort(),
      );
      assertEquals(
        await Promise.all(
          parts.map((part) => store.cas([part], `${part}:2`, undefined)),
        ),
        parts.map(() => true),
      );
      assertEquals(await Array.fromAsync(store.list()), []);
    },
  );
}

testOnPostgres(
  "a table that was dropped is created again",
  async ({ sql, store, connect, tableName }) => {
    const outcomes: unknown[] = [];
    for (
      const call of [
        () => store.get(["a"]),
        () => store.cas(["a"], undefined, 1),
        () => store.set(["a"], 1),
        () => Promise.all([store.set(["a"], 1), store.set(["b"], 1)]),
        () => Array.fromAsync(store.list()),
        () => store.delete(["a"]),
      ]
    ) {
      await store.set(["before"], 1);
      await sql`DROP TABLE ${sql(tableName)}`;
      outcomes.push(await call());
    }
    assertEquals(outcomes, [
      undefined,
      true,
      undefined,
      [undefined, undefined],
      [],
      undefined,
    ]);
    await store.set(["a"], 1, { ttl: 60_000 });
    assertEquals(await connect().get(["a"]), 1);
  },
);

testOnPostgres(
  "a table without the column due is upgraded, and swept",
  async ({ sql, connect, tableName }) => {
    await sql.unsafe(`CREATE TABLE "${tableName}" (
      key text COLLATE "C" PRIMARY KEY, value text NOT NULL,
      full_key text COLLATE "C", expires bigint);
    CREATE INDEX ON "${tableName}" (expires) WHERE expires IS NOT NULL;
    INSERT INTO "${tableName}" VALUES
      ('dead', '1', NULL, 1), ('alive', '2', NULL, NULL)`);
    const stores = Array.from({ length: 4 }, () => connect({ max: 1 }));
    assertEquals(
      await Promise.all(stores.map((store) => store.get(["alive"]))),
      [2, 2, 2, 2],
    );
    await stores[0]!.set(["new"], 3, { ttl: 60_000 });
    assertEquals(
      [...await sql`SELECT key, due FROM ${sql(tableName)} WHERE key <> 'new'`],
      [{ key: "alive", due: null }],
    );
    const indexes = await sql`SELECT indexdef FROM pg_indexes
      WHERE tablename = ${tableName} AND indexdef LIKE '%IS NOT NULL%'`;
    assertEquals(indexes.length, 1);
    assertStringIncludes(indexes[0]!["indexdef"], "(due)");
  },
);

testOnPostgres(
  "an upgrade without the right to it says what the owner has to run",
  async ({ sql }) => {
    const name = crypto.randomUUID().replaceAll("-", "");
    const tableName = `${name}.kv`;
    await sql.unsafe(`CREATE SCHEMA "${name}"; CREATE TABLE "${name}".kv (
      key text COLLATE "C" PRIMARY KEY, value text NOT NULL,
      full_key text COLLATE "C", expires bigint);
    CREATE ROLE "${name}"; GRANT USAGE ON SCHEMA "${name}" TO "${name}";
    GRANT SELECT, INSERT, UPDATE, DELETE ON "${name}".kv TO "${name}"`);
    try {
      await withTable(url, async ({ connect }) => {
        const store = connect({ connection: { role: name } }, { tableName });
        const error = await assertRejects(() => store.get(["a"]), KvError);
        assertStringIncludes(error.message, "must be owner of table kv");
        assertStringIncludes(
          error.message,
          `let its owner run ALTER TABLE "${name}"."kv" ADD COLUMN due bigint;`,
        );
      });
    } finally {
      await sql.unsafe(`DROP SCHEMA "${name}" CASCADE; DROP ROLE "${name}"`);
    }
  },
);

testOnPostgres(
  "list() yields no key outside its prefix, and reports keys of no store",
  async ({ sql, store, tableName }) => {
    await store.set(["a", "1"], 1);
    await sql`INSERT INTO ${sql(tableName)} (key, value)
      VALUES ('á!1', '2'), ('A!1', '3'), ('a!2 x', '4')`;
    const keys: unknown[] = [];
    await assertRejects(
      async () => {
        for await (const { key } of store.list(["a"])) keys.push(key);
      },
      KvError,
      'Cannot list ["a","2 x"]: no store writes such a key in the table',
    );
    assertEquals(keys, [["a", "1"]]);
  },
);
