// Stores on each client, in Node and Bun, from the installed package.
import { MemoryKvStore } from "@org/kv";
import { DenoKvStore } from "@org/kv/deno";
import { PostgresKvStore } from "@org/kv/postgres";
import { RedisKvStore } from "@org/kv/redis";
import { SqliteKvStore } from "@org/kv/sqlite";

/** Opens a fresh store, with what clears it up. */
const sqlite = (Database) => () => {
  const db = new Database(":memory:");
  return { store: new SqliteKvStore(db), close: () => db.close() };
};

function redis(one, other) {
  const keyPrefix = crypto.randomUUID();
  const store = new RedisKvStore(one, { keyPrefix });
  return {
    store,
    peer: () => new RedisKvStore(other, { keyPrefix }),
    close: async () => void await store.clear(),
  };
}

function postgres(one, other, run) {
  const tableName = crypto.randomUUID();
  return {
    store: new PostgresKvStore(one, { tableName }),
    peer: () => new PostgresKvStore(other, { tableName }),
    close: () => run(`DROP TABLE IF EXISTS "${tableName}"`),
  };
}

/**
 * For each client, a function that connects it to a URL and returns how to open
 * a store, and how to end.
 */
export const clients = {
  memory: () => ({ open: () => new MemoryKvStore() }),

  async "node:sqlite"() {
    const { DatabaseSync } = await import("node:sqlite");
    return { open: sqlite(DatabaseSync) };
  },

  async "bun:sqlite"() {
    const { Database } = await import("bun:sqlite");
    return { open: sqlite(Database) };
  },

  async "better-sqlite3"() {
    return { open: sqlite((await import("better-sqlite3")).default) };
  },

  async libsql() {
    return { open: sqlite((await import("libsql")).default) };
  },

  async "@deno/kv"() {
    const { openKv } = await import("@deno/kv");
    return {
      open: async () => {
        const kv = await openKv(":memory:");
        return { store: new DenoKvStore(kv), close: () => kv.close() };
      },
    };
  },

  async ioredis(url) {
    const { Redis } = await import("ioredis");
    const [one, other] = [new Redis(url), new Redis(url)];
    return {
      open: () => redis(one, other),
      end: () => [one, other].forEach((client) => client.disconnect()),
    };
  },

  async "node-redis"(url) {
    const { createClient } = await import("redis");
    const both = [createClient({ url }), createClient({ url })];
    for (const client of both) await client.on("error", () => {}).connect();
    return {
      open: () => redis(...both),
      end: () => both.forEach((client) => client.destroy()),
    };
  },

  async "postgres.js"(url) {
    const { default: connect } = await import("postgres");
    const options = { fetch_types: false, onnotice() {} };
    const both = [connect(url, options), connect(url, options)];
    return {
      open: () => postgres(...both, (sql) => both[0].unsafe(sql)),
      end: () => Promise.all(both.map((sql) => sql.end())),
    };
  },

  async pg(url) {
    const { default: { Pool } } = await import("pg");
    const both = [1, 2].map(() => new Pool({ connectionString: url }));
    return {
      open: () => postgres(...both, (sql) => both[0].query(sql)),
      end: () => Promise.all(both.map((pool) => pool.end())),
    };
  },

  "Bun.SQL"(url) {
    const both = [1, 2].map(() => new Bun.SQL(url));
    return {
      open: () => postgres(...both, (sql) => both[0].unsafe(sql)),
      end: () => Promise.all(both.map((sql) => sql.end())),
    };
  },
};
