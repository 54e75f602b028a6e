/** What the faults do inside a server or a file. */
import { Redis } from "ioredis";
import { type Connection, createConnection } from "mysql2/promise";
import { DatabaseSync } from "node:sqlite";
import postgres from "postgres";
import type { Server } from "../servers/mod.ts";
import { oneOf, type Random } from "./random.ts";
import type { Backend } from "./stores.ts";

function isPostgres(backend: Backend): boolean {
  return backend === "postgres" || backend === "pgbouncer";
}

/** The user of the writers on MariaDB, who may not write while it is read-only. */
const MYSQL_USER = "proof";

/** Creates the user of the writers, and returns its URL. */
export async function createMysqlUser(server: Server): Promise<string> {
  await withMysql(server, async (connection) => {
    for (
      const statement of [
        `CREATE USER '${MYSQL_USER}'@'127.0.0.1' IDENTIFIED BY '${server.password}'`,
        `GRANT ALL ON kv.* TO '${MYSQL_USER}'@'127.0.0.1'`,
      ]
    ) await connection.query(statement);
  });
  const url = new URL(server.url);
  url.username = MYSQL_USER;
  return url.href;
}

/** Ends connections from the server's side. */
export async function terminate(
  backend: Backend,
  server: Server,
  random: Random,
): Promise<void> {
  // All connections, or about a third of them.
  const share = random() < 0.5 ? 1 : 0.3;
  if (isPostgres(backend)) {
    return await withPostgres(server, async (sql) => {
      await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND random() < ${share}::float8`;
    });
  }
  if (backend === "mysql") return await killThreads(server, "KILL", share);
  await withRedis(server, async (redis) => {
    await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  });
}

async function killThreads(
  server: Server,
  command: "KILL" | "KILL QUERY",
  share: number,
): Promise<void> {
  await withMysql(server, async (connection) => {
    const [threads] = await connection.query(
      "SELECT id FROM information_schema.processlist " +
        "WHERE user = ? AND RAND() < ?",
      [MYSQL_USER, share],
    ) as unknown as [{ id: number }[]];
    for (const { id } of threads) {
      // A connection that was closed meanwhile cannot be killed.
      await connection.query(`${command} ${Number(id)}`).catch(() => {});
    }
  });
}

/** Lets a Redis forget its scripts. */
export async function flushScripts(server: Server): Promise<void> {
  await withRedis(server, async (redis) => {
    await redis.call("SCRIPT", "FLUSH");
  });
}

/** Lets a server reject writes until the time is over. */
export async function rejectWrites(
  backend: Backend,
  server: Server,
  random: Random,
  over: Promise<void>,
): Promise<void> {
  if (isPostgres(backend)) {
    return await withSetting(
      server,
      "default_transaction_read_only",
      "on",
      over,
    );
  }
  if (backend === "mysql") {
    return await withMysql(server, async (connection) => {
      await connection.query("SET GLOBAL read_only = 1");
      await over;
      await connection.query("SET GLOBAL read_only = 0");
    });
  }
  const modes: [string[], string[]][] = [
    [["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
    [["CONFIG", "SET", "min-replicas-to-write", "1"], [
      "CONFIG",
      "SET",
      "min-replicas-to-write",
      "0",
    ]],
  ];
  // A replica of nothing is read-only, and keeps what it has.
  if (backend === "redis") {
    modes.push([["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]]);
  }
  const [begin, end] = oneOf(random, modes as [typeof modes[number]]);
  await withRedis(server, async (redis) => {
    await redis.call(...begin as [string]);
    await over;
    await redis.call(...end as [string]);
  });
}

/** Cancels statements, or ends idle sessions, until the time is over. */
export async function limit(
  backend: Backend,
  server: Server,
  random: Random,
  over: Promise<void>,
): Promise<void> {
  if (isPostgres(backend)) {
    const name = oneOf(random, ["statement_timeout", "idle_session_timeout"]);
    return await withSetting(server, name, "1", over);
  }
  let isOver = false;
  over.then(() => isOver = true);
  while (!isOver) await killThreads(server, "KILL QUERY", 0.5);
}

async function withSetting(
  server: Server,
  name: string,
  value: string,
  over: Promise<void>,
): Promise<void> {
  await withPostgres(server, async (sql) => {
    await sql.unsafe(`ALTER SYSTEM SET ${name} = '${value}'`);
    await sql`SELECT pg_reload_conf()`;
    await over;
    await sql.unsafe(`ALTER SYSTEM RESET ${name}`);
    await sql`SELECT pg_reload_conf()`;
  });
}

/** Returns the ids of a server's processes. */
export async function processesOf(
  backend: Backend,
  server: Server,
): Promise<number[]> {
  if (isPostgres(backend)) {
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

/** Holds the lock of the table or the file until the time is over. */
export async function holdLock(
  backend: Backend,
  server: Server | undefined,
  file: string | undefined,
  over: Promise<void>,
): Promise<void> {
  if (isPostgres(backend)) {
    return await withPostgres(server!, async (sql) => {
      await sql.begin(async (sql) => {
        await sql`LOCK TABLE kv IN ACCESS EXCLUSIVE MODE`;
        await over;
      });
    });
  }
  if (backend === "mysql") {
    return await withMysql(server!, async (connection) => {
      await connection.query("LOCK TABLES kv WRITE");
      await over;
      await connection.query("UNLOCK TABLES");
    });
  }
  using database = new DatabaseSync(file!);
  database.exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
  await over;
  database.exec("ROLLBACK");
}

async function withPostgres<T>(
  server: Server,
  use: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres(server.url, {
    max: 1,
    fetch_types: false,
    // The faults do not apply to the session that undoes them.
    connection: {
      default_transaction_read_only: "off" as unknown as boolean,
      statement_timeout: "0ms" as unknown as number,
      idle_session_timeout: "0ms" as unknown as number,
    },
  });
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
  redis.on("error", () => {});
  try {
    return await use(redis);
  } finally {
    await redis.quit();
  }
}
