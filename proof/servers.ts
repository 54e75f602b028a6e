/** What the faults do inside a server or a file. */
import { Redis } from "ioredis";
import { type Connection, createConnection } from "mysql2/promise";
import { DatabaseSync } from "node:sqlite";
import postgres from "postgres";
import type { Server } from "../servers/mod.ts";
import { oneOf, type Random } from "./random.ts";
import type { Backend } from "./stores.ts";
import type { Target } from "./targets.ts";

/** Ends connections from the server's side; Redis also loses its scripts. */
export async function terminate(
  { backend, servers }: Target,
  random: Random,
): Promise<void> {
  const server = oneOf(random, servers as [Server, ...Server[]]);
  if (backend === "postgres") return await terminateBackends(server, random);
  if (backend === "mysql") return await terminateThreads(server, random);
  await withRedis(server, async (redis) => {
    if (random() < 0.5) await redis.call("SCRIPT", "FLUSH");
    await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  });
}

async function terminateBackends(
  server: Server,
  random: Random,
): Promise<void> {
  // All connections, or about a third of them.
  const share = random() < 0.5 ? 1 : 0.3;
  await withPostgres(server, async (sql) => {
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND random() < ${share}::float8`;
  });
}

async function terminateThreads(
  server: Server,
  random: Random,
): Promise<void> {
  // All connections, or about a third of them.
  const share = random() < 0.5 ? 1 : 0.3;
  await withMysql(server, async (connection) => {
    const [threads] = await connection.query(
      "SELECT id FROM information_schema.processlist " +
        "WHERE user = 'kv' AND id <> CONNECTION_ID() AND RAND() < ?",
      [share],
    ) as unknown as [{ id: number }[]];
    for (const { id } of threads) {
      // A connection that was closed meanwhile cannot be killed.
      await connection.query(`KILL ${Number(id)}`).catch(() => {});
    }
  });
}

/** Returns the ids of a server's processes. */
export async function processesOf(
  backend: Backend,
  server: Server,
): Promise<number[]> {
  if (backend === "postgres") {
    return await withPostgres(server, async (sql) => {
      const [row] = await sql`SELECT pg_backend_pid() AS pid`;
      const status = await Deno.readTextFile(`/proc/${row!.pid}/status`);
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)![1]);
      const children = await Deno.readTextFile(
        `/proc/${parent}/task/${parent}/children`,
      );
      return [parent, ...children.trim().split(" ").map(Number)];
    });
  }
  if (backend === "mysql") {
    return await withMysql(server, async (connection) => {
      const [[row]] = await connection.query(
        "SELECT @@pid_file AS file",
      ) as unknown as [[{ file: string }]];
      return [Number(await Deno.readTextFile(row.file))];
    });
  }
  return await withRedis(server, async (redis) => {
    const info = await redis.info("server");
    return [Number(/^process_id:(\d+)/m.exec(info)![1])];
  });
}

/** Holds the lock of a SQLite or Deno KV file. */
export async function holdLock(
  file: string,
  milliseconds: number,
): Promise<void> {
  using database = new DatabaseSync(file);
  database.exec("PRAGMA busy_timeout = 1000; BEGIN IMMEDIATE");
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  database.exec("ROLLBACK");
}

async function withPostgres<T>(
  server: Server,
  use: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres(server.url, { max: 1, fetch_types: false });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

async function withMysql<T>(
  server: Server,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await createConnection(server.url);
  try {
    return await use(connection);
  } finally {
    await connection.end();
  }
}

async function withRedis<T>(
  server: Server,
  use: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis(server.url);
  try {
    return await use(redis);
  } finally {
    await redis.quit();
  }
}
