/** The stores that the proof runs on, as a process opens them. */
import { openKv } from "../open/mod.ts";
import type { KvExtendedStore } from "../kv/store.ts";

/** The names of the backends. */
export const BACKENDS = [
  "memory",
  "sqlite",
  "deno",
  "pglite",
  "redis",
  "redis-cluster",
  "postgres",
  "pgbouncer",
  "mysql",
] as const;

/** The name of a backend. */
export type Backend = typeof BACKENDS[number];

/** How a process opens its stores. */
export interface StoreOptions {
  readonly backend: Backend;
  readonly url: string;
  /** The URL of the proxy, which every other client connects to. */
  readonly proxyUrl?: string;
  /** The proxies of the nodes of a Cluster. */
  readonly natMap?: Readonly<Record<string, { host: string; port: number }>>;
  /** The URL of a pooler in session mode, which every other client connects to. */
  readonly sessionUrl?: string;
  /** How long a server may be silent, in milliseconds. */
  readonly timeout: number;
}

/** A store with `cas`, which closes its client. */
export interface ProvenStore extends AsyncDisposable {
  readonly kv: Required<KvExtendedStore>;
}

/** How many connections the clients for PostgreSQL use, in turn. */
const CONNECTIONS = [1, 2, 4, 10] as const;

/** Whether a backend is a server. */
export function isServer(backend: Backend): boolean {
  return !["memory", "sqlite", "deno", "pglite"].includes(backend);
}

/** Whether a backend belongs to one process. */
export function isPrivate(backend: Backend): boolean {
  return backend === "memory" || backend === "pglite";
}

/**
 * Opens the stores of a process.
 *
 * @param options The backend.
 * @param first The number of the first client.
 * @param count How many stores to open.
 */
export async function openStores(
  options: StoreOptions,
  first: number,
  count: number,
): Promise<ProvenStore[]> {
  if (isPrivate(options.backend)) {
    const store = await openStore(options, 0);
    return Array(count).fill(store);
  }
  return await Promise.all(
    Array.from({ length: count }, (_, i) => openStore(options, first + i)),
  );
}

/**
 * Opens a store.
 *
 * @param options The backend.
 * @param index The number of the client: the clients of a history differ in
 * whether they connect to the server or to the proxy, and in their library.
 */
async function openStore(
  options: StoreOptions,
  index: number,
): Promise<ProvenStore> {
  const isProxied = index % 2 === 1;
  const isOther = Math.floor(index / 2) % 2 === 1;
  const { backend, proxyUrl, natMap, timeout } = options;
  const url = isProxied ? proxyUrl ?? options.url : options.url;
  switch (backend) {
    case "postgres":
      return isOther
        ? await openPg(url, index, timeout)
        : await openPostgres(url, index, timeout);
    case "pgbouncer":
      if (!isProxied) return await openPostgres(url, index, timeout, false);
      return isOther
        ? await openPg(options.sessionUrl!, index, timeout)
        : await openPostgres(options.sessionUrl!, index, timeout);
    case "redis":
      if (isOther) return await openRedis6(url, timeout);
      break;
    case "redis-cluster":
      if (isProxied) return await openCluster(url, natMap!, isOther, timeout);
      break;
  }
  const store = await openKv(url, isServer(backend) ? { timeout } : {});
  return {
    kv: store as Required<KvExtendedStore>,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

async function openPostgres(
  url: string,
  index: number,
  timeout: number,
  prepare = true,
): Promise<ProvenStore> {
  const { default: postgres } = await import("postgres");
  const { PostgresKvStore } = await import("../kv/postgres.ts");
  const sql = postgres(url, {
    max: CONNECTIONS[index % CONNECTIONS.length]!,
    fetch_types: false,
    connect_timeout: 2,
    backoff: () => 0.02,
    prepare,
    onnotice() {},
  });
  return {
    kv: new PostgresKvStore(sql, { timeout }),
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  };
}

async function openPg(
  url: string,
  index: number,
  timeout: number,
): Promise<ProvenStore> {
  // @ts-types="@types/pg"
  const { default: pg } = await import("pg");
  const { PostgresKvStore } = await import("../kv/postgres.ts");
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS[index % CONNECTIONS.length]!,
    connectionTimeoutMillis: 2_000,
  });
  pool.on("error", () => {});
  return {
    kv: new PostgresKvStore(pool, { timeout }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

async function openRedis6(url: string, timeout: number): Promise<ProvenStore> {
  const { Redis } = await import("ioredis-6");
  const { RedisKvStore } = await import("../kv/redis.ts");
  const redis = new Redis(url);
  redis.on("error", () => {});
  return {
    kv: new RedisKvStore(redis, { timeout }),
    // deno-lint-ignore require-await
    [Symbol.asyncDispose]: async () => redis.disconnect(),
  };
}

async function openCluster(
  url: string,
  natMap: NonNullable<StoreOptions["natMap"]>,
  isOther: boolean,
  timeout: number,
): Promise<ProvenStore> {
  const { Cluster } = isOther
    ? await import("ioredis-6") as unknown as typeof import("ioredis")
    : await import("ioredis");
  const { RedisKvStore } = await import("../kv/redis.ts");
  const password = new URL(url.split(",")[0]!).password;
  const cluster = new Cluster(Object.values(natMap), {
    natMap,
    redisOptions: { password },
  });
  cluster.on("error", () => {});
  return {
    kv: new RedisKvStore(cluster, { timeout }),
    // deno-lint-ignore require-await
    [Symbol.asyncDispose]: async () => cluster.disconnect(),
  };
}
