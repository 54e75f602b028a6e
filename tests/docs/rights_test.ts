// The Redis commands that docs/operations.md grants are enough for a store.
import { assert, assertEquals } from "@std/assert";
import { Cluster, Redis } from "ioredis";
import { RedisKvStore } from "../../kv/redis.ts";
import {
  type Server,
  startRedis,
  startRedisCluster,
  unstartable,
} from "../../servers/mod.ts";

const reason = await unstartable("redis");

/** The rules of the user, as they are written in the guide. */
async function documentedRules(): Promise<string[]> {
  const guide = await Deno.readTextFile(
    new URL("../../docs/operations.md", import.meta.url),
  );
  const rules = /ACL SETUSER app ([^`]+)```/.exec(guide)![1]!;
  return rules.trim().split(/\s+/);
}

async function useAllMethods(kv: RedisKvStore): Promise<void> {
  const keys = Array.from({ length: 20 }, (_, i) => [`${i}`] as const);
  await Promise.all(keys.map((key) => kv.set(key, 1)));
  await kv.set(["ttl"], 1, { ttl: 60_000 });
  await Promise.all(keys.map((key) => kv.get(key)));
  assert(await kv.cas(["new"], undefined, { a: 1 }));
  assert(await kv.cas(["ttl"], 1, 2, { ttl: 60_000 }));
  assert(await kv.cas(["new"], { a: 1 }, undefined));
  await Promise.all(keys.slice(10).map((key) => kv.delete(key)));
  assertEquals((await Array.fromAsync(kv.list())).length, 11);
  assertEquals(await kv.count(), 11);
  assertEquals(await kv.clear(), 11);
  await kv.check();
}

async function grant(nodes: readonly Server[]): Promise<void> {
  const rules = await documentedRules();
  for (const { url } of nodes) {
    const admin = new Redis(url);
    await admin.call("ACL", ["SETUSER", "app", ...rules]);
    admin.disconnect();
  }
}

const user = { username: "app", password: "password" };

function testOnRedis(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined,
    // A Cluster's client does not tell when its last connection is closed.
    sanitizeOps: false,
    sanitizeResources: false,
    fn,
  });
}

testOnRedis(
  "a Redis user with the documented rights can do everything",
  async () => {
    await using server = await startRedis();
    await grant([server]);
    const client = new Redis(server.port, {
      ...user,
      retryStrategy: () => null,
    });
    client.on("error", () => {});
    try {
      await useAllMethods(new RedisKvStore(client));
    } finally {
      client.disconnect();
    }
  },
);

testOnRedis(
  "a Redis Cluster user with the documented rights can do everything",
  async () => {
    await using cluster = await startRedisCluster();
    await grant(cluster.nodes);
    const client = new Cluster([{ host: cluster.host, port: cluster.port }], {
      redisOptions: user,
      clusterRetryStrategy: () => null,
    });
    client.on("error", () => {});
    try {
      await useAllMethods(new RedisKvStore(client));
    } finally {
      client.disconnect();
    }
  },
);
