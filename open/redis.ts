/** Opens `redis:`, `rediss:` and `redis+cluster:`, by ioredis or node-redis. */

import { KvError } from "../kv/errors.ts";
import { type Engine, importClient } from "./engine.ts";

/** How long a command may take before the connection counts as broken. */
const COMMAND_TIMEOUT = 10_000;

export const redis: Engine = {
  example: "redis://localhost:6379/0",
  async open(url, options) {
    const { RedisKvStore } = await import("../kv/redis.ts");
    const { client, close } = await connectRedis(url);
    try {
      return { store: new RedisKvStore(client, options), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/** A client, and what closes it. */
interface Connection {
  // deno-lint-ignore no-explicit-any -- the types of the client are not loaded
  readonly client: any;
  close(): void | Promise<void>;
}

/** Creates the client for a URL: that of ioredis, or of node-redis without it. */
export async function connectRedis(url: string): Promise<Connection> {
  try {
    return connectIoredis(await importClient("ioredis", "^5.11.0"), url);
  } catch (error) {
    const redis = await importClient("redis", "^6.3.0").catch(() => undefined);
    if (!(error instanceof KvError) || redis === undefined) throw error;
    return await connectNodeRedis(redis, url);
  }
}

// deno-lint-ignore no-explicit-any -- the types of the client are not loaded
function connectIoredis({ Redis, Cluster }: any, url: string): Connection {
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
  return { client, close: () => disconnectRedis(client) };
}

async function connectNodeRedis(
  // deno-lint-ignore no-explicit-any -- the types of the client are not loaded
  { createClient, createCluster }: any,
  url: string,
): Promise<Connection> {
  const isCluster = url.startsWith("redis+cluster:");
  const options = {
    socket: { connectTimeout: COMMAND_TIMEOUT },
    commandOptions: { timeout: COMMAND_TIMEOUT },
  };
  const client = isCluster
    ? createCluster({
      rootNodes: nodesOf(url).map((socket) => ({ socket })),
      defaults: { ...options, ...credentialsOf(url) },
    })
    : createClient({ url, ...options });
  // Without a listener, an error of a connection ends the process.
  client.on("error", () => {});
  const connected = client.connect();
  // A client for one server connects for as long as it takes.
  if (isCluster) await connected;
  else connected.catch(() => {});
  return { client, close: () => void client.destroy() };
}

/** Disconnects, and waits until the connection is closed. */
function disconnectRedis(client: {
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
