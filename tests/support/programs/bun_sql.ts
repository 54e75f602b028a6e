// What runs in Bun, as one file: `bun_sql.mjs`, with the server in KV_TEST_URL.
// It prints a line of JSON for each case and situation on Bun.SQL.
import process from "node:process";
import { assertEquals } from "@std/assert";
import {
  type PostgresJsClient,
  PostgresKvStore,
} from "../../../kv/postgres.ts";
import { cases, runCase } from "../../../testing/mod.ts";

interface BunSql extends PostgresJsClient {
  close(): Promise<void>;
}

// deno-lint-ignore no-explicit-any
const { SQL } = (globalThis as any).Bun as {
  SQL: new (url: string, options: { max: number }) => BunSql;
};

function connect(): BunSql {
  return new SQL(process.env["KV_TEST_URL"]!, { max: 4 });
}

async function drop(client: BunSql, tableName: string): Promise<void> {
  await client.unsafe(`DROP TABLE IF EXISTS "${tableName}"`).raw();
}

async function withStore(
  fn: (store: PostgresKvStore, sql: BunSql, tableName: string) => Promise<void>,
): Promise<void> {
  const sql = connect();
  const tableName = crypto.randomUUID();
  try {
    await fn(new PostgresKvStore(sql, { tableName }), sql, tableName);
  } finally {
    await drop(sql, tableName);
    await sql.close();
  }
}

const situations: Record<string, () => Promise<void>> = {
  "a dropped table is created again": () =>
    withStore(async (store, sql, tableName) => {
      await store.set(["a"], 1);
      await drop(sql, tableName);
      assertEquals(await store.get(["a"]), undefined);
      await drop(sql, tableName);
      await store.set(["a"], 2);
      assertEquals(await store.get(["a"]), 2);
    }),
  "no error holds a value, and its cause has the code of the server": () =>
    withStore(async (store, sql, tableName) => {
      await store.set(["a"], 1);
      const short = `ADD CONSTRAINT short CHECK (length(value) < 30)`;
      await sql.unsafe(`ALTER TABLE "${tableName}" ${short}`).raw();
      const secret = "s3cr3t".repeat(9);
      const [outcome] = await Promise.allSettled([store.set(["a"], secret)]);
      const { name, message, cause } =
        (outcome as PromiseRejectedResult).reason;
      assertEquals([name, cause.errno], ["KvError", "23514"]);
      const text = JSON.stringify([message, { ...cause }, cause.message]);
      assertEquals(text.includes("s3cr3t"), false);
    }),
  "a terminated connection is an unknown outcome of a write": () =>
    withStore(async (store, sql, tableName) => {
      await store.set(["a"], 1);
      // The statement ends its own connection.
      const body = `BEGIN IF new.value = '2' THEN
        PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NULL; END`;
      const name = `"fn ${tableName}"`;
      await sql.unsafe(`CREATE FUNCTION ${name}() RETURNS trigger
        LANGUAGE plpgsql AS '${body.replaceAll("'", "''")}'`).raw();
      await sql.unsafe(`CREATE TRIGGER ending AFTER UPDATE ON "${tableName}"
        FOR EACH ROW EXECUTE FUNCTION ${name}()`).raw();
      const [outcome] = await Promise.allSettled([store.set(["a"], 2)]);
      assertEquals(
        (outcome as PromiseRejectedResult).reason.name,
        "KvOutcomeUnknownError",
      );
      assertEquals(await store.get(["a"]), 1);
      await store.set(["a"], 3);
      assertEquals(await store.get(["a"]), 3);
      await sql.unsafe(`DROP FUNCTION ${name} CASCADE`).raw();
    }),
};

async function prove(name: string, run: () => Promise<void>): Promise<void> {
  let error: string | undefined;
  try {
    await run();
  } catch (thrown) {
    error = (thrown as Error).stack ?? String(thrown);
  }
  console.log(JSON.stringify({ name, error }));
}

const clients = [connect(), connect()] as const;
for (const each of cases) {
  await prove(each.name, () =>
    runCase(each, () => {
      const tableName = crypto.randomUUID();
      return {
        store: new PostgresKvStore(clients[0], { tableName }),
        peer: () => new PostgresKvStore(clients[1], { tableName }),
        close: () => drop(clients[0], tableName),
      };
    }));
}
await Promise.all(clients.map((client) => client.close()));
for (const [name, run] of Object.entries(situations)) await prove(name, run);
