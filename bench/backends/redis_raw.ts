// ioredis without a store, as the limit of what a store can reach.
import type { Cluster, Redis } from "ioredis";
import { joined } from "../keys.ts";
import { DAY_MILLISECONDS, type Subject } from "../subject.ts";

/** A command for each call. */
export function rawRedisSubject(redis: Redis | Cluster): Subject {
  return {
    name: "raw ioredis",
    toKey: (key) => joined(["raw", ...key], " "),
    async get(key) {
      const text = await redis.get(key as string);
      return text === null ? undefined : JSON.parse(text);
    },
    set: (key, value) => redis.set(key as string, JSON.stringify(value)),
    setWithTtl: (key, value) =>
      redis.set(key as string, JSON.stringify(value), "PX", DAY_MILLISECONDS),
    // No command compares: what is left is a blind SET.
    async cas(key, _expected, value) {
      return await redis.set(key as string, JSON.stringify(value)) === "OK";
    },
    async list(prefix) {
      const nodes = "nodes" in redis ? redis.nodes("master") : [redis];
      const match = `${prefix} *`;
      const counts = await Promise.all(nodes.map((node) => count(node, match)));
      return counts.reduce((sum, n) => sum + n);
    },
    without: { "cas failing": "no command of Redis compares" },
  };

  async function count(node: Redis, match: string): Promise<number> {
    const keys = new Set<string>();
    let cursor = "0";
    do {
      const [next, some] = await node.scan(
        cursor,
        "MATCH",
        match,
        "COUNT",
        1_000,
      );
      cursor = next;
      for (const key of some) keys.add(key);
    } while (cursor !== "0");
    if (keys.size === 0) return 0;
    const texts = "nodes" in redis
      ? await Promise.all([...keys].map((key) => redis.get(key)))
      : await redis.mget(...keys);
    return texts.filter((text) => text !== null)
      .map((text) => JSON.parse(text)).length;
  }
}
