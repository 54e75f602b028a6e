// How rows of PostgreSQL expire and are swept.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { FakeTime } from "@std/testing/time";
import { testOnPostgres } from "./clients.ts";

testOnPostgres(
  "set() forgets the TTL, and cas() too",
  async ({ sql, store, tableName }) => {
    await store.set(["a"], 1, { ttl: 60_000 });
    await store.set(["b"], 1, { ttl: 60_000 });
    await store.set(["a"], 2);
    await store.cas(["b"], 1, 2);
    assertEquals(
      [...await sql`SELECT DISTINCT expires FROM ${sql(tableName)}`],
      [{ expires: null }],
    );
  },
);

testOnPostgres(
  "an expiry is by the server's clock and never early",
  async ({ sql, store, tableName }) => {
    const [before] =
      await sql`SELECT extract(epoch FROM clock_timestamp()) AS s`;
    await store.set(["a"], 1, { ttl: 1_000 });
    await Promise.all(["b", "c"].map((k) => store.set([k], 1, { ttl: 1_000 })));
    await store.set(["d"], 0);
    await store.cas(["d"], 0, 1, { ttl: 1_000 });
    const [after] =
      await sql`SELECT extract(epoch FROM clock_timestamp()) AS s`;
    for (
      const { expires } of await sql`SELECT expires FROM ${sql(tableName)}`
    ) {
      assert(Number(expires) >= Number(before!["s"]) * 1_000 + 1_000);
      assert(Number(expires) <= Math.ceil(Number(after!["s"]) * 1_000) + 1_000);
    }
  },
);

testOnPostgres(
  "writes sweep what has expired, in bounded steps",
  async ({ sql, connect, tableName }) => {
    using time = new FakeTime();
    await connect().get(["make", "the", "table"]);
    await sql`INSERT INTO ${sql(tableName)} (key, value, expires, due)
    SELECT 'dead' || i, '1', i, i FROM generate_series(1, 500) AS i`;
    async function dead(): Promise<number> {
      const [row] = await sql`SELECT count(*)::int AS n
      FROM ${sql(tableName)} WHERE expires IS NOT NULL`;
      return row!["n"];
    }
    const store = connect();
    await store.get(["a"]);
    assertEquals(await dead(), 500);
    const left: number[] = [];
    for (let i = 0; i < 129; i++) {
      await store.set(["a"], 1);
      left.push(await dead());
    }
    // The first write sweeps, and then each 32nd, as long as there is more.
    assertEquals([...new Set(left)], [398, 234, 70, 0]);
    assertEquals([0, 31, 32, 64, 96].map((i) => left[i]), [
      398,
      398,
      234,
      70,
      0,
    ]);
    await sql`INSERT INTO ${
      sql(tableName)
    } VALUES ('dead', '1', null, 501, 501)`;
    await store.set(["a"], 1);
    time.tick(999);
    await store.set(["a"], 1);
    assertEquals(await dead(), 1, "it sweeps once a second then");
    time.tick(1);
    await store.set(["a"], 1);
    assertEquals(await dead(), 0);
  },
);

testOnPostgres(
  "however many writes there were, a sweep is bounded",
  async ({ sql, connect, tableName }) => {
    using time = new FakeTime();
    const store = connect();
    await store.set(["a"], 1);
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => store.set(["b", `${i}`], 1)),
    );
    await sql`INSERT INTO ${sql(tableName)} (key, value, expires, due)
    SELECT 'dead' || i, '1', i, i FROM generate_series(1, 3000) AS i`;
    time.tick(1_000);
    await store.set(["a"], 1);
    const [row] = await sql`SELECT count(*)::int AS n
      FROM ${sql(tableName)} WHERE expires IS NOT NULL`;
    assertEquals(row!["n"], 3_000 - 512);
  },
);

testOnPostgres(
  "a sweep looks at the start again once a minute",
  async ({ sql, connect, tableName }) => {
    using time = new FakeTime();
    const store = connect();
    await store.set(["a"], 1);
    for (
      const [expires, passes, left] of [
        [10, 1_000, 0],
        [5, 1_000, 1],
        [20, 1_000, 1],
        [6, 57_000, 0],
      ] as const
    ) {
      await sql`INSERT INTO ${sql(tableName)}
        VALUES (${`dead ${expires}`}, '1', null, ${expires}, ${expires})`;
      time.tick(passes);
      await store.set(["a"], 1);
      const [row] = await sql`SELECT count(*)::int AS n
        FROM ${sql(tableName)} WHERE expires IS NOT NULL`;
      assertEquals(row!["n"], left, `after that of ${expires}`);
    }
  },
);

