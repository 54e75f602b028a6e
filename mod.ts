/**
 * A key–value store with one small interface, one contract, and drivers that
 * keep it on every backend.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * await kv.set(["greeting", "en"], "Hello", { ttl: 60_000 });
 * assertEquals(await kv.get(["greeting", "en"]), "Hello");
 * ```
 *
 * @module
 */

export {
  type DenoKvAtomic,
  type DenoKvClient,
  type DenoKvEntry,
  type DenoKvKey,
  DenoKvStore,
  type DenoKvStoreOptions,
} from "./kv/deno.ts";
export {
  KvCorruptionError,
  KvError,
  KvOutcomeUnknownError,
  KvOverloadError,
} from "./kv/errors.ts";
export { keyOf } from "./kv/key_of.ts";
export { MemoryKvStore } from "./kv/memory.ts";
export {
  type MysqlCallbackClient,
  MysqlKvStore,
  type MysqlKvStoreOptions,
  type MysqlPromiseClient,
} from "./kv/mysql.ts";
export {
  type PgliteClient,
  type PostgresJsClient,
  PostgresKvStore,
  type PostgresKvStoreOptions,
} from "./kv/postgres.ts";
export {
  type NodeRedisClient,
  type RedisClient,
  RedisKvStore,
  type RedisKvStoreOptions,
} from "./kv/redis.ts";
export {
  type SqliteDatabase,
  SqliteKvStore,
  type SqliteKvStoreOptions,
  type SqliteStatement,
} from "./kv/sqlite.ts";
export type {
  KvExtendedStore,
  KvGuarantee,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvSignal,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
  Ttl,
} from "./kv/store.ts";
export { withPrefix } from "./kv/with_prefix.ts";
