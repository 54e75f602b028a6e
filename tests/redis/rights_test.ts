// Users with few rights, and connections that are in another mode.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  KvCorruptionError,
  KvError,
  KvOutcomeUnknownError,
} from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";
import {
  type Client,
  close,
  mastersOf,
  testOn,
  versions,
  withoutServers,
} from "./clients.ts";

/** The rights that docs/stores/redis.md names, without those for scripts. */
const COMMANDS = ["get", "mget", "set", "mset", "del", "scan"];
const READS = ["getrange", "strlen", "pttl", "pexpiretime"];
const FOR_SCRIPTS = ["evalsha", "eval"];
const FOR_INDEX = [
  ...["zadd", "zrem", "zscore", "zrangebylex", "zrevrangebylex"],
  ...["type", "exists", "time", "hget", "hset", "hdel"],
];
/** What ioredis sends itself. */
const OF_IOREDIS = ["info", "hello", "client"];

for (const [version, { Redis, Cluster }] of Object.entries(versions)) {
  testOn(
    withoutServers,
    `the documented rights suffice (${version})`,
    async () => {
      await using server = await startRedis();
      await withUser(
        Redis,
        server,
        [...COMMANDS, ...READS, ...FOR_SCRIPTS],
        async (client) => {
          await useAll(new RedisKvStore(client), true);
        },
      );
      await withUser(
        Redis,
        server,
        [...COMMANDS, ...READS, ...FOR_SCRIPTS, ...FOR_INDEX],
        async (client) => {
          const kv = new RedisKvStore(client, { index: true });
          await useAll(kv, true);
          await kv.sweep();
        },
      );
    },
  );

  testOn(
    withoutServers,
    `without the right to run scripts, only cas() of an entry fails (${version})`,
    async () => {
      await using server = await startRedis();
      const rights = [...COMMANDS, ...READS];
      await withUser(Redis, server, rights, async (client) => {
        await useAll(new RedisKvStore(client), false);
      });
    },
  );

  testOn(
    withoutServers,
    `list() on a Cluster needs no right to CLUSTER NODES (${version})`,
    async () => {
      await using cluster = await startRedisCluster();
      const admin = new Cluster([cluster.url], {
        redisOptions: { password: cluster.password },
      });
      await withClient(admin, async () => {
        await admin.get("connected");
        for (const node of mastersOf(admin)) {
          await node.call("acl", [
            ...["setuser", "app", "on", ">secret", "~kv!*", "+@all"],
            "-cluster|nodes",
          ]);
        }
        const redisOptions = { username: "app", password: "secret" };
        const { host, port } = cluster.nodes[0]!;
        const client = new Cluster([{ host, port }], { redisOptions });
        await withClient(client, () => useAll(new RedisKvStore(client), true));
      });
    },
  );

  testOn(
    withoutServers,
    `inside a transaction no call succeeds, and no write fails for sure (${version})`,
    async () => {
      await using server = await startRedis();
      const client = new Redis(server.url);
      await withClient(client, async () => {
        const kv = new RedisKvStore(client);
        await kv.set(["a"], 1);
        await client.multi({ pipeline: false });
        const reads = [
          () => kv.get(["a"]),
          () => Promise.all([kv.get(["a"]), kv.get(["b"])]),
          () => Array.fromAsync(kv.list()),
          () => kv.cas(["a"], undefined, undefined),
        ];
        for (const read of reads) {
          const error = await assertRejects(read, KvError, "transaction");
          assert(!(error instanceof KvOutcomeUnknownError));
          assert(!(error instanceof KvCorruptionError));
        }
        const writes = [
          () => kv.set(["a"], 2),
          () => kv.set(["a"], 2, { ttl: 60_000 }),
          () => Promise.all([kv.set(["a"], 2), kv.set(["b"], 2)]),
          () => kv.delete(["a"]),
          () => Promise.all([kv.delete(["a"]), kv.delete(["b"])]),
          () => kv.cas(["c"], undefined, 2),
          () => kv.cas(["a"], 1, 2),
        ];
        for (const write of writes) {
          await assertRejects(write, KvOutcomeUnknownError, "transaction");
        }
      });
    },
  );

  testOn(
    withoutServers,
    `calls that a client does not send are definite failures (${version})`,
    async () => {
      await using server = await startRedis();
      // Where ioredis 6 speaks RESP3, a subscriber may send anything.
      const subscriber = new Redis(
        server.url,
        { protocol: 2 } as Record<string, unknown>,
      );
      await withClient(subscriber, async () => {
        const kv = new RedisKvStore(subscriber);
        await kv.set(["a"], 1);
        await subscriber.subscribe("channel");
        await assertDefinite(kv, "subscriber mode");
        await subscriber.unsubscribe("channel");
        assertEquals(await kv.get(["a"]), 1);
      });
      const quitter = new Redis(server.url);
      await withClient(quitter, async () => {
        const kv = new RedisKvStore(quitter);
        await kv.set(["a"], 1);
        await quitter.quit();
        await assertDefinite(kv, "closed");
      });
      const offline = new Redis(server.url, {
        enableOfflineQueue: false,
        lazyConnect: true,
      });
      await withClient(offline, async () => {
        await assertDefinite(new RedisKvStore(offline), "enableOfflineQueue");
        await offline.connect().catch(() => {});
      });
    },
  );

  testOn(
    withoutServers,
    `a call that times out before it is sent is never sent (${version})`,
    async () => {
      await using server = await startRedis();
      await server.kill();
      const client = new Redis(server.url, {
        commandTimeout: 100,
        maxRetriesPerRequest: null,
        retryStrategy: () => 50,
      });
      await withClient(client, async () => {
        const kv = new RedisKvStore(client);
        await assertDefinite(kv, "timed out");
        await server.restart();
        assertEquals(await succeed(() => kv.get(["a"])), undefined);
        assertEquals(await kv.get(["b"]), undefined);
      });
    },
  );
}