testOnPostgres(
  "the gets of a tick wait for no sweep",
  async ({ sql, store, tableName }) => {
    await store.set(["a"], 1);
    await sql`INSERT INTO ${sql(tableName)} VALUES ('dead', '1', null, 1, 1)`;
    using time = new FakeTime();
    time.tick(1_000);
    let write: Promise<void> | undefined;
    await sql.begin(async (sql) => {
      await sql`LOCK TABLE ${sql(tableName)} IN SHARE MODE`;
      write = store.set(["b"], 1);
      assertEquals(await store.get(["a"]), 1);
    });
    await write;
  },
);

testOnPostgres(
  "in the caller's transaction nothing is swept, and errors are told",
  async ({ sql, store, tableName }) => {
    await store.set(["a"], 1);
    await sql`INSERT INTO ${sql(tableName)} VALUES ('dead', '1', null, 1, 1)`;
    await sql.begin(async (sql) => {
      await new PostgresKvStore(sql, { tableName }).set(["a"], 2);
    });
    const [row] = await sql`SELECT count(*)::int AS n
      FROM ${sql(tableName)} WHERE expires IS NOT NULL`;
    assertEquals(row!["n"], 1);
    for (const calls of [1, 2]) {
      const codes: unknown[] = [];
      const rejected = sql.begin(
        "isolation level repeatable read",
        async (sql) => {
          const inside = new PostgresKvStore(sql, { tableName });
          await inside.get(["a"]);
          await store.set(["a"], 3);
          const writes = ["a", "b"].slice(0, calls)
            .map((part) => inside.set([part], 4));
          for (const result of await Promise.allSettled(writes)) {
            assert(result.status === "rejected");
            codes.push(result.reason.cause.code);
          }
        },
      );
      await assertRejects(() => rejected, Error, "could not serialize");
      assertEquals(codes, Array.from({ length: calls }, () => "40001"));
    }
    assertEquals(await store.get(["a"]), 3);
  },
);

testOnPostgres(
  "a sweep skips rows that others hold",
  async ({ sql, connect, tableName }) => {
    await connect().set(["a"], 1);
    await sql`INSERT INTO ${sql(tableName)} (key, value, expires, due)
    SELECT 'dead' || i, '1', i, i FROM generate_series(1, 10) AS i`;
    await sql.begin(async (sql) => {
      await sql`SELECT FROM ${sql(tableName)} WHERE key = 'dead5' FOR UPDATE`;
      await connect().set(["a"], 1);
    });
    assertEquals(
      [
        ...await sql`SELECT key FROM ${
          sql(tableName)
        } WHERE expires IS NOT NULL`,
      ],
      [{ key: "dead5" }],
    );
  },
);

testOnPostgres(
  "overwriting leaves the indexed time as it is, and a sweep corrects it once",
  async ({ sql, store, tableName }) => {
    const times = async () => {
      const [row] = await sql`SELECT expires, due FROM ${sql(tableName)}
        WHERE key = 'a'`;
      return { expires: row!["expires"], due: row!["due"] };
    };
    await store.set(["a"], 1, { ttl: 60_000 });
    const first = await times();
    assertEquals(first.due, first.expires);
    for (
      const write of [
        () => store.set(["a"], 2, { ttl: 120_000 }),
        () => store.cas(["a"], 2, 3, { ttl: 120_000 }),
        () => Promise.all(["a", "b"].map((k) => store.set([k], 4))),
        () => Promise.all(["a", "b"].map((k) => store.cas([k], 4, 5))),
        () => store.set(["a"], 6, { ttl: 120_000 }),
      ]
    ) {
      await write();
      assertEquals((await times()).due, first.due);
    }
    await store.set(["a"], 7, { ttl: 30_000 });
    const sooner = await times();
    assert(BigInt(sooner.due) < BigInt(first.due));
    assertEquals(sooner.due, sooner.expires);

    await sql`UPDATE ${sql(tableName)} SET due = 1`;
    assertEquals(await store.sweep(), 0);
    assertEquals(await times(), sooner);
    await store.set(["a"], 8);
    await sql`UPDATE ${sql(tableName)} SET due = 1`;
    assertEquals(await store.sweep(), 0);
    assertEquals(await times(), { expires: null, due: null });
    assertEquals(await store.get(["a"]), 8);
  },
);
