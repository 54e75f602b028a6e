/** Opens `redis:`, `rediss:` and `redis+cluster:`, with ioredis. */

import { type Engine, importClient } from "./engine.ts";

/** How long a command may take before the connection counts as broken. */
const COMMAND_TIMEOUT = 10_000;

export const redis: Engine = {
  example: "redis://localhost:6379/0",
  async open(url, options) {
    const { RedisKvStore } = await import("../kv/redis.ts");
    const client = await connectRedis(url);
    try {
      const store = new RedisKvStore(client, options);
      return { store, close: () => disconnectRedis(client) };
    } catch (error) {
      client.disconnect();
      throw error;
    }
  },
};

/** Creates the client for a URL. */
// deno-lint-ignore no-explicit-any -- the types of the client are not loaded
export async function connectRedis(url: string): Promise<any> {
  const { Redis, Cluster } = await importClient("ioredis", "^5.11.0");
  const clientOptions = {
    commandTimeout: COMMAND_TIMEOUT,
    connectTimeout: COMMAND_TIMEOUT,
  };
  const client = url.startsWith("redis+cluster:")
    ? new Cluster(nodesOf(url), {
      redisOptions: { ...clientOptions, ...credentialsOf(url) },
    })
    : new Redis(url, clientOptions);
  // Without a listener, ioredis prints each error of a connection.
  client.on("error", () => {});
  return client;
}

/** Disconnects, and waits until the connection is closed. */
export function disconnectRedis(client: {
  readonly status: string;
  once(event: "end", listener: () => void): unknown;
  disconnect(): void;
}): Promise<void> {
  return new Promise((resolve) => {
    if (client.status === "end") return resolve();
    // Between two connections, ioredis never says that it has ended.
    const isConnected = !["reconnecting", "close"].includes(client.status);
    if (isConnected) client.once("end", resolve);
    client.disconnect();
    if (!isConnected) resolve();
  });
}

/** The nodes of `redis+cluster://host:port,host:port`. */
function nodesOf(url: string): { host: string; port: number }[] {
  const hosts = url.slice("redis+cluster://".length).split(/[/?]/)[0]!;
  return hosts.slice(hosts.lastIndexOf("@") + 1).split(",").map((host) => {
    const { hostname, port } = new URL(`redis://${host}`);
    return { host: hostname, port: Number(port || 6379) };
  });
}

function credentialsOf(url: string): { username?: string; password?: string } {
  const hosts = url.slice("redis+cluster://".length).split(/[/?]/)[0]!;
  const at = hosts.lastIndexOf("@");
  if (at < 0) return {};
  const [username = "", password = ""] = hosts.slice(0, at).split(":").map(
    decodeURIComponent,
  );
  return username === "" ? { password } : { username, password };
}
