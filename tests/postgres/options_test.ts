// Options of clients and of the store.

import { PGlite } from "@electric-sql/pglite";
import { assert, assertEquals, assertThrows } from "@std/assert";
import postgres from "postgres";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { type ClientOptions, testOnPostgres } from "./clients.ts";
import { exercise } from "./exercise.ts";

const shout = (text: unknown) => `${text}`.toUpperCase();
const lossy = { to: 25, from: [16, 20, 23, 25, 701, 1700], parse: shout };

const clients: Record<string, ClientOptions> = {
  "undefined for NULL": {
    transform: {
      undefined: null,
      value: { from: (value: unknown) => value === null ? undefined : value },
    },
  },
  "camel-case names": { transform: postgres.camel },
  "values in capitals": { transform: { value: { from: shout } } },
  "BigInt for integers": {
    types: {
      all: {
        to: 20,
        from: [20, 21, 23],
        parse: BigInt,
        serialize: (value: unknown) => `${value}`,
      },
    } as never,
  },
  "a parser of every type": {
    types: { all: { ...lossy, serialize: (it: unknown) => it } } as never,
  },
  "fetch_types": { fetch_types: true },
  "debug": { debug: () => {} },
  "prepare: false": { prepare: false },
};

for (const [name, options] of Object.entries(clients)) {
  testOnPostgres(
    `postgres.js with ${name} changes no answer`,
    ({ connect }) => exercise(connect({ max: 2, ...options })),
  );
}

testOnPostgres(
  "a client that changes texts or rows is rejected before anything is written",
  async ({ connect, sql, tableName }) => {
    const serialize = (text: string) => text.trim();
    for (
      const options of [
        { types: { text: { to: 25, from: [], parse: shout, serialize } } },
        { transform: { row: { from: (row: unknown[]) => row.slice(0, 1) } } },
        { transform: { row: { from: (row: object) => ({ ...row }) } } },
      ] as unknown as ClientOptions[]
    ) {
      for (const call of ["get", "delete"] as const) {
        const outcome = await Promise.allSettled([
          connect(options)[call](["a"]),
        ]);
        const { reason } = outcome[0] as PromiseRejectedResult;
        assertEquals(reason.name, "KvError");
        assert(
          /the client changes texts|does not fit/.test(reason.message),
          reason.message,
        );
      }
    }
    assertEquals(
      (await sql`SELECT FROM pg_class WHERE relname = ${tableName}`).length,
      0,
    );
  },
);

Deno.test({
  name: "PGlite's parsers and serializers change no answer",
  // The server in PGlite sets its own timers.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const types = [16, 20, 21, 23, 25, 114, 700, 701, 1700];
    const db = await PGlite.create({
      parsers: Object.fromEntries(types.map((type) => [type, shout])),
      serializers: Object.fromEntries(types.map((type) => [type, shout])),
    });
    await exercise(new PostgresKvStore(db));
    await db.transaction((tx) => exercise(new PostgresKvStore(tx)));
    await db.close();
  },
});

Deno.test("PostgresKvStore rejects clients that it does not support", () => {
  class Pool { // as of slonik and others
    query() {}
    connect() {}
  }
  class Connection { // as of mysql2
    query() {}
    connect() {}
    on() {}
    execute() {}
  }
  const neon = Object.assign(() => {}, {
    query() {},
    unsafe: (sql: string) => ({ sql }),
    transaction() {},
  });
  class Database { // as of bun:sqlite
    query() {}
    exec() {}
    prepare() {}
  }
  for (
    const [client, received] of [
      [undefined, "received undefined"],
      [null, "received null"],
      [{}, "received an object"],
      ["postgres://localhost/app", "received a string"],
      [new Pool(), "received an object of class Pool"],
      [new Connection(), "received an object of class Connection"],
      [neon, "received a function"],
      [new Database(), "received an object of class Database"],
      [postgres, "received a function"],
    ]
  ) {
    assertThrows(
      () => new PostgresKvStore(client as never),
      TypeError,
      "sql must be a client of postgres.js (3.4 or later), pg (8 or later), " +
        `PGlite or Bun.SQL, or one of their transactions: ${received}`,
    );
  }
});

Deno.test("PostgresKvStore rejects unknown options, and names replacements", () => {
  const sql = postgres(); // connects on first use
  for (
    const [options, message] of [
      [{ tablename: "kv" }, 'unknown option "tablename": expected tableName'],
      [{ initialized: true }, 'unknown option "initialized": remove it'],
      [{ codec: {} }, 'unknown option "codec": remove it'],
      [{ tableName: 1 }, "tableName must be the name of a table"],
      [{ prepare: 1 }, "prepare must be a boolean: received a number"],
      [{ unlogged: "yes" }, "unlogged must be a boolean: received a string"],
      [{ timeout: "1s" }, "timeout must be a number"],
      [1, "options must be an object"],
    ]
  ) {
    assertThrows(
      () => new PostgresKvStore(sql, options as never),
      TypeError,
      `Cannot create a PostgresKvStore: ${message}`,
    );
  }
  assertThrows(() => new PostgresKvStore(sql, { timeout: 0 }), RangeError);
  assertThrows(() => new PostgresKvStore(sql, { maxPending: 0 }), RangeError);
});
