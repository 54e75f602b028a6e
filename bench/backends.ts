/**
 * All backends.
 *
 * @module
 */
import type { Backend } from "./backend.ts";

/**
 * All backends, in the order of a report. Each is loaded when its turn comes:
 * the clients of others make calls slower that the engine has then to optimize
 * for several.
 */
const loaders: Readonly<Record<string, () => Promise<Backend>>> = {
  memory: async () => (await import("./backends/memory.ts")).memory,
  sqlite: async () => (await import("./backends/sqlite.ts")).sqlite,
  sqlite_full: async () => (await import("./backends/sqlite.ts")).sqliteFull,
  deno: async () => (await import("./backends/deno.ts")).deno,
  postgres: async () =>
    (await import("./backends/postgres.ts")).postgresBackend,
  mysql: async () => (await import("./backends/mysql.ts")).mysqlBackend,
  redis: async () => (await import("./backends/redis.ts")).redis,
  redis_cluster: async () =>
    (await import("./backends/redis_cluster.ts")).redisCluster,
};

/** The names of all backends. */
export const backendNames: readonly string[] = Object.keys(loaders);

/** Loads a backend. */
export function loadBackend(name: string): Promise<Backend> {
  return loaders[name]!();
}
