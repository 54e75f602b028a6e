// No wrong answer when connections to Redis are cut.
import { assert, assertEquals, assertRejects } from "@std/assert";
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
import { type Answer, append, cutEverySwap } from "./faults.ts";
import { proxiesOf } from "./proxies.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";

for (const [version, { Redis, Cluster }] of Object.entries(versions)) {
  const options = { retryStrategy: () => 1 };

  for (const enableAutoPipelining of [false, true]) {
    const how = enableAutoPipelining ? ", automatic pipelining" : "";

    testOn(
      withoutServers,
      `cas() never answers wrong when its connection is cut (${version}${how})`,
      async () => {
        await using server = await startRedis();
        await using proxy = await FaultProxy.start(server.port);
        await withClient(
          new Redis(server.urlAt(proxy.port), {
            ...options,
            enableAutoPipelining,
          }),
          (client) => cutEverySwap(new RedisKvStore(client), [proxy]),
        );
      },
    );
  }

  testOn(
    withoutServers,
    `cas() on a Cluster never answers wrong when its connection is cut (${version})`,
    async () => {
      await using cluster = await startRedisCluster();
      await using proxies = await proxiesOf(cluster.nodes);
      await withClient(
        new Cluster(proxies.startup, {
          natMap: proxies.natMap,
          redisOptions: { password: cluster.password },
          retryDelayOnFailover: 1,
        }),
        (client) => cutEverySwap(new RedisKvStore(client), proxies.all),
      );
    },
  );

  testOn(
    withoutServers,
    `every cas() that answers true is made once, every false one never (${version})`,
    async () => {
      await using server = await startRedis();
      await using proxies = new AsyncDisposableStack();
      const answers: Answer[] = [];
      await Promise.all(Array.from({ length: 4 }, async (_, writer) => {
        const proxy = proxies.use(await FaultProxy.start(server.port));
        await withClient(
          new Redis(server.urlAt(proxy.port), options),
          (client) => append(new RedisKvStore(client), proxy, writer, answers),
        );
      }));
      await withClient(new Redis(server.url), async (client) => {
        const made = await new RedisKvStore(client).get<string[]>(["made"]);
        assertEquals(new Set(made).size, made!.length);
        const trues = answers.filter(({ answer }) => answer === true);
        const falses = answers.filter(({ answer }) => answer === false);
        for (const { id } of trues) assert(made!.includes(id), `${id} is lost`);
        for (const { id } of falses) assert(!made!.includes(id), `${id} is in`);
        assert(trues.length > 0 && falses.length > 0);
        assert(trues.length + falses.length < answers.length);
      });
    },
  );

  testOn(
    withoutServers,
    `calls end although the client forgets those under way (${version})`,
    async () => {
      await using server = await startRedis();
      await using proxy = await FaultProxy.start(server.port);
      await withClient(
        new Redis(server.urlAt(proxy.port), {
          ...options,
          autoResendUnfulfilledCommands: false,
        }),
        (client) => cutEverySwap(new RedisKvStore(client), [proxy]),
      );
    },
  );

  testOn(
    withoutServers,
    `no write takes effect twice if the client sends none again (${version})`,
    async () => {
      await using server = await startRedis();
      await using proxy = await FaultProxy.start(server.port);
      await withClient(
        new Redis(server.urlAt(proxy.port), {
          ...options,
          autoResendUnfulfilledCommands: false,
        }),
        async (client) => {
          const kv = new RedisKvStore(client);
          for (const release of [undefined, "free"]) {
            await kv.set(["lock"], "mine");
            proxy.next = "answer";
            await assertRejects(
              () => kv.set(["lock"], release),
              KvOutcomeUnknownError,
            );
            proxy.next = "none";
            await kv.set(["lock"], "another's");
            assertEquals(await kv.get(["lock"]), "another's");
          }
        },
      );
    },
  );
}

async function withClient(
  client: Client,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  client.on("error", () => {});
  try {
    await client.get("connected");
    await use(client);
  } finally {
    await close(client);
  }
}
