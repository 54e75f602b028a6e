// Every supported version of ioredis, with options that change what it does.
import { assert, assertEquals } from "@std/assert";
import * as ioredis from "ioredis";
import * as oldest from "ioredis-5.0";
import * as last5 from "ioredis-5.10";
import * as ioredis6 from "ioredis-6";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";
import { type Client, close, testOn, withoutServers } from "./clients.ts";

const versions: Record<string, unknown> = {
  "ioredis 5.0": oldest,
  "ioredis 5.10": last5,
  "ioredis 5.11": ioredis,
  "ioredis 6.0": ioredis6,
};

/** Options that change what a client sends or returns. */
const options: Record<string, Record<string, unknown>> = {
  "no options": {},
  "options that change arguments and replies": {
    keyPrefix: "outer:",
    stringNumbers: true,
    showFriendlyErrorStack: true,
    enableAutoPipelining: true,
  },
  "RESP3, where there is any": { protocol: 3, replyMapping: "resp3" },
};

for (const [version, module] of Object.entries(versions)) {
  const { Cluster, Command, ...exported } = module as typeof ioredis;
  // The first versions have it as their default export only.
  const Redis = exported.Redis ?? exported.default;

  testOn(
    withoutServers,
    `a store works on one server (${version})`,
    async () => {
      await using server = await startRedis();
      for (const [what, each] of Object.entries(options)) {
        const client = new Redis(server.url, each);
        await withClient(client, () => use(client, what));
      }
    },
  );

  testOn(
    withoutServers,
    `a store works on a Cluster (${version})`,
    async () => {
      await using cluster = await startRedisCluster();
      const startup = cluster.nodes.map(({ host, port }) => ({ host, port }));
      for (const [what, each] of Object.entries(options)) {
        const client = new Cluster(startup, {
          ...each,
          redisOptions: { ...each, password: cluster.password },
        });
        await withClient(client, () => use(client, what));
      }
    },
  );

  testOn(
    withoutServers,
    `transformers of arguments and replies change nothing (${version})`,
    async () => {
      await using server = await startRedis();
      const client = new Redis(server.url);
      const names = ["get", "mget", "set", "mset", "del", "scan", "evalsha"];
      const { _transformer: transformers } = Command as unknown as {
        _transformer: Record<string, Record<string, unknown>>;
      };
      const { mset } = transformers.argument!;
      try {
        for (const name of names) {
          Command.setArgumentTransformer(name, (args) => [...args, "more"]);
          Command.setReplyTransformer(name, () => "transformed");
        }
        await withClient(client, () => use(client, "transformers"));
      } finally {
        for (const name of names) {
          delete transformers.argument![name];
          delete transformers.reply![name];
        }
        transformers.argument!.mset = mset;
      }
    },
  );
}

/** Uses every command that a store sends. */
async function use(client: Client, what: string): Promise<void> {
  const kv = new RedisKvStore(client, { keyPrefix: what });
  const ttl = { ttl: 60_000 };
  await Promise.all([kv.set(["a"], 1), kv.set(["b"], new Date(0))]);
  await Promise.all([kv.set(["c"], [1n], ttl), kv.set(["d"], "1")]);
  assert(await kv.cas(["e"], undefined, { a: 1, b: 2 }, ttl), what);
  assertEquals(await kv.cas(["e"], undefined, 1), false, what);
  assert(await kv.cas(["e"], { b: 2, a: 1 }, 1), what);
  assertEquals(await kv.cas(["e"], 2, 3), false, what);
  assertEquals(await kv.get(["missing"]), undefined, what);
  assertEquals(await kv.get(["b"]), new Date(0), what);
  const keys = ["a", "b", "c", "d", "e"];
  const values = [1, new Date(0), [1n], "1", 1];
  assertEquals(
    await Promise.all(keys.map((part) => kv.get([part]))),
    values,
    what,
  );
  const listed = await Array.fromAsync(kv.list());
  assertEquals(listed.map(({ key }) => key[0]), keys, what);
  assertEquals(listed.map(({ value }) => value), values, what);
  assert(listed[2]!.expires! > Date.now(), what);
  assert(await kv.cas(["e"], 1, undefined), what);
  await kv.delete(["d"]);
  await Promise.all([kv.delete(["a"]), kv.delete(["b"]), kv.delete(["c"])]);
  assertEquals(await Array.fromAsync(kv.list()), [], what);
}

async function withClient(
  client: Client,
  use: () => Promise<void>,
): Promise<void> {
  client.on("error", () => {});
  try {
    await use();
  } finally {
    await close(client);
  }
}
