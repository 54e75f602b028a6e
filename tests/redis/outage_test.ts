// Redis that is down, is killed, or is closed.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import {
  type Client,
  close,
  sleep,
  testOn,
  versions,
  withoutServers,
} from "./clients.ts";
import { outage, succeed } from "./faults.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";

const settings = { appendonly: "yes", appendfsync: "always" };

for (const [version, { Redis, Cluster }] of Object.entries(versions)) {
  testOn(
    withoutServers,
    `what is acknowledged outlives a Redis that is killed in the middle (${version})`,
    async () => {
      await using server = await startRedis({ settings });
      const client = new Redis(server.url, { retryStrategy: () => 50 });
      await withClient(client, () => outage(new RedisKvStore(client), server));
    },
  );

  testOn(
    withoutServers,
    `what is acknowledged outlives a master that is killed in the middle (${version})`,
    async () => {
      await using cluster = await startRedisCluster({
        settings: { ...settings, "cluster-node-timeout": 1_000 },
      });
      const client = new Cluster([cluster.url], {
        clusterRetryStrategy: () => 50,
        redisOptions: { password: cluster.password },
      });
      await withClient(
        client,
        () => outage(new RedisKvStore(client), cluster.nodes[1]!),
      );
    },
  );

  testOn(
    withoutServers,
    `calls on a server that is down fail, and work once it is up (${version})`,
    async () => {
      await using server = await startRedis();
      const client = new Redis(server.url, {
        retryStrategy: () => 10,
        maxRetriesPerRequest: 2,
      });
      await withClient(client, async () => {
        const kv = new RedisKvStore(client);
        await kv.set(["a"], 1);
        await server.kill();
        const calls = [
          () => kv.get(["a"]),
          () => kv.set(["a"], 2),
          () => kv.set(["a"], 2, { ttl: 1_000 }),
          () => kv.delete(["a"]),
          () => kv.cas(["a"], 1, 2),
          () => kv.cas(["a"], undefined, 2),
          () => Array.fromAsync(kv.list()),
        ];
        // The client may take the first for sent.
        await assertRejects(() => kv.get(["a"]), KvError);
        for (const call of calls) {
          const error = await assertRejects(call, KvError, "Cannot ");
          assert(!(error instanceof KvOutcomeUnknownError), error.message);
          assertInstanceOf(error.cause, Error);
        }
        await server.restart();
        assertEquals(await succeed(() => kv.get(["a"])), 1);
        assertEquals(await kv.cas(["a"], 1, 2), true);
      });
    },
  );

  testOn(
    withoutServers,
    `calls on a client that was closed fail (${version})`,
    async () => {
      await using server = await startRedis();
      const client = new Redis(server.url);
      const kv = new RedisKvStore(client);
      await kv.set(["a"], 1);
      await close(client);
      await assertRejects(() => kv.get(["a"]), KvError, "closed");
      await assertRejects(() => kv.set(["a"], 2), KvError, "closed");
      await assertRejects(() => kv.cas(["a"], 1, 2), KvError, "closed");
      await assertRejects(() => Array.fromAsync(kv.list()), KvError, "closed");
    },
  );

  testOn(
    withoutServers,
    `a write that the server may have got before it died is no plain failure (${version})`,
    async () => {
      await using server = await startRedis({ settings });
      const client = new Redis(server.url, { retryStrategy: () => null });
      await withClient(client, async () => {
        const kv = new RedisKvStore(client);
        await kv.set(["a"], 1);
        await pause(client);
        const writes = [kv.set(["a"], 2), kv.cas(["b"], undefined, 1)]
          .map((write) => assertRejects(() => write, KvOutcomeUnknownError));
        const read = assertRejects(() => kv.get(["c"]), KvError);
        await sleep(20);
        await server.kill();
        await Promise.all([...writes, read]);
      });
    },
  );
}

/** Keeps the server from answering for a while. */
async function pause(client: Client): Promise<void> {
  await client.call("client", ["PAUSE", "5000", "ALL"]);
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
