// Migrating from the layout of Fedify's Redis store.
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { RedisKvStore as FedifyKvStore } from "@fedify/redis";
import { Buffer } from "node:buffer";
import { fedifyRedis, migrate } from "../../migrate/mod.ts";
import { keyOfName } from "../../migrate/redis_key.ts";
import { KvCorruptionError, MemoryKvStore } from "../../mod.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import {
  type Client,
  clientKinds,
  freshPrefix,
  mastersOf,
  testOnKind,
} from "../redis/clients.ts";
import { assertHas, entries, type Expected, inTurns, keys } from "./entries.ts";

/** The name that Fedify gives to a key. */
function nameOf(key: readonly string[]): string {
  return key.map((part) => part.replaceAll(":", "_:")).join("::");
}

Deno.test("every key is decoded from the name that Fedify gives to it", () => {
  for (const key of keys()) assertEquals(keyOfName(nameOf(key)), key);
});

Deno.test("each name decodes to the one key that Fedify encodes as it, or to nothing", () => {
  const letters = ["_", ":", "a"];
  let names = [""];
  for (let length = 0; length <= 9; length++) {
    for (const name of names) {
      const key = keyOfName(name);
      if (key !== undefined) assertEquals(nameOf(key), name);
    }
    names = names.flatMap((name) => letters.map((letter) => name + letter));
  }
  for (const name of [":", "a:b", "a:::b", ":a", "a:"]) {
    assertEquals(keyOfName(name), undefined, name);
  }
});

/** What is stored under a prefix, byte by byte. */
async function dump(client: Client, prefix: string): Promise<unknown> {
  const all: string[] = [];
  for (const node of mastersOf(client)) {
    const names = await node.keys(`${prefix}*`);
    await inTurns(names, async (name) => {
      const [value, expires] = await Promise.all([
        node.dumpBuffer(name),
        node.call("PEXPIRETIME", name),
      ]);
      all.push(`${name} ${value.toString("hex")} ${expires}`);
    });
  }
  return all.sort();
}

async function clear(client: Client, prefix: string): Promise<void> {
  for (const node of mastersOf(client)) {
    const names = await node.keysBuffer(`${prefix}*`);
    await inTurns(names, (name) => node.del(name));
  }
}

for (const kind of await clientKinds()) {
  testOnKind(
    kind,
    "every entry that Fedify wrote arrives, and Redis is unchanged",
    async (client) => {
      const base = `*[${freshPrefix()}_`;
      const literal = `\\*\\[${base.slice(2)}`;
      const keyPrefix = kind.name.includes("5.11")
        ? `${base}::`
        : Buffer.from(`${base}é:`);
      {
        const fedify = new FedifyKvStore(client as never, { keyPrefix });
        const expected: Expected = new Map();
        await inTurns(entries(["\0"]), async ({ key, value, ttl }) => {
          const options = ttl === undefined ? {} : { ttl } as never;
          await fedify.set(key, value, options);
          const name = Buffer.concat([
            Buffer.from(keyPrefix),
            Buffer.from(nameOf(key)),
          ]);
          const expires = Number(await client.call("PEXPIRETIME", name));
          expected.set(JSON.stringify(key), {
            value,
            ...expires === -1 ? {} : { expires },
          });
        });
        const before = await dump(client, literal);
        const source = fedifyRedis(client, { keyPrefix });
        const target = new MemoryKvStore();
        const summary = await migrate(source, target, { verify: true });
        assertEquals(summary.skippedEntries, []);
        assertEquals(summary.different, []);
        assertEquals(summary.written, expected.size);
        await assertHas(target, expected, 1);
        assertEquals(await dump(client, literal), before);

        // Into our own layout in the same Redis, ended in between and resumed.
        const own = freshPrefix();
        const kv = new RedisKvStore(client, { keyPrefix: own });
        const end = new AbortController();
        await assertRejects(() =>
          migrate(source, kv, {
            signal: end.signal,
            onProgress: ({ read }) => void (read > 700 && end.abort()),
          })
        );
        const resumed = await migrate(source, kv, { verify: true });
        assertEquals(resumed.different, []);
        assertEquals(await kv.count(), expected.size);
        await clear(client, own);
        await clear(client, literal);
      }
    },
  );

  testOnKind(
    kind,
    "what is not Fedify's is reported, and a codec decodes values",
    async (client) => {
      const keyPrefix = freshPrefix();
      await client.set(`${keyPrefix}a:b`, "1");
      await client.set(`${keyPrefix}damaged`, "{");
      await client.lpush(`${keyPrefix}list`, "1");
      await client.set(
        Buffer.concat([Buffer.from(keyPrefix), Buffer.from([0xff])]),
        "1",
      );
      await client.set(`${keyPrefix}a::b`, "[1]");
      await client.set(`${keyPrefix.slice(1)}c`, "1");
      const target = new MemoryKvStore();
      const options = { keyPrefix };
      const { skippedEntries, written } = await migrate(
        fedifyRedis(client, options),
        target,
      );
      assertEquals(written, 1);
      assertEquals(await target.get(["a", "b"]), [1]);
      const foreign = "its name is not one that Fedify gives to a key";
      assertEquals(
        new Map(skippedEntries.map(({ key, reason }) => [`${key}`, reason])),
        new Map([
          [`${keyPrefix}a:b`, foreign],
          [`${keyPrefix}\ufffd`, foreign],
          ["damaged", "its value is not JSON"],
          ["list", "it is not a string of Redis"],
        ]),
      );
      const error = await assertRejects(() =>
        migrate(fedifyRedis(client, options), target, {
          onDamaged: "fail",
          prefix: ["damaged"],
        })
      );
      assertInstanceOf(error, KvCorruptionError);
      const decoded = new MemoryKvStore();
      await migrate(
        fedifyRedis(client, { keyPrefix, decode: (bytes) => bytes.length }),
        decoded,
        { prefix: ["a"] },
      );
      assertEquals(await decoded.get(["a", "b"]), 3);
      await clear(client, keyPrefix);
      await clear(client, keyPrefix.slice(1));
    },
  );
}
