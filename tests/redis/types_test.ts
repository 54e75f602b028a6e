// The client types of ioredis and node-redis are accepted.
import { assertEquals } from "@std/assert";
import * as ioredis5 from "ioredis";
import * as ioredis6 from "ioredis-6";
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import { RedisKvStore } from "../../kv/redis.ts";

Deno.test("RedisKvStore takes the clients of node-redis 5 and 6 as they are", () => {
  const sentinel = {
    name: "main",
    sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }],
  };
  const stores = [
    new RedisKvStore(redis5.createClient()),
    new RedisKvStore(redis5.createClient({ RESP: 3 })),
    new RedisKvStore(redis5.createClientPool()),
    new RedisKvStore(redis5.createCluster({ rootNodes: [] })),
    new RedisKvStore(redis5.createSentinel(sentinel)),
    new RedisKvStore(redis6.createClient()),
    new RedisKvStore(redis6.createClient({ keyPrefix: "app:" })),
    new RedisKvStore(redis6.createClientPool()),
    new RedisKvStore(redis6.createCluster({ rootNodes: [] })),
    new RedisKvStore(redis6.createSentinel(sentinel)),
  ];
  for (const { traits } of stores) assertEquals(traits.driver, "redis");
});

Deno.test("RedisKvStore takes the clients of ioredis 5 and 6 as they are", () => {
  const lazyConnect = true;
  const stores = [
    new RedisKvStore(new ioredis5.Redis({ lazyConnect })),
    new RedisKvStore(new ioredis5.Cluster([6379], { lazyConnect })),
    new RedisKvStore(new ioredis6.Redis({ lazyConnect })),
    new RedisKvStore(
      new ioredis6.Redis({ lazyConnect, protocol: 3, replyMapping: "resp3" }),
    ),
    new RedisKvStore(new ioredis6.Cluster([6379], { lazyConnect })),
  ];
  for (const { traits } of stores) assertEquals(traits.driver, "redis");
  // @ts-expect-error What no client is, no store takes.
  const never = () => new RedisKvStore({ get() {} });
  assertEquals(typeof never, "function");
});