/** Uses everything that a store has. */
async function useAll(kv: RedisKvStore, withScripts: boolean): Promise<void> {
  const ttl = { ttl: 60_000 };
  await Promise.all([kv.set(["a"], 1), kv.set(["b"], 2n)]);
  await kv.set(["c"], 3, ttl);
  assert(await kv.cas(["d"], undefined, "x".repeat(3_000_000), ttl));
  assertEquals(await kv.cas(["a"], undefined, 2), false);
  assertEquals(await kv.get(["a"]), 1);
  assertEquals(await Promise.all([kv.get(["a"]), kv.get(["b"])]), [1, 2n]);
  const swap = kv.cas(["a"], 1, 4);
  if (withScripts) assert(await swap);
  else {
    const error = await assertRejects(() => swap, KvError, "NOPERM");
    assert(!(error instanceof KvOutcomeUnknownError));
  }
  const entries = await Array.fromAsync(kv.list());
  assertEquals(entries.map(({ key: [part] }) => part), ["a", "b", "c", "d"]);
  assertEquals(entries[1]!.value, 2n);
  assertEquals((entries[3]!.value as string).length, 3_000_000);
  for (const { expires } of entries.slice(2)) {
    assert(Math.abs(expires! - Date.now() - 60_000) < 30_000);
  }
  assertEquals((await Array.fromAsync(kv.keys())).length, 4);
  await kv.delete(["c"]);
  await Promise.all([kv.delete(["a"]), kv.delete(["b"]), kv.delete(["d"])]);
  assertEquals(await Array.fromAsync(kv.list()), []);
}

/** Every call fails, and no write may have been applied. */
async function assertDefinite(kv: RedisKvStore, why: string): Promise<void> {
  const calls: (() => Promise<unknown>)[] = [
    () => kv.get(["a"]),
    () => kv.set(["a"], 2),
    () => kv.set(["a"], 2, { ttl: 60_000 }),
    () => kv.delete(["a"]),
    () => kv.cas(["a"], 1, 2),
    () => kv.cas(["b"], undefined, 2),
    () => Array.fromAsync(kv.list()),
  ];
  for (const call of calls) {
    const error = await assertRejects(call, KvError, why);
    assert(!(error instanceof KvOutcomeUnknownError), error.message);
  }
  const joined = [kv.set(["a"], 2), kv.set(["b"], 2), kv.delete(["c"])];
  for (const result of await Promise.allSettled(joined)) {
    assertEquals(result.status, "rejected");
    const { reason } = result as PromiseRejectedResult;
    assertInstanceOf(reason, KvError);
    assert(!(reason instanceof KvOutcomeUnknownError), reason.message);
  }
}

/** Connects as a user who may send some commands for the store's keys. */
async function withUser(
  Redis: typeof versions[string]["Redis"],
  server: { url: string },
  commands: readonly string[],
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const admin = new Redis(server.url);
  await withClient(admin, async () => {
    await admin.call("acl", [
      ...["setuser", "app", "reset", "on", ">secret", "~kv!*"],
      ...[...commands, ...OF_IOREDIS].map((name) => `+${name}`),
    ]);
    const url = new URL(server.url);
    url.username = "app";
    url.password = "secret";
    const client = new Redis(url.href);
    await withClient(client, () => use(client));
  });
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

/** Calls until it succeeds, for some seconds. */
async function succeed<T>(call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 10_000;
  while (true) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
