// How Redis and Redis Cluster are listed.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvCorruptionError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import {
  type Client,
  clientKinds,
  close,
  freshPrefix,
  mastersOf,
  testOn,
  testOnKind,
  versions,
  withoutServers,
} from "./clients.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";

const FOREIGN = 200_000;

for (const kind of await clientKinds()) {
  testOnKind(kind, "3,000 entries are listed in order", async (client) => {
    const kv = new RedisKvStore(client, { keyPrefix: freshPrefix() });
    const keys = Array.from({ length: 3_000 }, (_, i) => {
      const number = String(i).padStart(4, "0");
      return ["users", number.slice(0, 2), number] as const;
    });
    await Promise.all(keys.map((key, i) => kv.set(key, i)));
    const entries = await Array.fromAsync(kv.list(["users"]));
    assertEquals(entries, keys.map((key, value) => ({ key, value })));
    await Promise.all(keys.map((key) => kv.delete(key)));
  });

  testOnKind(
    kind,
    "a glob in a prefix of either kind is literal",
    async (client) => {
      const prefixes = ["*", "?", "[ab]", "a", "b", "\\", "\\*", "^"];
      const outer = freshPrefix();
      const stores = prefixes.map((prefix) =>
        new RedisKvStore(client, { keyPrefix: `${outer}${prefix}` })
      );
      for (const [i, kv] of stores.entries()) {
        await kv.set(["x", prefixes[i]!], i);
      }
      for (const [i, kv] of stores.entries()) {
        const entries = [{ key: ["x", prefixes[i]!] as const, value: i }];
        assertEquals(await Array.fromAsync(kv.list()), entries);
        assertEquals(await Array.fromAsync(kv.list(["x"])), entries);
        await kv.delete(["x", prefixes[i]!]);
      }
    },
  );

  testOnKind(
    kind,
    "list() reports a damaged value when the caller reaches it, as get() does",
    async (client) => {
      const keyPrefix = freshPrefix();
      const kv = new RedisKvStore(client, { keyPrefix });
      const damaged = ["no JSON", "", "\xff", '"cut'];
      for (const text of damaged) {
        await kv.set(["a"], 1);
        await client.set(`${keyPrefix}!b`, text);
        await kv.set(["c"], 3);
        const entries = kv.list()[Symbol.asyncIterator]();
        assertEquals((await entries.next()).value, { key: ["a"], value: 1 });
        const error = await assertRejects(
          () => entries.next(),
          KvCorruptionError,
          'Cannot list ["b"]: ',
        );
        assert(text === "" || !error.message.includes(text));
        await assertRejects(() => kv.get(["b"]), KvCorruptionError);
      }
      await Promise.all(["a", "b", "c"].map((part) => kv.delete([part])));
    },
  );

  testOnKind(
    kind,
    "list() leaves out what no store has written",
    async (client) => {
      const keyPrefix = freshPrefix();
      const kv = new RedisKvStore(client, { keyPrefix });
      await kv.set(["a"], 1);
      await kv.set(["a", "b"], new Date(0));
      const foreign = ["!a!list", "!a!hash", "!a!b c", "!a!\x00", "", "a", ":"];
      const names = foreign.map((name) => keyPrefix + name);
      await client.lpush(names[0]!, "1");
      await client.hset(names[1]!, "1", "2");
      for (const name of names.slice(2)) await client.set(name, "1");
      assertEquals(await Array.fromAsync(kv.list()), [
        { key: ["a"], value: 1 },
        { key: ["a", "b"], value: new Date(0) },
      ]);
      await Promise.all(names.map((name) => client.del(name)));
      await kv.delete(["a"]);
      await kv.delete(["a", "b"]);
    },
  );
}

for (const kind of await clientKinds()) {
  testOnKind(
    kind,
    "list() reads little ahead of its caller, however large later values are",
    async (client) => {
      const kv = new RedisKvStore(client, { keyPrefix: freshPrefix() });
      // Small entries make pages large; then come large ones, and a huge one.
      const sizes = [
        ...Array.from({ length: 3_000 }, () => 20),
        ...Array.from({ length: 60 }, () => 1_000_000),
        9_000_000,
        ...Array.from({ length: 300 }, (_, i) => i % 2 ? 20 : 100_000),
      ];
      const keys = sizes.map((_, i) => [String(i).padStart(5, "0")] as const);
      for (let i = 0; i < sizes.length; i += 100) {
        await Promise.all(
          sizes.slice(i, i + 100).map((size, j) =>
            kv.set(keys[i + j]!, "x".repeat(size))
          ),
        );
      }
      const before = await sent(client);
      let read = 0;
      let i = 0;
      for await (const { key, value } of kv.list()) {
        assertEquals(key, keys[i]);
        assertEquals((value as string).length, sizes[i]);
        read += sizes[i]!;
        // Looking costs a round trip.
        if (i++ % 10 > 0 && sizes[i]! < 1_000) continue;
        const ahead = await sent(client) - before - read;
        // What others do on the servers counts, too.
        assert(ahead < 2 * 16_000_000 + 9_000_000, `${ahead} bytes ahead`);
      }
      assertEquals(i, sizes.length);
      for (const key of keys) await kv.delete(key);
    },
  );

  testOnKind(
    kind,
    "keys of every kind of character are listed in order, in either direction",
    async (client) => {
      const kv = new RedisKvStore(client, { keyPrefix: freshPrefix() });
      const parts = [
        "",
        "!",
        '"',
        "#",
        "Z",
        "a",
        "\ud7ff",
        "\uffff",
        "\u{1f600}",
      ];
      const keys = parts.flatMap((a) => [
        [a] as const,
        ...parts.map((b) => [a, b] as const),
      ]);
      await Promise.all(keys.map((key) => kv.set(key, 1)));
      const listed = await Array.fromAsync(kv.list(), ({ key }) => key);
      assertEquals(listed, keys);
      const reversed = await Array.fromAsync(
        kv.list([], { reverse: true }),
        ({ key }) => key,
      );
      assertEquals(reversed, keys.toReversed());
      for (const i of [0, 7, 40]) {
        const options = { after: keys[i]!, limit: 5 };
        const after = await Array.fromAsync(kv.keys([], options));
        assertEquals(after.map(({ key }) => key), keys.slice(i + 1, i + 6));
      }
      await Promise.all(keys.map((key) => kv.delete(key)));
    },
  );
}

