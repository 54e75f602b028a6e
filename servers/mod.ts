/**
 * Real servers for tests, benches and examples: a Redis, a Redis Cluster of
 * three masters, a PostgreSQL and a MariaDB, on free loopback ports and in temporary
 * folders, which end with whoever started them, however that ends.
 *
 * @example Usage
 * ```ts ignore
 * import { sharedUrl, unavailable } from "./mod.ts";
 *
 * const reason = await unavailable("redis");
 * const url = reason === undefined ? await sharedUrl("redis") : "";
 *
 * Deno.test({
 *   name: `set() writes to Redis${reason === undefined ? "" : ` (${reason})`}`,
 *   ignore: reason !== undefined,
 *   fn: () => writeTo(url),
 * });
 * ```
 *
 * @module
 */
export { type MariadbOptions, startMariadb } from "./mariadb.ts";
export { startPgBouncer } from "./pgbouncer.ts";
export { type PostgresOptions, startPostgres } from "./postgres.ts";
export { type RedisOptions, startRedis } from "./redis.ts";
export { type RedisCluster, startRedisCluster } from "./redis_cluster.ts";
export type { Server } from "./server.ts";
export {
  type ServerKind,
  sharedUrl,
  unavailable,
  unstartable,
} from "./shared.ts";
