/** Where a store keeps its entries, and how much room they take. */
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";
import postgres from "postgres";
import type { Backend } from "../stores.ts";
import { startTarget, type Target } from "../targets.ts";

/** A file, a folder or a server with the entries of a store. */
export interface Place extends AsyncDisposable {
  /** The URL that a process opens. */
  readonly url: string;
  /** How many bytes the entries take; `undefined` in memory. */
  size(): Promise<number | undefined>;
}

/** Makes an empty place. */
export async function startPlace(backend: Backend): Promise<Place> {
  const target = await startTarget(backend, false);
  return {
    url: target.options.url,
    size: () => SIZES[backend](target),
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

const SIZES: Readonly<
  Record<Backend, (target: Target) => Promise<number | undefined>>
> = {
  "memory": () => Promise.resolve(undefined),
  "sqlite": sizeOfFiles,
  "deno": sizeOfFiles,
  "pglite": sizeOfFiles,
  "redis": sizeOnRedis,
  "redis-cluster": sizeOnRedis,
  "postgres": sizeOnPostgres,
  "pgbouncer": sizeOnPostgres,
  "mysql": sizeOnMysql,
};

/** The database, and the files that SQLite puts next to it. */
function sizeOfFiles({ file }: Target): Promise<number> {
  const folder = file!.slice(0, file!.lastIndexOf("/"));
  return Promise.resolve(sizeOf(folder));
}

function sizeOf(folder: string): number {
  let size = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    size += isDirectory ? sizeOf(path) : fileSize(path);
  }
  return size;
}

function fileSize(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    // It was removed meanwhile.
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

async function sizeOnRedis({ servers }: Target): Promise<number> {
  let size = 0;
  for (const { url } of servers) {
    const redis = new Redis(url);
    const info = await redis.info("memory");
    size += Number(/^used_memory:(\d+)/m.exec(info)![1]);
    await redis.quit();
  }
  return size;
}

async function sizeOnPostgres({ servers }: Target): Promise<number> {
  const sql = postgres(servers[0]!.url, { max: 1, fetch_types: false });
  try {
    const [row] = await sql`SELECT pg_total_relation_size('kv') AS size`;
    return Number(row!.size);
  } finally {
    await sql.end();
  }
}

async function sizeOnMysql({ servers }: Target): Promise<number> {
  const connection = await createConnection(servers[0]!.url);
  try {
    const [rows] = await connection.query(
      "SELECT SUM(file_size) AS size " +
        "FROM information_schema.innodb_sys_tablespaces " +
        "WHERE name LIKE 'kv/kv%'",
    );
    return Number((rows as { size: unknown }[])[0]!.size);
  } finally {
    await connection.end();
  }
}
