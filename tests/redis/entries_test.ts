// What the Redis store reads and writes.
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
import {
  clientKinds,
  close,
  freshPrefix,
  mastersOf,
  sleep,
  testOn,
  testOnKind,
} from "./clients.ts";

for (const kind of await clientKinds()) {
  testOnKind(kind, "redis-cli shows keys and plain values", async (client) => {
    const keyPrefix = freshPrefix();
    const kv = new RedisKvStore(client, { keyPrefix });
    const name = `${keyPrefix}!users!https://example.com/@alice`;
    await kv.set(["users", "https://example.com/@alice"], { n: ["ä", null] });
    assertEquals(await client.get(name), '{"n":["ä",null]}');
    assertEquals(await client.pttl(name), -1);
    await kv.set(["users", "https://example.com/@alice"], "a", { ttl: 60_000 });
    assertEquals(await client.get(name), '"a"');
    const left = await client.pttl(name);
    assert(left > 50_000 && left <= 60_000, `${left} ms left`);
    await kv.delete(["users", "https://example.com/@alice"]);
    assertEquals(await client.exists(name), 0);
  });

  testOnKind(
    kind,
    "stores of different prefixes share no entries",
    async (client) => {
      const base = freshPrefix();
      const prefixes = ["", ":", ":admin:", "::", ":admin:x", "{tag}"]
        .map((suffix) => base + suffix);
      const stores = prefixes.map((keyPrefix) =>
        new RedisKvStore(client, { keyPrefix })
      );
      const parts = [
        "",
        ":",
        "admin:",
        "root",
        ":admin:root",
        "!",
        '"',
        "{tag}",
      ];
      const keys = parts.flatMap((a) => [
        [a] as const,
        ...parts.map((b) => [a, b] as const),
      ]);
      await Promise.all(
        stores.flatMap((kv, i) => keys.map((key) => kv.set(key, [i, ...key]))),
      );
      for (const [i, kv] of stores.entries()) {
        for (const key of keys) assertEquals(await kv.get(key), [i, ...key]);
        const listed = await Array.fromAsync(kv.list());
        assertEquals(listed.length, keys.length);
        for (const { key, value } of listed) assertEquals(value, [i, ...key]);
      }
      for (const kv of stores) {
        await Promise.all(keys.map((key) => kv.delete(key)));
        assertEquals(await Array.fromAsync(kv.list()), []);
      }
    },
  );

  testOnKind(
    kind,
    "a store over the keys of Fedify finds none of them",
    async (client) => {
      const base = freshPrefix();
      const names = [`${base}::_fedify::remoteDocument`, `${base}::a`, base];
      for (const name of names) await client.set(name, '"foreign"');
      const kv = new RedisKvStore(client, { keyPrefix: `${base}::` });
      assertEquals(await kv.get(["a"]), undefined);
      assertEquals(await Array.fromAsync(kv.list()), []);
      await kv.set(["a"], "ours");
      await kv.delete(["a"]);
      for (const name of names) {
        assertEquals(await client.get(name), '"foreign"');
        await client.del(name);
      }
    },
  );

  testOnKind(kind, "a client may take numbers as text", async (client) => {
    if ("nodes" in client) return;
    const texts = client.duplicate({ stringNumbers: true });
    const kv = new RedisKvStore(texts, { keyPrefix: freshPrefix() });
    assert(await kv.cas(["a"], undefined, 1));
    assert(await kv.cas(["a"], 1, 2, { ttl: 60_000 }));
    assertEquals(await kv.cas(["a"], 1, 3), false);
    const [entry, ...others] = await Array.fromAsync(kv.list());
    assertEquals([entry!.key, entry!.value, others], [["a"], 2, []]);
    assert(Math.abs(entry!.expires! - Date.now() - 60_000) < 30_000);
    await kv.delete(["a"]);
    await close(texts);
  });

  testOnKind(
    kind,
    "what stands under a key and is no value hurts no other call",
    async (client) => {
      const keyPrefix = freshPrefix();
      const kv = new RedisKvStore(client, { keyPrefix });
      const bad = new Set(Array.from({ length: 10 }, (_, i) => 97 * i));
      const keys = Array.from({ length: 1_000 }, (_, i) => [`${i}`] as const);
      await Promise.all(keys.map((key, i) => kv.set(key, i)));
      for (const i of bad) {
        await client.set(`${keyPrefix}!${i}`, i % 2 ? "no JSON" : "\xff");
      }
      const found = await Promise.allSettled(keys.map((key) => kv.get(key)));
      for (const [i, result] of found.entries()) {
        if (bad.has(i)) {
          assert(result.status === "rejected");
          assertInstanceOf(result.reason, KvCorruptionError);
        } else {
          assertEquals(result, { status: "fulfilled", value: i });
        }
      }
      await Promise.all(keys.map((key) => kv.delete(key)));
      assertEquals(await kv.get(["0"]), undefined);
    },
  );

  testOnKind(
    kind,
    "a key of another type is no entry, alone or among others",
    async (client) => {
      const keyPrefix = freshPrefix();
      const kv = new RedisKvStore(client, { keyPrefix });
      await client.rpush(`${keyPrefix}!list`, "1");
      await kv.set(["a"], 1);
      assertEquals(await kv.get(["list"]), undefined);
      assertEquals(
        await Promise.all([kv.get(["list"]), kv.get(["a"])]),
        [undefined, 1],
      );
      await assertRejects(() => kv.cas(["list"], 1, 2), KvError, "WRONGTYPE");
      assertEquals(await kv.cas(["list"], undefined, 2), false);
      await kv.set(["list"], 3);
      assertEquals(await kv.get(["list"]), 3);
      await Promise.all([kv.delete(["list"]), kv.delete(["a"])]);
    },
  );

  testOnKind(
    kind,
    "calls work on after the server forgot its scripts",
    async (client) => {
      const kv = new RedisKvStore(client, { keyPrefix: freshPrefix() });
      const keys = Array.from({ length: 50 }, (_, i) => [`${i}`] as const);
      for (let round = 0; round < 3; round++) {
        const nodes = mastersOf(client);
        await Promise.all(nodes.map((node) => node.script("FLUSH")));
        const ttl = { ttl: 60_000 };
        await Promise.all(keys.map((key) => kv.set(key, round, ttl)));
        assertEquals((await Array.fromAsync(kv.list())).length, 50);
        await Promise.all(nodes.map((node) => node.script("FLUSH")));
        const swaps = keys.map((key) => kv.cas(key, round, "swapped"));
        assert((await Promise.all(swaps)).every(Boolean));
        assertEquals(await kv.cas(keys[0]!, round, "again"), false);
        assertEquals(await kv.get(keys[0]!), "swapped");
      }
      await Promise.all(keys.map((key) => kv.delete(key)));
    },
  );

  testOnKind(
    kind,
    "cas() compares by content what other clients wrote in another form",
    async (client) => {
      const keyPrefix = freshPrefix();
      const kv = new RedisKvStore(client, { keyPrefix });
      await client.set(`${keyPrefix}!a`, ' { "b" : 1, "a" : [ 2 ] } ');
      assertEquals(await kv.cas(["a"], { a: [3], b: 1 }, "new"), false);
      assertEquals(await kv.cas(["a"], { a: [2], b: 1 }, "new"), true);
      assertEquals(await client.get(`${keyPrefix}!a`), '"new"');
      await kv.delete(["a"]);
    },
  );

  testOnKind(
    kind,
    "cas() gives up if the form of an equal value changes at every attempt",
    async (client) => {
      if ("nodes" in client) return;
      const keyPrefix = freshPrefix();
      const name = `${keyPrefix}!a`;
      const kv = new RedisKvStore(client, { keyPrefix });
      await kv.set(["a"], { a: 1 });
      let attempts = 0;
      const { sendCommand } = client;
      // Before each attempt, another client writes the value in another form.
      client.sendCommand = function (command, ...rest) {
        if (command.name === "evalsha") {
          const form = `{${" ".repeat(++attempts)}"a":1}`;
          const Command = Object.getPrototypeOf(command.constructor);
          sendCommand.call(this, new Command("set", [name, form]));
        }
        return sendCommand.call(this, command, ...rest);
      };
      const error = await assertRejects(
        () => kv.cas(["a"], { a: 1 }, 2),
        KvError,
        "in another form",
      );
      assert(!(error instanceof KvOutcomeUnknownError));
      assert(attempts > 1 && attempts < 100, `${attempts} attempts`);
      assertEquals(await kv.get(["a"]), { a: 1 });
      client.sendCommand = sendCommand;
      assert(await kv.cas(["a"], { a: 1 }, 2));
      await kv.delete(["a"]);
    },
  );

  testOnKind(kind, "a TTL ends to the millisecond", async (client) => {
    const keyPrefix = freshPrefix();
    const kv = new RedisKvStore(client, { keyPrefix });
    await Promise.all([kv.set(["a"], 1, { ttl: 30 }), kv.set(["b"], 2)]);
    assertEquals(await kv.cas(["b"], 2, 3, { ttl: 30 }), true);
    assertEquals(await kv.get(["a"]), 1);
    await sleep(60);
    assertEquals(await kv.get(["a"]), undefined);
    assertEquals(await kv.cas(["b"], undefined, 4), true);
    assertEquals(await client.pttl(`${keyPrefix}!b`), -1);
    await kv.delete(["b"]);
  });

  if (!kind.isCluster) continue;

  testOnKind(kind, "keys are spread over all masters", async (client) => {
    const keyPrefix = freshPrefix();
    const kv = new RedisKvStore(client, { keyPrefix });
    const keys = Array.from({ length: 300 }, (_, i) => [`${i}`] as const);
    await Promise.all(keys.map((key) => kv.set(key, 1)));
    const counts = await Promise.all(
      mastersOf(client).map(
        async (node) => (await node.keys(`${keyPrefix}!*`)).length,
      ),
    );
    assertEquals(counts.length, 3);
    assert(counts.every((count) => count > 50), `${counts}`);
    assertEquals(counts.reduce((sum, count) => sum + count), 300);
    await Promise.all(keys.map((key) => kv.delete(key)));
  });

  testOnKind(
    kind,
    "calls on keys with one hash tag travel together",
    async (client) => {
      const keyPrefix = `{${freshPrefix()}}`;
      const kv = new RedisKvStore(client, { keyPrefix });
      const keys = Array.from({ length: 300 }, (_, i) => [`${i}`] as const);
      await Promise.all(keys.map((key, i) => kv.set(key, i)));
      const values = await Promise.all(keys.map((key) => kv.get(key)));
      assertEquals(values, keys.map((_, i) => i));
      assertEquals((await Array.fromAsync(kv.list())).length, 300);
      await Promise.all(keys.map((key) => kv.delete(key)));
    },
  );
}

const [kind] = await clientKinds();

testOn(
  kind!.reason,
  "many stores on one client add no more listeners than one",
  async () => {
    const client = kind!.connect();
    const kv = new RedisKvStore(client);
    const count = client.listenerCount("close");
    for (let i = 0; i < 20; i++) new RedisKvStore(client);
    assertEquals(client.listenerCount("close"), count);
    await kv.get(["a"]);
    await close(client);
  },
);