/** How many bytes the servers have sent so far. */
async function sent(client: Client): Promise<number> {
  const texts = await Promise.all(
    mastersOf(client).map((node) => node.info("stats")),
  );
  return texts.reduce(
    (sum, text) => sum + Number(/total_net_output_bytes:(\d+)/.exec(text)![1]),
    0,
  );
}

for (const [version, { Redis, Cluster }] of Object.entries(versions)) {
  testOn(
    withoutServers,
    `ten entries are listed fast among ${FOREIGN} other keys (${version})`,
    async () => {
      await using server = await startRedis({ settings: { appendonly: "no" } });
      await withClient(new Redis(server.url), async (client) => {
        await client.eval(
          `for i = 1, ARGV[1] do
            redis.call("SET", (i % 2 == 0 and "kv!x " or "other") .. i, "{}")
          end`,
          0,
          FOREIGN,
        );
        const kv = new RedisKvStore(client);
        const keys = Array.from(
          { length: 10 },
          (_, i) => ["mine", `${i}`] as const,
        );
        for (const key of keys) await kv.set(key, 1);
        const start = performance.now();
        const entries = await Array.fromAsync(kv.list(["mine"]));
        const milliseconds = Math.round(performance.now() - start);
        assertEquals(entries, keys.map((key) => ({ key, value: 1 })));
        assertEquals(await Array.fromAsync(kv.list()), entries);
        console.log(`ten of ${FOREIGN} listed in ${milliseconds} ms`);
        assert(milliseconds < 2_000);
      });
    },
  );

  testOn(
    withoutServers,
    `entries whose slots move during a listing are in it (${version})`,
    async () => {
      await using cluster = await startRedisCluster();
      const client = new Cluster([cluster.url], {
        redisOptions: { password: cluster.password },
      });
      await withClient(client, async () => {
        const kv = new RedisKvStore(client, { keyPrefix: "{kv}" });
        // Others, so that a walk takes longer than a key to move.
        const others = new RedisKvStore(client, { keyPrefix: "other" });
        await Promise.all(
          Array.from({ length: 60_000 }, (_, i) => others.set([`${i}`], i)),
        );
        const keys = Array.from({ length: 600 }, (_, i) => `${1_000 + i}`);
        await Promise.all(keys.map((key) => kv.set([key], key)));
        const expected = keys.map((key) => ({
          key: [key] as const,
          value: key,
        }));
        let isMoved = false;
        async function move() {
          await moveSlot(client, await client.cluster("KEYSLOT", "{kv}"));
          isMoved = true;
        }
        async function list() {
          do {
            assertEquals(await Array.fromAsync(kv.list()), expected);
          } while (!isMoved);
          assertEquals(await Array.fromAsync(kv.list()), expected);
        }
        await Promise.all([move(), list()]);
      });
    },
  );
}

/** Moves a slot to another master, key by key. */
async function moveSlot(
  client: InstanceType<typeof versions[string]["Cluster"]>,
  slot: number,
): Promise<void> {
  const nodes = client.nodes("master");
  const owner = client.slots[slot]![0]!;
  const addressOf = (node: Client) => {
    const { host, port } = node.options as { host: string; port: number };
    return `${host}:${port}`;
  };
  const from = nodes.find((node) => addressOf(node) === owner)!;
  const to = nodes.find((node) => node !== from)!;
  const { host, port, password } = to.options;
  const [fromId, toId] = [
    await from.cluster("MYID"),
    await to.cluster("MYID"),
  ];
  await to.cluster("SETSLOT", slot, "IMPORTING", fromId);
  await from.cluster("SETSLOT", slot, "MIGRATING", toId);
  for (const name of await from.cluster("GETKEYSINSLOT", slot, 10_000)) {
    await from.call("migrate", [
      host!,
      port!,
      name,
      0,
      5_000,
      "AUTH",
      password!,
    ]);
  }
  for (const node of [to, from, ...nodes]) {
    await node.cluster("SETSLOT", slot, "NODE", toId);
  }
}

async function withClient(
  client: Client,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  try {
    await use(client);
  } finally {
    await close(client);
  }
}
