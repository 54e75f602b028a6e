// No wrong answer when connections to Redis are cut.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { type Cut, FaultProxy } from "../../testing/fault_proxy.ts";
import {
  type Client,
  close,
  testOn,
  versions,
  withoutServers,
} from "./clients.ts";
import { proxiesOf } from "./proxies.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";

const CUTS = 120;

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

/** Swaps by one client, each cut short, with no other client around. */
async function cutEverySwap(
  kv: RedisKvStore,
  proxies: readonly FaultProxy[],
): Promise<void> {
  let unknown = 0;
  let stored: unknown = undefined;
  let cuts = 0;
  for (let i = 0; cuts < CUTS; i++) {
    const key = ["key", `${i % 7}`] as const;
    stored = await kv.get(key);
    const isRight = i % 5 > 0;
    const value = i % 4 === 0 ? undefined : { attempt: i };
    const cut: Cut = i % 3 === 0 ? "request" : "answer";
    for (const proxy of proxies) proxy.next = cut;
    const answer = await kv.cas(key, isRight ? stored : "wrong", value)
      .catch((error) => error);
    for (const proxy of proxies) proxy.next = "none";
    cuts = proxies.reduce((sum, { cuts }) => sum + cuts, 0);

    const found = await kv.get(key);
    if (answer === true) assertEquals(found, value, `${i}: true`);
    else if (answer !== false) {
      // Without a value on either side, there is nothing to write.
      const isRead = isRight && stored === undefined && value === undefined;
      assertInstanceOf(answer, isRead ? KvError : KvOutcomeUnknownError);
      unknown++;
      if (!isRight) assertEquals(found, stored, `${i}: unknown`);
    } else assert(!isRight, `${i}: false although nobody else writes`);
    if (!isRight) assertEquals(found, stored, `${i}: wrong expectation`);
  }
  assert(unknown > CUTS / 4, `only ${unknown} were unknown`);
}

interface Answer {
  id: string;
  answer: unknown;
}

/** Swaps by one of several clients on the same entry, some of them cut short. */
async function append(
  kv: RedisKvStore,
  proxy: FaultProxy,
  writer: number,
  answers: Answer[],
): Promise<void> {
  for (let i = 0; i < CUTS; i++) {
    const id = `${writer}.${i}`;
    const made = await kv.get<string[]>(["made"]);
    if (i % 3 === 0) proxy.next = i % 2 === 0 ? "request" : "answer";
    const answer = await kv.cas(["made"], made, [...made ?? [], id])
      .catch((error) => error);
    if (typeof answer !== "boolean") {
      assertInstanceOf(answer, KvOutcomeUnknownError);
    }
    answers.push({ id, answer });
  }
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
