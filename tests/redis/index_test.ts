// The index of keys, on Redis and Redis Cluster.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import type { KvKey } from "../../mod.ts";
import {
  type Client,
  clientKinds,
  freshPrefix,
  indexNames,
  removeIndex,
  sleep,
  testOnKind,
} from "./clients.ts";

/** A client of one version is enough. */
const kinds = (await clientKinds()).filter(({ name }) => name.includes("5.11"));

for (const kind of kinds) {
  const test = (
    sentence: string,
    fn: (context: Context) => Promise<void>,
  ) =>
    testOnKind(kind, sentence, async (client) => {
      const keyPrefix = freshPrefix();
      const kv = new RedisKvStore(client, { keyPrefix, index: true });
      const plain = new RedisKvStore(client, { keyPrefix });
      try {
        await fn({ client, keyPrefix, kv, plain });
      } finally {
        await plain.clear();
        await removeIndex(client, keyPrefix);
      }
    });

  test("the first listing builds the index of an existing store", async ({ kv, plain, client, keyPrefix }) => {
    const keys = Array.from({ length: 3_000 }, (_, i) => keyOf(i));
    await Promise.all(keys.map((key) => plain.set(key, 1)));
    assertEquals((await members(client, keyPrefix)).length, 0);
    assertEquals(await keysOf(kv), keys);
    assertEquals((await members(client, keyPrefix)).length, keys.length);
  });

  test("an index that was deleted is built by the next listing", async ({ kv, client, keyPrefix }) => {
    await kv.set(["a"], 1);
    assertEquals(await keysOf(kv), [["a"]]);
    await kv.set(["b"], 1);
    await removeIndex(client, keyPrefix);
    await kv.set(["c"], 1);
    assertEquals(await keysOf(kv), [["a"], ["b"], ["c"]]);
  });

  test("reindex() finds what stores without the index have written", async ({ kv, plain }) => {
    assertEquals(await keysOf(kv), []);
    await plain.set(["a"], 1);
    assertEquals(await keysOf(kv, ["a"]).then(() => kv.reindex()), 1);
    assertEquals(await keysOf(kv), [["a"]]);
    await assertRejects(() => plain.reindex(), TypeError, "no option index");
    await assertRejects(() => kv.reindex({ limit: 1 } as never), TypeError);
    const signal = AbortSignal.abort(new Error("stop"));
    await assertRejects(() => kv.reindex({ signal }), Error, "stop");
  });

  test("listings find what stores without the index have written", async ({ kv, plain }) => {
    assertEquals(await keysOf(kv), []);
    await plain.set(["a"], 1);
    // Each second, a listing looks at a few keys of one master.
    for (let i = 0; (await keysOf(kv)).length === 0; i++) {
      assert(i < 10_000, "the index lags for too long");
      await sleep(100);
    }
  });

  test("an entry that another program deletes, renames or replaces is not listed, and leaves the index", async ({ kv, client, keyPrefix }) => {
    await Promise.all(
      ["a", "b{1}", "c", "d"].map((part) => kv.set([part], 1)),
    );
    await client.del(`${keyPrefix}!a`);
    await client.rename(`${keyPrefix}!b{1}`, `${keyPrefix}!x{1}`);
    await client.del(`${keyPrefix}!c`);
    await client.lpush(`${keyPrefix}!c`, "1");
    // The new name may have been found already, or is found by `reindex()`.
    const listed = (await keysOf(kv)).filter(([part]) => part !== "x{1}");
    assertEquals(listed, [["d"]]);
    await kv.reindex();
    assertEquals(await keysOf(kv), [["d"], ["x{1}"]]);
    await age(client, keyPrefix);
    assertEquals(await keysOf(kv), [["d"], ["x{1}"]]);
    assertEquals(await members(client, keyPrefix), ["d", "x{1}"]);
    await client.del(`${keyPrefix}!c`);
  });

  test("an id without data, as a crash leaves it, is no entry", async ({ kv, client, keyPrefix }) => {
    await kv.reindex();
    await kv.set(["a"], 1);
    await client.del(`${keyPrefix}!a`);
    assertEquals(await keysOf(kv), []);
    assertEquals(await kv.count(), 0);
    assertEquals(await kv.cas(["a"], undefined, 2), true);
    assertEquals(await keysOf(kv), [["a"]]);
  });

  test("sweep() takes expired entries out of the index", async ({ kv, client, keyPrefix }) => {
    await kv.reindex();
    const keys = Array.from({ length: 600 }, (_, i) => keyOf(i));
    const writes = keys.map((key, i) =>
      kv.set(key, 1, i % 100 ? { ttl: 1 } : {})
    );
    await Promise.all(writes);
    const left = keys.filter((_, i) => i % 100 === 0);
    await waitUntil(async () => (await keysOf(kv, ["k"])).length === 6);
    await kv.sweep();
    await age(client, keyPrefix);
    await kv.sweep();
    assertEquals((await members(client, keyPrefix)).length, left.length);
    assertEquals(await keysOf(kv), left);
  });

  test("writes take expired entries out of the index, even if nobody lists", async ({ kv, client, keyPrefix }) => {
    await kv.reindex();
    for (let round = 0; round < 12; round++) {
      const keys = Array.from(
        { length: 500 },
        (_, i) => keyOf(round * 500 + i),
      );
      await Promise.all(keys.map((key) => kv.set(key, 1, { ttl: 1 })));
      await age(client, keyPrefix);
    }
    // The last writes were answered, but may still be cleaning.
    await waitUntil(async () =>
      (await members(client, keyPrefix)).length < 5_000
    );
  });

  test("every entry is listed while many are written, deleted and expire", async ({ client, keyPrefix }) => {
    const stores = [1, 2].map(() =>
      new RedisKvStore(client, { keyPrefix, index: true })
    );
    const [kv, other] = stores as [RedisKvStore, RedisKvStore];
    await kv.reindex();
    const fixed = Array.from({ length: 50 }, (_, i) => keyOf(2 * i));
    await Promise.all(fixed.map((key) => kv.set(key, 1)));
    let isOver = false;
    const churn = (async () => {
      for (let i = 0; !isOver; i++) {
        const key = keyOf(2 * (i % 50) + 1);
        await Promise.all([
          kv.set(key, i, { ttl: 1 + i % 3 }),
          other.delete(key),
          other.set(fixed[i % 50]!, i),
          kv.cas(keyOf(1_000), undefined, i),
          kv.delete(keyOf(1_000)),
        ]);
        if (i % 16 === 0) await age(client, keyPrefix);
      }
    })();
    for (let i = 0; i < 30; i++) {
      const even = (await keysOf(i % 2 ? kv : other))
        .filter((key) => Number(key[1]) % 2 === 0 && key[1] !== "01000");
      assertEquals(even, fixed);
    }
    isOver = true;
    await churn;
  });

  test("an index of another type is an error, and no entry is lost", async ({ kv, client, keyPrefix }) => {
    const names = indexNames(client, keyPrefix);
    await Promise.all(names.map((name) => client.set(name, "1")));
    await assertRejects(() => kv.set(["a"], 1), KvError, "WRONGTYPE");
    await assertRejects(() => keysOf(kv), KvError, "WRONGTYPE");
    assertEquals(await kv.get(["a"]), undefined);
  });
}

