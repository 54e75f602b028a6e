// What the PostgreSQL store reads and writes.
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import postgres from "postgres";
import { KvCorruptionError, KvError } from "../../kv/errors.ts";
import { PostgresKvStore, schema } from "../../kv/postgres.ts";
import type { KvKey } from "../../kv/store.ts";
import { testOnPostgres, url, withTable } from "./clients.ts";

testOnPostgres(
  "each call is one statement, and one round trip",
  async ({ observe }) => {
    const { store, sent } = observe();
    await store.set(["warm"], "up");
    const calls: Record<string, () => Promise<unknown>> = {
      "get() of nothing": () => store.get(["a"]),
      "cas() that creates": () => store.cas(["a"], undefined, { n: 1, m: 1 }),
      "get()": () => store.get(["a"]),
      "cas() that swaps": () =>
        store.cas(["a"], { n: 1, m: 1 }, { n: 2, m: 1 }),
      "cas() that fails": () => store.cas(["a"], { n: 1, m: 1 }, 3),
      "cas() that finds nothing": () => store.cas(["b"], 1, 2),
      "cas() that deletes": () => store.cas(["a"], { n: 2, m: 1 }, undefined),
      "cas() of nothing": () => store.cas(["a"], undefined, undefined),
      "set()": () => store.set(["a"], 1, { ttl: 60_000 }),
      "delete()": () => store.delete(["a"]),
    };
    for (const [name, call] of Object.entries(calls)) {
      sent.length = 0;
      await call();
      assertEquals(sent.length, 1, name);
    }
  },
);

testOnPostgres(
  "cas() takes one more round trip if only the form differs",
  async ({ observe }) => {
    const { store, sent } = observe();
    for (const keys of [["a"], ["b", "c"]]) {
      await Promise.all(keys.map((key) => store.set([key], { n: 1, m: 2 })));
      sent.length = 0;
      assertEquals(
        await Promise.all(
          keys.map((key) => store.cas([key], { m: 2, n: 1 }, { n: 2 })),
        ),
        keys.map(() => true),
      );
      assertEquals(sent.length, 1 + keys.length);
    }
  },
);

testOnPostgres(
  "the calls of a tick travel in few statements",
  async ({ observe }) => {
    const { store, sent } = observe();
    const keys = Array.from({ length: 256 }, (_, i): KvKey => ["k", `${i}`]);
    await store.get(["warm up"]);
    await store.set(["warm up"], 1);
    sent.length = 0;
    await Promise.all(keys.map((key) => store.set(key, 1)));
    assertEquals(sent.length, 4);
    await Promise.all(keys.map((key) => store.get(key)));
    assertEquals(sent.length, 8);
    await Promise.all(keys.map((key) => store.cas(key, 1, 2)));
    assertEquals(sent.length, 12);
    await Promise.all(keys.map((key) => store.delete(key)));
    assertEquals(sent.length, 16);
  },
);

testOnPostgres(
  "a statement carries large values by the few",
  async ({ observe }) => {
    const { store, sent } = observe();
    await store.set(["warm up"], 1);
    sent.length = 0;
    const value = "é".repeat(100_000);
    await Promise.all([1, 2, 3, 4, 5].map((i) => store.set([`${i}`], value)));
    assertEquals(sent.map(({ parameters }) => String(parameters[0])), [
      "1\n2",
      "3\n4",
      "5",
    ]);
    assertEquals(await store.get(["4"]), value);
  },
);

