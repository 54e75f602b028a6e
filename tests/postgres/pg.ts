// Clients of pg (node-postgres) for tests.

// @ts-types="@types/pg"
import pg from "pg";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { type Fixture, testOnPostgres, url } from "./clients.ts";

/** A pool whose idle clients may lose their connections. */
export function openPool(options: pg.PoolConfig, to = url): pg.Pool {
  const pool = new pg.Pool({ connectionString: to, ...options });
  pool.on("error", () => {});
  return pool;
}

/** A connected client that may lose its connection. */
export async function openClient(
  options: pg.ClientConfig = {},
  to = url,
): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: to, ...options });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** A test on the shared PostgreSQL with a pool. */
export function testOnPool(
  sentence: string,
  options: pg.PoolConfig,
  fn: (
    fixture: Fixture & { pool: pg.Pool; kv: PostgresKvStore },
  ) => Promise<void>,
): void {
  testOnPostgres(sentence, async (fixture) => {
    const pool = openPool(options);
    const { tableName } = fixture;
    try {
      const kv = new PostgresKvStore(pool, { tableName });
      await fn({ ...fixture, pool, kv });
    } finally {
      await pool.end();
    }
  });
}
