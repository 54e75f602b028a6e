// ioredis clients of each version for tests.
import * as ioredis5 from "ioredis";
import * as ioredis6 from "ioredis-6";
import {
  type ServerKind,
  sharedUrl,
  unavailable,
  unstartable,
} from "../../servers/mod.ts";

/** A client of either version, for one server or for a Cluster. */
export type Client = ioredis5.Redis | ioredis5.Cluster;

/** The versions of ioredis that the store is for. */
export const versions: Record<string, typeof ioredis5> = {
  "ioredis 5.11": ioredis5,
  "ioredis 6.0": ioredis6 as unknown as typeof ioredis5,
};

/** How to reach a shared server of a kind, by either version. */
export interface ClientKind {
  /** The version of ioredis and what it connects to. */
  name: string;
  /** Whether it connects to a Cluster. */
  isCluster: boolean;
  /** Why there is no server: `undefined` if there is one. */
  reason: string | undefined;
  /** Makes a client, with ioredis's own prefix if one is given. */
  connect(keyPrefix?: string): Client;
}

/** Every version of ioredis on a shared Redis and a shared Cluster. */
export async function clientKinds(): Promise<ClientKind[]> {
  const kinds: ClientKind[] = [];
  const [redis, cluster] = [await reach("redis"), await reach("redis-cluster")];
  for (const [version, { Redis, Cluster }] of Object.entries(versions)) {
    kinds.push({
      name: `Redis, by ${version}`,
      isCluster: false,
      reason: redis.reason,
      connect: (keyPrefix = "") => new Redis(redis.url, { keyPrefix }),
    }, {
      name: `Redis Cluster, by ${version}`,
      isCluster: true,
      reason: cluster.reason,
      connect: (keyPrefix = "") =>
        new Cluster(cluster.url.split(","), { redisOptions: { keyPrefix } }),
    });
  }
  return kinds;
}

async function reach(kind: ServerKind) {
  const reason = await unavailable(kind);
  return { reason, url: reason === undefined ? await sharedUrl(kind) : "" };
}

/** A test on a client of a kind, closed at the end. */
export function testOnKind(
  { name, reason, connect }: ClientKind,
  sentence: string,
  fn: (client: Client) => Promise<void>,
): void {
  testOn(reason, `${sentence} (${name})`, async () => {
    const client = connect();
    try {
      await fn(client);
    } finally {
      await close(client);
    }
  });
}

/** The clients for all masters of a Cluster, or the client itself. */
export function mastersOf(client: Client): ioredis5.Redis[] {
  return "nodes" in client ? client.nodes("master") : [client];
}

/** Closes a client, and waits until it is closed. */
export async function close(client: Client): Promise<void> {
  if (client.status === "end") return;
  const ended = new Promise((resolve) => client.once("end", resolve));
  client.disconnect();
  await ended;
}

/** A test that is ignored if there is a reason. */
export function testOn(
  reason: string | undefined,
  name: string,
  fn: () => Promise<void>,
): void {
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined,
    // A Cluster's client does not tell when its last connection is closed, and
    // ioredis 5 keeps an interval for a while after a large answer.
    sanitizeOps: false,
    sanitizeResources: false,
    fn,
  });
}

/** Why no private server can be started: `undefined` if one can. */
export const withoutServers: string | undefined = await unstartable("redis");

/** A prefix that no other test has. */
export function freshPrefix(): string {
  return crypto.randomUUID();
}

/** Waits a while: a server has its own clock. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The names that the index of a store has. */
export function indexNames(client: Client, keyPrefix: string): string[] {
  const outer = (client.options as { keyPrefix?: string }).keyPrefix ?? "";
  // What ioredis puts in front, it puts in front of these names, too.
  if (outer !== "") throw new Error("a client with a keyPrefix sees others");
  if (!("nodes" in client)) return [`${keyPrefix}! index`];
  return Array.from({ length: 16 }, (_, i) => [
    `${keyPrefix}! {${i}} index`,
    `${keyPrefix}! {${i}} marks`,
  ]).flat();
}

/** Removes the index of a store. */
export async function removeIndex(
  client: Client,
  keyPrefix: string,
): Promise<void> {
  const names = indexNames(client, keyPrefix);
  await Promise.all(names.map((name) => client.del(name)));
}
