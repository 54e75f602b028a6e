// The stores on which the suites of other projects run, one of each kind.
import { Redis } from "ioredis";
import { DatabaseSync } from "node:sqlite";
import postgres from "postgres";
import { MemoryKvStore } from "../../kv/memory.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvStore } from "../../kv/store.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";

/** A store that a whole suite uses, and how to close it. */
export interface Opened {
  readonly store: KvStore;
  close(): void | Promise<void>;
}

/** A kind of store. */
export interface Kind {
  readonly name: string;
  /** Why there is no server: `undefined` if there is one. */
  readonly reason: string | undefined;
  open(): Opened;
}

const redis = await reach("redis");
const sql = await reach("postgres");

/** The kinds of stores. */
export const kinds: readonly Kind[] = [
  {
    name: "memory",
    reason: undefined,
    open: () => ({ store: new MemoryKvStore(), close() {} }),
  },
  {
    name: "SQLite",
    reason: undefined,
    open() {
      const db = new DatabaseSync(":memory:");
      return { store: new SqliteKvStore(db), close: () => db.close() };
    },
  },
  {
    name: "Redis",
    reason: redis.reason,
    open() {
      const client = new Redis(redis.url);
      const keyPrefix = `${crypto.randomUUID()}:`;
      return {
        store: new RedisKvStore(client, { keyPrefix }),
        async close() {
          const ended = new Promise((resolve) => client.once("end", resolve));
          client.disconnect();
          await ended;
        },
      };
    },
  },
  {
    name: "PostgreSQL",
    reason: sql.reason,
    open() {
      const client = postgres(sql.url, { onnotice: () => {} });
      const tableName = crypto.randomUUID();
      return {
        store: new PostgresKvStore(client, { tableName }),
        async close() {
          await client`DROP TABLE IF EXISTS ${client(tableName)}`;
          await client.end();
        },
      };
    },
  },
];

async function reach(kind: "redis" | "postgres") {
  const reason = await unavailable(kind);
  return { reason, url: reason === undefined ? await sharedUrl(kind) : "" };
}
