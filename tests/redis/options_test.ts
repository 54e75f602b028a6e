// Which clients and options a store takes, and what it says about others.
import { assert, assertEquals, assertThrows } from "@std/assert";
import * as ioredis5 from "ioredis";
import * as ioredis6 from "ioredis-6";
import { type RedisClient, RedisKvStore } from "../../kv/redis.ts";

const lazyConnect = true;
const redis = new ioredis5.Redis({ lazyConnect });

Deno.test("an unsupported client is a TypeError that lists the supported ones", () => {
  const others: [client: unknown, name: string][] = [
    [undefined, "undefined"],
    [null, "null"],
    ["redis://localhost", "a string"],
    [{}, "an object"],
    [ioredis5.Redis, "a function"],
    [{ mGet() {}, sendCommand() {} }, "a client of node-redis 4"],
    [{ customCommand() {}, mget() {} }, "a client of Valkey GLIDE"],
    [{ hmget() {}, mget() {}, send() {} }, "a client of Bun"],
    [{ mget() {}, get() {} }, "a client of another library"],
    [{ mget() {}, mgetBuffer() {}, sendCommand() {} }, "a client of another"],
    [redis.pipeline(), "a pipeline"],
    [redis.multi(), "a pipeline"],
    [new ioredis6.Redis({ lazyConnect }).pipeline(), "a pipeline"],
  ];
  for (const [client, name] of others) {
    assertThrows(
      () => new RedisKvStore(client as RedisClient),
      TypeError,
      "Cannot create a RedisKvStore: redis must be a Redis or Cluster of " +
        "ioredis 5 or 6, or a client, pool, cluster or sentinel of node-redis " +
        `5 or 6: received ${name}`,
    );
  }
});

Deno.test("an unknown or wrong option is an error that names it", () => {
  const wrong: [options: object, Type: ErrorConstructor, message: string][] = [
    [{ prefix: "a" }, TypeError, 'unknown option "prefix": expected keyPrefix'],
    [{ codec: {} }, TypeError, 'unknown option "codec": remove it'],
    [{ keyPrefix: 1 }, TypeError, "keyPrefix must be a string without !"],
    [{ keyPrefix: "\ud800" }, TypeError, "keyPrefix must be a well-formed"],
    [{ keyPrefix: "a!b" }, TypeError, 'keyPrefix must not contain "!", which'],
    [{ timeout: "1" }, TypeError, "timeout must be a number of milliseconds"],
    [{ timeout: 0 }, RangeError, "timeout must be a number of milliseconds"],
    [{ maxPending: 1.5 }, RangeError, "maxPending must be a whole number"],
    [{ index: "yes" }, TypeError, "index must be true or false"],
  ];
  for (const [options, Type, message] of wrong) {
    assertThrows(
      () => new RedisKvStore(redis, options),
      Type,
      `Cannot create a RedisKvStore: ${message}`,
    );
  }
  for (const keyPrefix of ["a!", new Uint8Array([0xff])]) {
    const client = new ioredis5.Redis({
      lazyConnect,
      keyPrefix: keyPrefix as string,
    });
    assertThrows(
      () => new RedisKvStore(client),
      TypeError,
      "Cannot create a RedisKvStore: the keyPrefix of redis must",
    );
  }
});

Deno.test("a client whose replicas answer reads has a store that says so", () => {
  for (const { Cluster } of [ioredis5, ioredis6]) {
    const master = new RedisKvStore(new Cluster([6379], { lazyConnect }));
    assertEquals(master.traits.without.linearizable, undefined);
    for (const scaleReads of ["slave", "all"] as const) {
      const cluster = new Cluster([6379], { lazyConnect, scaleReads });
      assert(new RedisKvStore(cluster).traits.without.linearizable);
    }
  }
});
