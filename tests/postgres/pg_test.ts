// Stores on clients of pg (node-postgres): options, transactions, errors.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
// @ts-types="@types/pg"
import pg from "pg";
import { KvError } from "../../kv/errors.ts";
import { triage } from "../../kv/postgres/errors.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { testOnPostgres, url } from "./clients.ts";
import { exercise } from "./exercise.ts";
import { openClient, openPool } from "./pg.ts";

const shout = (text: unknown) => `${text}`.toUpperCase();
const types = { getTypeParser: () => shout };

const options: Record<string, pg.PoolConfig & { binary?: boolean }> = {
  "no option": {},
  "parsers of every type": { types: types as never },
  "binary columns": { binary: true },
};

for (const [name, option] of Object.entries(options)) {
  testOnPostgres(`pg with ${name} changes no answer`, async ({ tableName }) => {
    const pool = openPool({ max: 2, ...option });
    await exercise(new PostgresKvStore(pool, { tableName }));
    await exercise(new PostgresKvStore(pool, { tableName, prepare: false }));
    const lent = await pool.connect();
    await exercise(new PostgresKvStore(lent, { tableName }));
    lent.release();
    await pool.end();
  });
}

testOnPostgres(
  "a global parser of pg changes no answer",
  async ({ tableName }) => {
    const pool = openPool({ max: 1 });
    const parser = pg.types.getTypeParser(25);
    pg.types.setTypeParser(25, shout);
    try {
      await exercise(new PostgresKvStore(pool, { tableName }));
    } finally {
      pg.types.setTypeParser(25, parser as (text: string) => unknown);
      await pool.end();
    }
  },
);

testOnPostgres("a client of pg may pipeline", async ({ tableName }) => {
  const client = await openClient({ pipeline: true } as pg.ClientConfig);
  await exercise(new PostgresKvStore(client, { tableName }));
  await client.end();
});

testOnPostgres(
  "statements on pg are prepared by name unless prepare is false",
  async ({ tableName }) => {
    const client = await openClient();
    const named = async () => {
      const { rows } = await client.query(
        "SELECT name FROM pg_prepared_statements WHERE statement LIKE $1",
        [`%"${tableName}"%`],
      );
      return rows.map(({ name }) => name);
    };
    await exercise(new PostgresKvStore(client, { tableName, prepare: false }));
    assertEquals(await named(), []);
    await exercise(new PostgresKvStore(client, { tableName }));
    const names = await named();
    assert(names.length > 5, `${names}`);
    for (const name of names) assert(/^kv_[0-9a-f]{24}$/.test(name), name);
    await client.end();
  },
);

testOnPostgres(
  "calls on a client of pg take part in its transaction",
  async ({ store, sql, tableName }) => {
    await store.set(["a"], 1);
    await sql`INSERT INTO ${sql(tableName)} VALUES ('old', '1', NULL, 1, 1)`;
    const client = await openClient();
    const inside = new PostgresKvStore(client, { tableName });
    await client.query("BEGIN");
    await inside.set(["a"], 2);
    assertEquals(await inside.cas(["b"], undefined, 1), true);
    assertEquals(await inside.get(["a"]), 2);
    assertEquals(await store.get(["a"]), 1);
    const { count } = await sql`SELECT FROM ${sql(tableName)}`;
    assertEquals(count, 2, "no call in the transaction sweeps");
    await client.query("ROLLBACK");
    assertEquals(await inside.get(["a"]), 1);
    assertEquals(await inside.get(["b"]), undefined);

    // One error ends the transaction, and is reported as it is.
    await sql`ALTER TABLE ${sql(tableName)}
      ADD CONSTRAINT short CHECK (length(value) < 30)`;
    await client.query("BEGIN");
    const outcomes = await Promise.allSettled([
      inside.set(["c"], 1),
      inside.set(["d"], "x".repeat(40)),
    ]);
    for (const outcome of outcomes) {
      assert(outcome.status === "rejected");
      assertStringIncludes(outcome.reason.message, '"short"');
    }
    await client.query("ROLLBACK");
    assertEquals(await store.get(["c"]), undefined);
    await client.end();
  },
);

testOnPostgres(
  "no error of pg holds a value or a password",
  async ({ sql, tableName }) => {
    const secret = "s3cr3t-value-4711";
    const pool = openPool({ max: 1 });
    const store = new PostgresKvStore(pool, { tableName });
    await store.set(["a"], secret);
    await sql`ALTER TABLE ${sql(tableName)}
      ADD CONSTRAINT short CHECK (length(value) < 30)`;
    const stranger = new URL(url);
    stranger.username = "nobody";
    stranger.password = secret;
    const strangers = openPool({ max: 1 }, stranger.href);
    const outcomes = await Promise.allSettled([
      store.set(["a"], secret.repeat(2)),
      store.cas(["a"], secret, secret.repeat(2)),
      new PostgresKvStore(strangers).set(["a"], secret),
    ]);
    for (const [i, code] of ["23514", "23514", "28P01"].entries()) {
      const outcome = outcomes[i]!;
      assert(outcome.status === "rejected");
      const { reason } = outcome;
      assertEquals(reason.constructor, KvError);
      const logged = Deno.inspect(reason, { depth: 20, showHidden: true });
      assert(!logged.includes(secret), logged);
      assertStringIncludes(logged, `code: "${code}"`);
    }
    await Promise.all([pool.end(), strangers.end()]);
  },
);

testOnPostgres("a pool of pg that was ended sends nothing", async () => {
  const pool = openPool({ max: 1 });
  const store = new PostgresKvStore(pool);
  await pool.end();
  const [outcome] = await Promise.allSettled([store.set(["a"], 1)]);
  assert(outcome.status === "rejected");
  assertEquals(outcome.reason.constructor, KvError);
});

Deno.test("an error of pg is understood in any language of the server", () => {
  function errorOf(severity: string, code: string) {
    return Object.assign(new pg.DatabaseError("", 0, "error"), {
      severity,
      code,
    });
  }
  for (const severity of ["ERROR", "FEHLER", "ОШИБКА", "错误"]) {
    for (const code of ["23514", "40001", "40P01", "42P01", "57014"]) {
      const trouble = triage(errorOf(severity, code));
      assert(["rejected", "transient", "no table"].includes(trouble), code);
    }
  }
  for (const severity of ["FATAL", "PANIC", "ВАЖНО", "致命错误"]) {
    for (const code of ["57P01", "57P02", "XX000", "08006"]) {
      assertEquals(triage(errorOf(severity, code)), "unknown", code);
    }
    assertEquals(triage(errorOf(severity, "28P01")), "not sent");
  }
});