Deno.test("an index needs a boolean, and on a Cluster a prefix without {}", async () => {
  const { Cluster, Redis } = await import("ioredis");
  const redis = new Redis({ lazyConnect: true });
  const cluster = new Cluster(["redis://127.0.0.1:1"], { lazyConnect: true });
  assertThrows(() => new RedisKvStore(redis, { index: 1 as never }), TypeError);
  assertThrows(
    () => new RedisKvStore(cluster, { keyPrefix: "a{}", index: true }),
    TypeError,
    "must not contain {}",
  );
  const kv = new RedisKvStore(redis, { keyPrefix: "a{}", index: true });
  assertEquals(kv.traits.without, {});
  redis.disconnect();
  cluster.disconnect();
});

interface Context {
  client: Client;
  keyPrefix: string;
  kv: RedisKvStore;
  plain: RedisKvStore;
}

function keyOf(i: number): KvKey {
  return ["k", String(i).padStart(5, "0")];
}

async function keysOf(kv: RedisKvStore, prefix?: KvKey): Promise<KvKey[]> {
  return (await Array.fromAsync(kv.keys(prefix))).map(({ key }) => key);
}

/** What is in the index, apart from what says that it is complete. */
async function members(client: Client, keyPrefix: string): Promise<string[]> {
  const sets = indexNames(client, keyPrefix)
    .filter((name) => name.endsWith("index"));
  const all = await Promise.all(
    sets.map((set) => client.zrange(set, 0, -1)),
  );
  return all.flat().filter((member) => member !== " complete").sort();
}

/** Makes the marks on a Cluster as old as they have to be. */
async function age(client: Client, keyPrefix: string): Promise<void> {
  const names = indexNames(client, keyPrefix)
    .filter((name) => name.endsWith("marks"));
  await Promise.all(names.map(async (name) => {
    for (const field of await client.hkeys(name)) {
      await client.hset(name, field, "1");
    }
  }));
}

async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !await isSo(); i++) {
    assert(i < 3_000, "it takes too long");
    await sleep(10);
  }
}