testOnPostgres(
  "one bad call among 1,000 of a tick fails alone",
  async ({ sql, store, tableName }) => {
    await store.set(["k", "13"], "old");
    await sql`ALTER TABLE ${sql(tableName)} ADD CHECK (value <> '"bad"')`;
    const outcomes = await Promise.allSettled(
      Array.from(
        { length: 1_000 },
        (_, i) => store.set(["k", `${i}`], i === 13 ? "bad" : i),
      ),
    );
    for (const [i, { status }] of outcomes.entries()) {
      assertEquals(status, i === 13 ? "rejected" : "fulfilled");
      assertEquals(await store.get(["k", `${i}`]), i === 13 ? "old" : i);
    }
    const { reason } = outcomes[13] as PromiseRejectedResult;
    assert(reason instanceof KvError);
    assertStringIncludes(reason.message, 'Cannot set ["k","13"]: new row for');
    assertEquals((reason.cause as { code: string }).code, "23514");
  },
);

testOnPostgres(
  "one row that another transaction holds keeps only its own call",
  async ({ sql, connect, tableName }) => {
    const store = connect({ connection: { lock_timeout: 50 } });
    const keys = Array.from({ length: 20 }, (_, i): KvKey => [`${i}`]);
    await Promise.all(keys.map((key) => store.set(key, 0)));
    await sql.begin(async (sql) => {
      await sql`SELECT FROM ${sql(tableName)} WHERE key = '7' FOR UPDATE`;
      for (
        const call of [
          (key: KvKey): Promise<unknown> => store.set(key, 1),
          (key: KvKey) => store.cas(key, key[0] === "7" ? 0 : 1, 2),
          (key: KvKey) => store.delete(key),
        ]
      ) {
        const outcomes = await Promise.allSettled<unknown>(keys.map(call));
        assertEquals(
          outcomes.flatMap(({ status }, i) => status === "rejected" ? [i] : []),
          [7],
        );
      }
    });
  },
);

testOnPostgres(
  "an entry that cannot be decoded fails alone",
  async ({ sql, store, tableName }) => {
    const keys: KvKey[] = [["a"], ["b"], ["c"]];
    await Promise.all(keys.map((key) => store.set(key, 1)));
    await sql`UPDATE ${sql(tableName)} SET value = 'no JSON' WHERE key = 'b'`;
    const outcomes = await Promise.allSettled([
      ...keys.map((key) => store.get(key)),
      ...keys.map((key) => store.cas(key, 1, 2)),
    ]);
    assertEquals(
      outcomes.map((it) =>
        it.status === "fulfilled" ? it.value : it.reason.name
      ),
      [1, "KvCorruptionError", 1, true, "KvCorruptionError", true],
    );
    await assertRejects(
      () => Array.fromAsync(store.list()),
      KvCorruptionError,
      'Cannot list ["b"]: ',
    );
  },
);

testOnPostgres(
  "values written in SQL are read, listed and swapped",
  async ({ sql, store, tableName }) => {
    await store.get(["a"]);
    const value = '{ "n": 1,\n\t"list": [1, 2] }';
    for (const key of ["a", "b"]) {
      await sql`INSERT INTO ${sql(tableName)} VALUES (${key}, ${value})`;
    }
    assertEquals(await store.get(["a"]), { n: 1, list: [1, 2] });
    assertEquals((await Array.fromAsync(store.list())).length, 2);
    assertEquals(
      await Promise.all(
        ["a", "b"].map((key) => store.cas([key], { list: [1, 2], n: 1 }, 2)),
      ),
      [true, true],
    );
  },
);

testOnPostgres(
  "values are readable in SQL",
  async ({ sql, store, tableName }) => {
    await store.set(["users", "https://example.com/@a"], { name: "a\0\ud800" });
    await store.set(["big"], 2n ** 70n);
    assertEquals(
      [...await sql`SELECT key, value FROM ${sql(tableName)} ORDER BY key`],
      [
        { key: "big", value: "cbor:2dn3wklAAAAAAAAAAAA=" },
        {
          key: "users!https://example.com/@a",
          value: '{"name":"a\\u0000\\ud800"}',
        },
      ],
    );
  },
);

