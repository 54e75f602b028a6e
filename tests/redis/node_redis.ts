// Clients of node-redis for tests.
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import type { NodeRedisClient } from "../../kv/redis.ts";
import type { RedisCluster } from "../../servers/mod.ts";

/** The versions of node-redis that the store is for. */
export const versions: Record<string, typeof redis6> = {
  "node-redis 6": redis6,
  "node-redis 5": redis5 as unknown as typeof redis6,
};

/** A client that is connected, and closes when it is disposed of. */
export interface Connected extends AsyncDisposable {
  readonly client: NodeRedisClient;
}

/** Connects to one server. */
export function connect(
  redis: typeof redis6,
  url: string,
  options: redis6.RedisClientOptions = {},
): Promise<Connected> {
  const socket = { reconnectStrategy: 1, ...options.socket };
  return opened(
    redis.createClient(
      { url, ...options, socket } as redis6.RedisClientOptions,
    ),
  );
}

/** Connects to one server by a pool. */
export function connectPool(
  redis: typeof redis6,
  url: string,
): Promise<Connected> {
  const socket = { reconnectStrategy: 1 };
  const options = { url, socket } as redis6.RedisClientOptions;
  return opened( // Version 5 throws from a timer if it closes clients of a closed pool.
    redis.createClientPool(options, { minimum: 4, maximum: 4 }),
  );
}

/** Connects to a Cluster, whose nodes may be at other ports. */
export function connectCluster(
  redis: typeof redis6,
  { nodes, password }: Pick<RedisCluster, "nodes" | "password">,
  ports: readonly number[] = nodes.map(({ port }) => port),
): Promise<Connected> {
  return opened(redis.createCluster({
    rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    defaults: { password, socket: { reconnectStrategy: 1 } },
    nodeAddressMap: Object.fromEntries(
      nodes.map(({ host, port }, i) => [
        `${host}:${port}`,
        { host: "127.0.0.1", port: ports[i]! },
      ]),
    ),
  }));
}

/** What all kinds of clients have. */
interface Closable extends NodeRedisClient {
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: "error", listener: () => void): unknown;
}

/** Connects a client. Broken connections are what the tests are about. */
export async function opened(client: Closable): Promise<Connected> {
  client.on("error", () => {});
  await client.connect();
  return {
    client,
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}
