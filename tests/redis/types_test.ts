// The client types of ioredis 5 and 6 are accepted.
import { assertEquals } from "@std/assert";
import * as ioredis5 from "ioredis";
import * as ioredis6 from "ioredis-6";
import { RedisKvStore } from "../../kv/redis.ts";

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