testOnPostgres(
  "set() refuses a value beyond the limit and keeps the old one",
  async ({ observe }) => {
    const { store, sent } = observe();
    await store.set(["a"], "old");
    sent.length = 0;
    const { maxValueBytes } = store.traits;
    await assertRejects(
      () => store.set(["a"], "é".repeat(maxValueBytes / 2)),
      RangeError,
      `Cannot set ["a"]: value must take at most ${maxValueBytes} bytes: ` +
        `received ${maxValueBytes + 2}`,
    );
    assertEquals(sent, []);
    assertEquals(await store.get(["a"]), "old");
  },
);

testOnPostgres(
  "a database that is not in UTF-8 is refused",
  async ({ sql }) => {
    const database = `kv_${crypto.randomUUID().replaceAll("-", "")}`;
    await sql.unsafe(
      `CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`,
    );
    try {
      const other = new URL(url);
      other.pathname = database;
      await withTable(other.href, async ({ store }) => {
        await assertRejects(
          () => store.set(["a"], 1),
          KvError,
          "the database must be encoded in UTF8: received LATIN1",
        );
      });
    } finally {
      await sql.unsafe(`DROP DATABASE ${database}`);
    }
  },
);

testOnPostgres(
  "a read-only server reads, and says so when asked to write",
  async ({ store, connect }) => {
    await store.set(["a"], 1);
    const reader = connect({
      connection: { default_transaction_read_only: true },
    });
    assertEquals(await reader.get(["a"]), 1);
    const outcomes = await Promise.allSettled([
      reader.set(["a"], 2),
      reader.set(["b"], 2),
      reader.cas(["c"], undefined, 2),
    ]);
    for (const outcome of outcomes) {
      const { reason } = outcome as PromiseRejectedResult;
      assertEquals(reason.name, "KvError");
      assertStringIncludes(reason.message, "in a read-only transaction");
    }
  },
);

testOnPostgres(
  "a client that was ended is an error, not an unknown outcome",
  async ({ tableName }) => {
    const sql = postgres(url, { fetch_types: false });
    const store = new PostgresKvStore(sql, { tableName });
    await store.set(["a"], 1);
    await sql.end();
    const error = await assertRejects(() => store.set(["a"], 2), KvError);
    assertEquals(error.name, "KvError");
    assertStringIncludes(error.message, "CONNECTION_ENDED");
  },
);

testOnPostgres(
  "a client that turns names and undefined around works",
  async ({ connect }) => {
    const store = connect({
      transform: { ...postgres.camel, undefined: null },
      types: { bigint: postgres.BigInt } as never,
      fetch_types: false,
    });
    const long: KvKey = ["a", "b".repeat(4_000)];
    await store.set(long, 1, { ttl: 60_000 });
    await Promise.all(
      ["b", "c"].map((k) => store.set([k], 2, { ttl: 60_000 })),
    );
    assertEquals(await store.cas(["b"], 2, 3, { ttl: 60_000 }), true);
    const entries = await Array.fromAsync(store.list());
    assertEquals(entries.map(({ key, value }) => [key, value]), [
      [long, 1],
      [["b"], 3],
      [["c"], 2],
    ]);
  },
);

Deno.test("PostgresKvStore rejects what is not a client", () => {
  for (const client of [undefined, null, {}, "postgres://localhost"]) {
    assertThrows(
      () => new PostgresKvStore(client as never),
      TypeError,
      "sql must be a client of postgres.js (3.4 or later), pg (8 or later), PGlite or Bun.SQL",
    );
  }
});

Deno.test("PostgresKvStore and schema() refuse bad names", () => {
  const sql = { unsafe: () => ({ raw: () => Promise.resolve([]) }) };
  const names = ["", "a.b.c", ".a", "a.", "a\0", "\ud800", "é".repeat(32)];
  for (const tableName of names as string[]) {
    for (
      const name of [
        () => new PostgresKvStore(sql, { tableName }),
        () => schema({ tableName }),
      ]
    ) {
      assertThrows(name, TypeError, "Cannot name a table: each name must ");
    }
  }
});
