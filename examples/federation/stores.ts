// The stores that `--store` of the demo can choose.
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import {
  DenoKvStore,
  type KvStore,
  MemoryKvStore,
  MysqlKvStore,
  PostgresKvStore,
  RedisKvStore,
  SqliteKvStore,
} from "@org/kv";

/** A store that a server uses until it stops. */
export interface OpenedStore {
  readonly kv: KvStore;
  close(): void | Promise<void>;
}

/** Opens the store of a server by its name; the same name, the same entries. */
export type OpenStore = (name: string) => OpenedStore | Promise<OpenedStore>;

/** Where the stores are, for as long as the demo lasts. */
export interface Backend extends AsyncDisposable {
  readonly open: OpenStore;
}

/** A kind of store: what to call it, and how to make it in a folder. */
export interface StoreKind {
  readonly title: string;
  connect(folder: string): Backend | Promise<Backend>;
}

/** The kinds that `--store` takes. */
export const STORE_KINDS = {
  deno: {
    title: "Deno KV on a file",
    connect: (folder) => embedded(connectDenoKv(folder)),
  },
  memory: { title: "memory", connect: () => embedded(connectMemory()) },
  sqlite: {
    title: "SQLite on a file",
    connect: (folder) => embedded(connectSqlite(folder)),
  },
  redis: { title: "a new Redis", connect: connectRedis },
  postgres: { title: "a new PostgreSQL", connect: connectPostgres },
  mysql: { title: "a new MariaDB", connect: connectMysql },
} satisfies Record<string, StoreKind>;

function embedded(open: OpenStore): Backend {
  return { open, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function connectDenoKv(folder: string): OpenStore {
  return async (name) => {
    const db = await Deno.openKv(join(folder, `${name}.denokv`));
    return { kv: new DenoKvStore(db), close: () => db.close() };
  };
}

function connectMemory(): OpenStore {
  // Memory outlives a server, but not the process.
  const stores = new Map<string, MemoryKvStore>();
  return (name) => {
    const kv = stores.get(name) ?? new MemoryKvStore();
    stores.set(name, kv);
    return { kv, close() {} };
  };
}

function connectSqlite(folder: string): OpenStore {
  return (name) => {
    const db = new DatabaseSync(join(folder, `${name}.sqlite`));
    db.exec("PRAGMA journal_mode = WAL");
    return { kv: new SqliteKvStore(db), close: () => db.close() };
  };
}

async function connectRedis(): Promise<Backend> {
  const { startRedis } = await import("../../servers/mod.ts");
  const { Redis } = await import("ioredis");
  const server = await startRedis();
  return {
    open: (name) => {
      const redis = new Redis(server.url);
      const kv = new RedisKvStore(redis, { keyPrefix: name });
      return {
        kv,
        async close() {
          await redis.quit();
        },
      };
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function connectPostgres(): Promise<Backend> {
  const { startPostgres } = await import("../../servers/mod.ts");
  const { default: postgres } = await import("postgres");
  const server = await startPostgres();
  return {
    open: (name) => {
      const sql = postgres(server.url, { fetch_types: false });
      const kv = new PostgresKvStore(sql, { tableName: name });
      return { kv, close: () => sql.end({ timeout: 5 }) };
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function connectMysql(): Promise<Backend> {
  const { startMariadb } = await import("../../servers/mod.ts");
  const { createPool } = await import("mysql2/promise");
  const server = await startMariadb();
  return {
    open: (name) => {
      const pool = createPool(server.url);
      const kv = new MysqlKvStore(pool, { tableName: name });
      return { kv, close: () => pool.end() };
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
