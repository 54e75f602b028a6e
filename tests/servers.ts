/**
 * Real servers for tests, benches and examples: a Redis, a Redis Cluster of
 * three masters and a PostgreSQL, on free loopback ports and in temporary
 * folders, which end with whoever started them, however that ends.
 *
 * @example Usage
 * ```ts ignore
 * import { sharedUrl, unavailable } from "./servers.ts";
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
export { type PostgresOptions, startPostgres } from "./servers/postgres.ts";
export { type RedisOptions, startRedis } from "./servers/redis.ts";
export {
  type RedisCluster,
  startRedisCluster,
} from "./servers/redis_cluster.ts";
export type { Server } from "./servers/server.ts";
export {
  type ServerKind,
  sharedUrl,
  unavailable,
  unstartable,
} from "./servers/shared.ts";
