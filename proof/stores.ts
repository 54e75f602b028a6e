/** The stores that the proof runs on, as a process opens them. */
import { retry } from "../kv/core/retry.ts";
import { isBusy } from "../kv/sqlite/errors.ts";
import { openKv } from "../open/mod.ts";
import type { KvStore } from "../kv/store.ts";

/** The names of the backends. */
export const BACKENDS = [
  "memory",
  "sqlite",
  "deno",
  "redis",
  "redis-cluster",
  "postgres",
  "mysql",
] as const;

/** The name of a backend. */
export type Backend = typeof BACKENDS[number];

/** How a process opens its stores. */
export interface StoreOptions {
  readonly backend: Backend;
  readonly url: string;
  /** How long a server may be silent, in milliseconds. */
  readonly timeout: number;
}

/** A store with `cas`, which closes its client. */
export interface ProvenStore extends AsyncDisposable {
  readonly kv: Required<KvStore>;
}

/** How many connections the clients for PostgreSQL use, in turn. */
export const CONNECTIONS = [1, 2, 4, 10] as const;

/** Whether a backend is a server. */
export function isServer(backend: Backend): boolean {
  return !["memory", "sqlite", "deno"].includes(backend);
}

/**
 * Opens a store.
 *
 * @param options The backend.
 * @param index Which client of the process it is for.
 */
export async function openStore(
  options: StoreOptions,
  index: number,
): Promise<ProvenStore> {
  const { backend, url, timeout } = options;
  if (backend === "postgres") return await openPostgres(options, index);
  if (backend === "sqlite") {
    return await openSqlite(url.slice("sqlite:".length));
  }
  const store = await openKv(url, isServer(backend) ? { timeout } : {});
  return {
    kv: store as Required<KvStore>,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

async function openPostgres(
  { url, timeout }: StoreOptions,
  index: number,
): Promise<ProvenStore> {
  const { default: postgres } = await import("postgres");
  const { PostgresKvStore } = await import("../kv/postgres.ts");
  const sql = postgres(url, {
    max: CONNECTIONS[index % CONNECTIONS.length]!,
    fetch_types: false,
    connect_timeout: 2,
    backoff: () => 0.02,
    onnotice() {},
  });
  return {
    kv: new PostgresKvStore(sql, { timeout }),
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  };
}

async function openSqlite(path: string): Promise<ProvenStore> {
  const { DatabaseSync } = await import("node:sqlite");
  const { SqliteKvStore } = await import("../kv/sqlite.ts");
  const db = new DatabaseSync(path);
  // Several processes open the file at once: SQLite does not wait here.
  await retry(() => void db.exec("PRAGMA journal_mode = WAL"), {
    isTransient: isBusy,
    timeout: 10_000,
  });
  db.exec("PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 0");
  return {
    kv: new SqliteKvStore(db),
    // deno-lint-ignore require-await
    [Symbol.asyncDispose]: async () => db.close(),
  };
}
