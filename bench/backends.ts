/**
 * All backends.
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import { deno } from "./backends/deno.ts";
import { memory } from "./backends/memory.ts";
import { postgresBackend } from "./backends/postgres.ts";
import { redis } from "./backends/redis.ts";
import { redisCluster } from "./backends/redis_cluster.ts";
import { sqlite, sqliteFull } from "./backends/sqlite.ts";

/** All backends, in the order of a report. */
export const backends: readonly Backend[] = [
  memory,
  sqlite,
  sqliteFull,
  deno,
  redis,
  redisCluster,
  postgresBackend,
];
