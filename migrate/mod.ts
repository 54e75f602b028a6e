/**
 * Copies entries into a store: from the storage of Fedify's own stores, or from
 * any store of this module.
 *
 * A source reads the storage directly, page by page, and changes nothing there.
 * Entries keep their values and, where the source knows it, their expiry.
 *
 * @example From Fedify's SQLite table
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { fedifySqlite, migrate } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * using db = new DatabaseSync(":memory:");
 * db.exec(`
 *   CREATE TABLE fedify_kv
 *     (key TEXT PRIMARY KEY, value TEXT NOT NULL, created INTEGER, expires INTEGER);
 *   INSERT INTO fedify_kv (key, value) VALUES ('["users","alice"]', '{"n":1}');
 * `);
 *
 * const kv = new MemoryKvStore();
 * const { read, written } = await migrate(fedifySqlite(db), kv);
 * assertEquals([read, written], [1, 1]);
 * assertEquals(await kv.get(["users", "alice"]), { n: 1 });
 * ```
 *
 * @module
 */

export { migrate } from "./migrate.ts";
export type { ConflictRule, MigrateOptions } from "./options.ts";
export type {
  MigrationSource,
  SourceEntry,
  SourcePage,
  SourceRequest,
} from "./source.ts";
export type {
  MigrationCounts,
  MigrationSummary,
  PrefixCounts,
  SkippedEntry,
} from "./summary.ts";
export type { DifferentEntry } from "./verify.ts";
export { fedifyDenoKv } from "./deno.ts";
export { fedifyMysql, type FedifyMysqlOptions } from "./mysql.ts";
export { fedifyPostgres, type FedifyPostgresOptions } from "./postgres.ts";
export { fedifyRedis, type FedifyRedisOptions } from "./redis.ts";
export { fedifySqlite, type FedifySqliteOptions } from "./sqlite.ts";
export { fedifyWorkersKv } from "./workers.ts";
export { storeSource } from "./store.ts";
export type {
  KvExtendedStore,
  KvGuarantee,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
  Ttl,
} from "../kv/store.ts";
export type {
  DenoKvAtomic,
  DenoKvClient,
  DenoKvEntry,
  DenoKvKey,
} from "../kv/deno.ts";
export type { MysqlCallbackClient, MysqlPromiseClient } from "../kv/mysql.ts";
export type {
  PgClient,
  PgliteClient,
  PostgresClient,
  PostgresJsClient,
} from "../kv/postgres.ts";
export type { NodeRedisClient, RedisClient } from "../kv/redis.ts";
export type { SqliteDatabase, SqliteStatement } from "../kv/sqlite.ts";
export type {
  WorkersKvNames,
  WorkersKvNamespace,
  WorkersKvResult,
} from "../kv/workers.ts";
