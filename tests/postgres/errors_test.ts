// Errors say what failed, and hold neither values nor passwords.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { PGlite } from "@electric-sql/pglite";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { testOnPostgres, url } from "./clients.ts";

const SECRET = "s3cr3t-value-4711";

/** What a log of an error holds, whichever of its members are shown. */
function logged(error: unknown): string {
  const seen = new Set<unknown>();
  const parts = [Deno.inspect(error, { depth: 20, showHidden: true })];
  const visit = (it: unknown) => {
    if (typeof it !== "object" || it === null || seen.has(it)) return;
    seen.add(it);
    for (const name of Reflect.ownKeys(it)) {
      const member = (it as Record<PropertyKey, unknown>)[name];
      parts.push(String(name), typeof member === "string" ? member : "");
      visit(member);
    }
  };
  visit(error);
  return parts.join("\n");
}

async function errorOf(call: Promise<unknown>): Promise<Error> {
  const [outcome] = await Promise.allSettled([call]);
  assertEquals(outcome.status, "rejected");
  return (outcome as PromiseRejectedResult).reason;
}

testOnPostgres(
  "no error of postgres.js holds a value",
  async ({ sql, connect, tableName }) => {
    const store = connect({ debug: () => {}, max: 2 });
    await store.set(["a"], SECRET);
    await sql`ALTER TABLE ${sql(tableName)}
      ADD CONSTRAINT short CHECK (length(value) < 30)`;
    const long = SECRET.repeat(2);
    const errors = await Promise.all([
      errorOf(store.set(["a"], long)),
      errorOf(store.cas(["a"], SECRET, long)),
      errorOf(store.cas(["b"], undefined, long)),
      errorOf(store.set(["c"], long)),
    ]);
    for (const error of errors) {
      assert(!logged(error).includes(SECRET), logged(error));
      assertStringIncludes(error.message, 'violates check constraint "short"');
      const cause = error.cause as Record<string, unknown>;
      assert(cause instanceof Error);
      assertEquals(cause["name"], "PostgresError");
      assertEquals(cause["code"], "23514");
      assertEquals(cause["severity"], "ERROR");
      assertEquals(cause["constraint_name"], "short");
      assertEquals(cause["table_name"], tableName);
    }
    await sql`DROP TABLE ${sql(tableName)}`;
    await sql.unsafe(`CREATE VIEW "${tableName}" AS SELECT '${SECRET}' AS a`);
    const misfit = await errorOf(connect().get(["a"]));
    assert(!logged(misfit).includes(SECRET));
    await sql`DROP VIEW ${sql(tableName)}`;
  },
);

testOnPostgres(
  "no error about a connection holds the password or a value",
  async () => {
    const other = new URL(url);
    other.username = "nobody";
    other.password = SECRET;
    const stranger = postgres(other.href, { max: 1, fetch_types: false });
    other.port = "1";
    const nowhere = postgres(other.href, {
      max: 1,
      fetch_types: false,
      connect_timeout: 1,
    });
    const rejected = await Promise.all(
      [stranger, nowhere].map((client) =>
        errorOf(new PostgresKvStore(client).set(["a"], SECRET))
      ),
    );
    for (const error of rejected) {
      assertEquals(error.name, "KvError");
      assert(!logged(error).includes(SECRET), logged(error));
      assert(error.message.length > 20, error.message);
    }
    await Promise.all([stranger, nowhere].map((it) => it.end({ timeout: 0 })));
  },
);

testOnPostgres(
  "an unknown outcome holds no value",
  async ({ sql, connect, tableName }) => {
    const name = `kv ${tableName}`;
    const store = connect({
      max: 1,
      debug: () => {},
      connection: { application_name: name },
    });
    await store.set(["a"], 1);
    let error: Error | undefined;
    await sql.begin(async (sql) => {
      await sql`LOCK TABLE ${sql(tableName)} IN SHARE MODE`;
      const failing = errorOf(store.set(["a"], SECRET));
      let ended = 0;
      while (ended === 0) {
        const rows = await sql`SELECT pg_terminate_backend(pid) FROM pg_locks
          JOIN pg_stat_activity USING (pid)
          WHERE NOT granted AND application_name = ${name}`;
        ended = rows.length;
      }
      error = await failing;
    });
    assertEquals(error!.name, "KvOutcomeUnknownError");
    assert(!logged(error).includes(SECRET), logged(error));
    assertStringIncludes(logged(error), "CONNECTION_CLOSED");
  },
);

Deno.test({
  name: "no error of PGlite holds a value",
  // The server in PGlite sets its own timers.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const db = await PGlite.create();
    const store = new PostgresKvStore(db);
    await store.set(["a"], 1);
    await db.exec("ALTER TABLE kv ADD CONSTRAINT short CHECK (value = '1')");
    const error = await errorOf(store.set(["a"], SECRET));
    assert(!logged(error).includes(SECRET), logged(error));
    const cause = error.cause as Record<string, unknown>;
    assertEquals([cause["code"], cause["constraint"]], ["23514", "short"]);
    await db.close();
  },
});
