// One server of each kind for all tests of a run.
import { locked } from "./folder.ts";
import { launchMariadb } from "./mariadb.ts";
import { launchPostgres } from "./postgres.ts";
import type { Product } from "./product.ts";
import { findPrograms } from "./programs.ts";
import { launchRedis, type StartContext } from "./redis.ts";
import { launchRedisCluster } from "./redis_cluster.ts";

/** The kinds of servers. */
export type ServerKind = "redis" | "redis-cluster" | "postgres" | "mariadb";

interface Kind {
  variable: string;
  product: Product;
  launch(context: StartContext): Promise<string>;
}

const KINDS: Record<ServerKind, Kind> = {
  "redis": {
    variable: "KV_TEST_REDIS_URL",
    product: "redis",
    launch: async (context) => (await launchRedis({}, context)).url,
  },
  "redis-cluster": {
    variable: "KV_TEST_REDIS_CLUSTER_URL",
    product: "redis",
    launch: async (context) => {
      const { nodes } = await launchRedisCluster({}, context);
      return nodes.map((node) => node.url).join(",");
    },
  },
  "postgres": {
    variable: "KV_TEST_POSTGRES_URL",
    product: "postgres",
    launch: async (context) => (await launchPostgres({}, context)).url,
  },
  "mariadb": {
    variable: "KV_TEST_MARIADB_URL",
    product: "mariadb",
    launch: async (context) => {
      // Tests of what a crash leaves start separate servers.
      const settings = {
        innodb_flush_log_at_trx_commit: 0,
        innodb_flush_method: "nosync",
      };
      return (await launchMariadb({ settings }, context)).url;
    },
  },
};

/**
 * The URL of the server of a kind that all tests of the process share: of a
 * cluster, the URLs of its nodes, separated by commas.
 *
 * It is the one in `KV_TEST_REDIS_URL`, `KV_TEST_REDIS_CLUSTER_URL`,
 * `KV_TEST_POSTGRES_URL` or `KV_TEST_MARIADB_URL`. Without it the first call starts a server, which ends
 * with the process, and sets the variable: the environment is what the threads
 * of a test run have in common. Call it at the top of a test file, where the
 * resource sanitizer allows a process to be left running.
 *
 * @throws {Error} If it cannot be started, with the reason.
 */
export async function sharedUrl(kind: ServerKind): Promise<string> {
  const { variable, product, launch } = KINDS[kind];
  const given = Deno.env.get(variable);
  if (given) return given;
  const programs = await findPrograms(product);
  return await locked(`shared-${kind}`, async () => {
    const started = Deno.env.get(variable);
    if (started) return started;
    const url = await launch({ programs, shared: true });
    Deno.env.set(variable, url);
    return url;
  });
}

/**
 * Why {@linkcode sharedUrl} cannot give a server of a kind, for the tests that
 * are then ignored: `undefined` if it can.
 *
 * @throws {Error} If it cannot and `CI` is `"true"`: there nothing is ignored.
 */
export async function unavailable(
  kind: ServerKind,
): Promise<string | undefined> {
  if (Deno.env.get(KINDS[kind].variable)) return undefined;
  return await unstartable(kind);
}

/**
 * Why a private server of a kind cannot be started, for the tests that kill
 * and restart one: `undefined` if it can.
 *
 * @throws {Error} If it cannot and `CI` is `"true"`: there nothing is ignored.
 */
export async function unstartable(
  kind: ServerKind | "pgbouncer",
): Promise<string | undefined> {
  try {
    await findPrograms(kind === "pgbouncer" ? kind : KINDS[kind].product);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || Deno.env.get("CI") === "true") throw error;
    return error.message;
  }
}
