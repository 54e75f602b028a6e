// A server that is stopped: every call settles within the timeout of the store.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { slotOf } from "../../kv/redis/slot.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";
import {
  type Client,
  close,
  mastersOf,
  testOn,
  versions,
  withoutServers,
} from "./clients.ts";

const TIMEOUT = 1_000;

/** What a busy machine may add. */
const SLACK = 10_000;

for (const [version, { Redis, Cluster }] of Object.entries(versions)) {
  testOn(
    withoutServers,
    `every call on a stopped server is rejected within the timeout (${version})`,
    async () => {
      await using server = await startRedis();
      const client = new Redis(server.url);
      await withClient(client, async () => {
        const kv = new RedisKvStore(client, { timeout: TIMEOUT });
        await kv.set(["a"], 0);
        await silence(kv, client, await pidOf(client as Client));
      });
    },
  );

  testOn(
    withoutServers,
    `every call on a stopped node of a Cluster is rejected within the timeout, others are not (${version})`,
    async () => {
      await using cluster = await startRedisCluster({
        settings: { "cluster-node-timeout": 60_000 },
      });
      const client = new Cluster([cluster.url], {
        redisOptions: { password: cluster.password },
      });
      await withClient(client, async () => {
        const kv = new RedisKvStore(client, { timeout: TIMEOUT });
        await kv.set(["a"], 0);
        const owner = ownerIn(client, "a");
        const node = mastersOf(client).find(({ options }) =>
          `${options.host}:${options.port}` === owner
        )!;
        await silence(kv, client, await pidOf(node));
      });
    },
  );
}

/** Stops a process, makes calls, and lets it continue. */
async function silence(
  kv: RedisKvStore,
  client: Client,
  pid: number,
): Promise<void> {
  const owner = ownerIn(client, "a");
  Deno.kill(pid, "SIGSTOP");
  try {
    const start = performance.now();
    const onOneKey = Array.from({ length: 20 }, (_, i) => kv.set(["a"], i));
    const swaps = [kv.cas(["a"], 0, 1), kv.cas(["a"], undefined, 1)];
    const calls = [
      ...onOneKey,
      ...swaps,
      kv.get(["a"]),
      kv.delete(["a"]),
      Array.fromAsync(kv.list()),
    ];
    const many = Array.from(
      { length: 10_000 },
      (_, i) => kv.set(["many", `${i}`], i),
    );
    const [settled, manySettled] = await Promise.all([
      Promise.allSettled(calls),
      Promise.allSettled(many),
    ]);
    for (const result of settled) {
      assertEquals(result.status, "rejected");
      const { reason } = result as PromiseRejectedResult;
      assertInstanceOf(reason, KvError);
      assertStringIncludes(reason.message, `silent for ${TIMEOUT} ms`);
    }
    for (const [i, result] of manySettled.entries()) {
      const isSilent = ownerIn(client, `many!${i}`) === owner;
      assertEquals(result.status, isSilent ? "rejected" : "fulfilled", `${i}`);
      if (!isSilent) continue;
      assertInstanceOf((result as PromiseRejectedResult).reason, KvError);
    }
    const elapsed = Math.round(performance.now() - start);
    assert(elapsed < TIMEOUT + SLACK, `${elapsed} ms`);
    // What was sent is unknown; what had to wait for its key was not sent.
    const [first] = await Promise.allSettled(onOneKey);
    assertInstanceOf(
      (first as PromiseRejectedResult).reason,
      KvOutcomeUnknownError,
    );
    const [swap] = await Promise.allSettled(swaps);
    const { reason } = swap as PromiseRejectedResult;
    assert(!(reason instanceof KvOutcomeUnknownError), "it was not sent");
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
  await kv.set(["a"], "again");
  assertEquals(await kv.get(["a"]), "again");
  assertEquals(await kv.cas(["a"], "again", 1), true);
}

/** The node of a Cluster that has a key. */
function ownerIn(client: Client, id: string): string | undefined {
  return "nodes" in client ? client.slots[slotOf(`kv!${id}`)]![0] : undefined;
}

async function pidOf(node: Client): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await node.info("server"))![1]);
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
