// No wrong answer by node-redis when connections are cut and servers die.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";
import { FaultProxy } from "../../testing/fault_proxy.ts";
import { testOn, withoutServers } from "./clients.ts";
import {
  type Answer,
  append,
  cutEverySwap,
  outage,
  succeed,
} from "./faults.ts";
import {
  connect,
  connectCluster,
  connectPool,
  versions,
} from "./node_redis.ts";
import { proxiesOf } from "./proxies.ts";

const settings = { appendonly: "yes", appendfsync: "always" };

for (const [version, redis] of Object.entries(versions)) {
  // Pools have hardly changed between the versions.
  const kinds = version === "node-redis 6"
    ? { connect, connectPool }
    : { connect };
  for (const [kind, open] of Object.entries(kinds)) {
    const how = `${version}, ${kind === "connect" ? "client" : "pool"}`;

    testOn(
      withoutServers,
      `cas() never answers wrong when its connection is cut (${how})`,
      async () => {
        await using server = await startRedis();
        await using proxy = await FaultProxy.start(server.port);
        await using opened = await open(redis, server.urlAt(proxy.port));
        await cutEverySwap(new RedisKvStore(opened.client), [proxy]);
      },
    );

    testOn(
      withoutServers,
      `what is acknowledged outlives a Redis that is killed in the middle (${how})`,
      async () => {
        await using server = await startRedis({ settings });
        await using opened = await open(redis, server.url);
        await outage(new RedisKvStore(opened.client), server);
      },
    );

    testOn(
      withoutServers,
      `a write whose answer is lost is sent once (${how})`,
      async () => {
        await using server = await startRedis();
        await using proxy = await FaultProxy.start(server.port);
        await using opened = await open(redis, server.urlAt(proxy.port));
        const kv = new RedisKvStore(opened.client);
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

    testOn(
      withoutServers,
      `every call on a stopped server is rejected within the timeout (${how})`,
      async () => {
        await using server = await startRedis();
        await using opened = await open(redis, server.url);
        const kv = new RedisKvStore(opened.client, { timeout: 1_000 });
        await kv.set(["a"], 1);
        const info: string = await opened.client.sendCommand([
          "INFO",
          "server",
        ]);
        const pid = Number(/process_id:(\d+)/.exec(info)![1]);
        Deno.kill(pid, "SIGSTOP");
        try {
          await Promise.all([
            assertRejects(() => kv.get(["a"]), KvError),
            assertRejects(() => kv.delete(["d"]), KvOutcomeUnknownError),
            assertRejects(() => kv.set(["b"], 2), KvOutcomeUnknownError),
            assertRejects(() => kv.cas(["c"], 1, 2), KvOutcomeUnknownError),
            assertRejects(() => Array.fromAsync(kv.list()), KvError),
          ]);
        } finally {
          Deno.kill(pid, "SIGCONT");
        }
        assertEquals(await succeed(() => kv.get(["a"])), 1);
      },
    );
  }

  testOn(
    withoutServers,
    `cas() on a Cluster never answers wrong when its connection is cut (${version})`,
    async () => {
      await using cluster = await startRedisCluster();
      await using proxies = await proxiesOf(cluster.nodes);
      const ports = proxies.all.map(({ port }) => port);
      await using opened = await connectCluster(redis, cluster, ports);
      await cutEverySwap(new RedisKvStore(opened.client), proxies.all);
    },
  );

  testOn(
    withoutServers,
    `what is acknowledged outlives a master that is killed in the middle (${version})`,
    async () => {
      await using cluster = await startRedisCluster({
        settings: { ...settings, "cluster-node-timeout": 1_000 },
      });
      await using opened = await connectCluster(redis, cluster);
      await outage(new RedisKvStore(opened.client), cluster.nodes[1]!);
    },
  );

  testOn(
    withoutServers,
    `every cas() that answers true is made once, every false one never (${version})`,
    async () => {
      await using server = await startRedis();
      await using stack = new AsyncDisposableStack();
      const answers: Answer[] = [];
      await Promise.all(Array.from({ length: 4 }, async (_, writer) => {
        const proxy = stack.use(await FaultProxy.start(server.port));
        const url = server.urlAt(proxy.port);
        const { client } = stack.use(await connect(redis, url));
        await append(new RedisKvStore(client), proxy, writer, answers);
      }));
      await using opened = await connect(redis, server.url);
      const made = await new RedisKvStore(opened.client).get<string[]>([
        "made",
      ]);
      assertEquals(new Set(made).size, made!.length);
      for (const { id, answer } of answers) {
        if (typeof answer === "boolean") {
          assertEquals(made!.includes(id), answer, id);
        }
      }
      assert(answers.some(({ answer }) => answer === true));
      assert(answers.some(({ answer }) => typeof answer !== "boolean"));
    },
  );

  testOn(
    withoutServers,
    `calls fail at once without a connection if the client queues none (${version})`,
    async () => {
      await using server = await startRedis();
      await using opened = await connect(redis, server.url, {
        disableOfflineQueue: true,
      });
      const kv = new RedisKvStore(opened.client);
      await kv.set(["a"], 1);
      await server.kill();
      await assertRejects(() => kv.get(["a"]), KvError);
      for (
        const call of [
          () => kv.set(["a"], 2),
          () => kv.cas(["a"], 1, 2),
          () => kv.delete(["a"]),
          () => Array.fromAsync(kv.list()),
        ]
      ) {
        const error = await assertRejects(call, KvError, "Cannot ");
        assert(!(error instanceof KvOutcomeUnknownError), error.message);
      }
      await server.restart();
      assertEquals(await succeed(() => kv.get(["a"])), 1);
    },
  );
}
