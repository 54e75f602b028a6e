// A write whose connection breaks before the answer is sent once, not again.
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { KvOutcomeUnknownError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { FaultProxy } from "../../testing/fault_proxy.ts";
import {
  type Client,
  close,
  testOn,
  versions,
  withoutServers,
} from "./clients.ts";
import { proxiesOf } from "./proxies.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";

/** How to make a server reject every further write. */
const REJECTIONS = {
  NOREPLICAS: ["CONFIG", "SET", "min-replicas-to-write", "1"],
  READONLY: ["REPLICAOF", "127.0.0.1", "1"],
  OOM: ["CONFIG", "SET", "maxmemory", "1"],
} as const;

/** Writes of one tick; each pair is joined into one command where possible. */
const WRITES: Record<string, (kv: RedisKvStore) => Promise<unknown>[]> = {
  "one set()": (kv) => [kv.set(["a"], "new")],
  "two set()": (kv) => [kv.set(["a"], "new"), kv.set(["b"], "new")],
  "two set() with a TTL": (kv) => [
    kv.set(["a"], "new", { ttl: 60_000 }),
    kv.set(["b"], "new", { ttl: 60_000 }),
  ],
  "two delete()": (kv) => [kv.delete(["a"]), kv.delete(["b"])],
  "two cas()": (kv) => [kv.cas(["a"], "old", "new"), kv.cas(["b"], "old", 1)],
  "set(), delete() and cas()": (kv) => [
    kv.set(["a"], "new"),
    kv.delete(["b"]),
    kv.cas(["c"], undefined, "new"),
  ],
};

for (const [version, { Redis }] of Object.entries(versions)) {
  for (const [code, command] of Object.entries(REJECTIONS)) {
    testOn(
      withoutServers,
      `a write cut before its answer has an unknown outcome, although the server would now answer ${code} (${version})`,
      async () => {
        for (const [what, write] of Object.entries(WRITES)) {
          await using server = await startRedis();
          await using proxy = await FaultProxy.start(server.port);
          const admin = new Redis(server.url);
          // Long enough for the server to start rejecting writes.
          const client = new Redis(server.urlAt(proxy.port), {
            retryStrategy: () => 200,
          });
          await withClients([admin, client], async () => {
            const kv = new RedisKvStore(client);
            // The server knows the script before the cut.
            await kv.set(["c"], "old");
            await kv.cas(["c"], "old", undefined);
            await Promise.all([kv.set(["a"], "old"), kv.set(["b"], "old")]);
            const isClosed = new Promise((resolve) =>
              client.once("close", resolve)
            );
            proxy.next = "answer";
            const settled = Promise.allSettled(write(kv));
            await isClosed;
            const [name, ...args] = command;
            await admin.call(name, ...args);
            for (const result of await settled) {
              assertEquals(result.status, "rejected", what);
              const { reason } = result as PromiseRejectedResult;
              assertInstanceOf(reason, KvOutcomeUnknownError, what);
            }
            assert(await admin.get("kv!a") !== '"old"', `${what} was applied`);
            // A client that is connecting cannot be closed.
            await client.get("connected");
          });
        }
      },
    );
  }

  for (const isCluster of [false, true]) {
    const where = isCluster ? " on a Cluster" : "";
    testOn(
      withoutServers,
      `a write takes effect once by default, although its connection breaks${where} (${version})`,
      async () => {
        if (isCluster) return await onCluster(version, writeOnce);
        await using server = await startRedis();
        await using proxy = await FaultProxy.start(server.port);
        const client = new Redis(server.urlAt(proxy.port), {
          retryStrategy: () => 1,
        });
        await withClients([client], () => writeOnce(client, [proxy]));
      },
    );
  }
}

/** Cuts writes, and lets another client write before the connection is back. */
async function writeOnce(client: Client, proxies: FaultProxy[]): Promise<void> {
  const kv = new RedisKvStore(client);
  const writes = [
    () => kv.set(["lock"], undefined),
    () => kv.set(["lock"], "free"),
    () => kv.set(["lock"], "free", { ttl: 60_000 }),
    () => kv.cas(["lock"], "mine", "free"),
  ];
  for (const write of writes) {
    await kv.set(["lock"], "mine");
    for (const proxy of proxies) proxy.next = "answer";
    const error = await write().then(() => undefined, (error) => error);
    for (const proxy of proxies) proxy.next = "none";
    assertInstanceOf(error, KvOutcomeUnknownError);
    await kv.set(["lock"], "another's");
    assertEquals(await kv.get(["lock"]), "another's");
  }
}

async function onCluster(
  version: string,
  use: (client: Client, proxies: FaultProxy[]) => Promise<void>,
): Promise<void> {
  await using cluster = await startRedisCluster();
  await using proxies = await proxiesOf(cluster.nodes);
  const client = new versions[version]!.Cluster(proxies.startup, {
    natMap: proxies.natMap,
    redisOptions: { password: cluster.password },
    retryDelayOnFailover: 1,
  });
  await withClients([client], () => use(client, proxies.all));
}

async function withClients(
  clients: readonly Client[],
  use: () => Promise<void>,
): Promise<void> {
  try {
    for (const client of clients) {
      client.on("error", () => {});
      await client.get("connected");
    }
    await use();
  } finally {
    await Promise.all(clients.map(close));
  }
}
