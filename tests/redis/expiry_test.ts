// The moments at which entries expire: exact on the server and in listings.
import { connect, createServer, type Server as TcpServer } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedis } from "../../servers/mod.ts";
import {
  type Client,
  close,
  freshPrefix,
  testOn,
  versions,
  withoutServers,
} from "./clients.ts";

const { Redis } = versions["ioredis 5.11"]!;

testOn(
  withoutServers,
  "Redis stores an expires as it is, and listings yield it",
  async () => {
    await using server = await startRedis();
    await withClient(server.url, async (redis) => {
      assertEquals(await writeAll(redis, redis), 0);
      assertEquals(await writeAll(redis, redis, undefined, true), 0);
    });
  },
);

testOn(
  withoutServers,
  "a user without the right to run scripts gets exact expiries too",
  async () => {
    await using server = await startRedis();
    await withClient(server.url, async (admin) => {
      const expires = Date.now() + 3_600_000;
      await admin.call("acl", [
        ...["setuser", "app", "on", ">secret", "~kv!*", "+@all"],
        ...["-eval", "-evalsha"],
      ]);
      await withClient(asUser(server.url), async (redis) => {
        const kv = new RedisKvStore(redis);
        await kv.set(["a"], 1, { expires });
        assert(await kv.cas(["b"], undefined, 1, { expires }));
        assertEquals(await expiries(kv), [expires, expires]);
        await admin.call("acl", ["setuser", "app", "-pexpiretime"]);
        assert((await expiries(kv)).every((e) => near(e!, expires)));
      });
    });
  },
);

testOn(
  withoutServers,
  "without the rights to PEXPIRETIME and TIME, a listing yields about when entries expire",
  async () => {
    await using server = await startRedis();
    await withClient(server.url, async (admin) => {
      await admin.call("acl", [
        ...["setuser", "app", "on", ">secret", "~kv!*", "+@all"],
        ...["-pexpiretime", "-time"],
      ]);
      await withClient(asUser(server.url), async (redis) => {
        const kv = new RedisKvStore(redis);
        const expires = Date.now() + 3_600_000;
        await kv.set(["a"], 1, { expires });
        await kv.set(["b"], 1);
        const [a, b] = await expiries(kv);
        assert(near(a!, expires));
        assertEquals(b, undefined);
      });
    });
  },
);

testOn(
  withoutServers,
  "a server that knows neither PXAT nor PEXPIRETIME keeps an expires",
  async () => {
    await using server = await startRedis();
    await using proxy = await olderServer(server.port);
    await withClient(server.urlAt(proxy.port), async (redis) => {
      // The server's clock is read in two places.
      await withClient(server.url, async (direct) => {
        for (const index of [false, true]) {
          const isSame = (a: number, b: number) => Math.abs(a - b) <= 2;
          const off = await writeAll(redis, direct, isSame, index);
          assert(off <= 1, `${off}`);
        }
      });
    });
  },
);

/**
 * Writes in every way; returns by how many milliseconds the server is off at
 * most.
 */
async function writeAll(
  redis: Client,
  direct: Client,
  isSame: (a: number, b: number) => boolean = (a, b) => a === b,
  index = false,
): Promise<number> {
  const keyPrefix = freshPrefix();
  const kv = new RedisKvStore(redis, { keyPrefix, index });
  const start = Date.now() + 3_600_000;
  await kv.set(["swap"], 1);
  await kv.set(["keep"], 1);
  await Promise.all([
    ...["1", "2", "3"].map((part, i) =>
      kv.set([part], "x", { expires: start + i })
    ),
    kv.set(["plain"], 1),
    kv.set(["ttl"], 1, { ttl: 60_000 }),
  ]);
  await kv.set(["alone"], 1n, { expires: start + 3.5 });
  assert(await kv.cas(["create"], undefined, 1, { expires: start + 5 }));
  assert(!await kv.cas(["create"], undefined, 2, { expires: start }));
  assert(await kv.cas(["swap"], 1, { a: 1, b: 1 }, { expires: start }));
  assert(
    await kv.cas(["swap"], { b: 1, a: 1 }, [2], { expires: start + 6 }),
  );
  assert(!await kv.cas(["keep"], 5, 2, { expires: start }));
  assert(await kv.cas(["keep"], 1, 2));
  await kv.set(["gone"], 1);
  await kv.set(["gone"], 2, { expires: Date.now() - 1 });
  const wanted: Record<string, number> = {
    "1": start,
    "2": start + 1,
    "3": start + 2,
    alone: start + 4,
    create: start + 5,
    swap: start + 6,
  };
  let off = 0;
  for (const [name, expires] of Object.entries(wanted)) {
    const stored = Number(
      await direct.call("pexpiretime", [`${keyPrefix}!${name}`]),
    );
    off = Math.max(off, Math.abs(stored - expires));
  }
  const listed = await Array.fromAsync(kv.list());
  assertEquals(
    listed.map(({ key: [part] }) => part),
    [...Object.keys(wanted), "keep", "plain", "ttl"].sort(),
  );
  for (const { key: [part], expires } of listed) {
    const moment = wanted[part];
    if (part === "ttl") assert(near(expires!, Date.now() + 60_000));
    else if (moment === undefined) assertEquals(expires, undefined);
    else assert(isSame(expires!, moment), `${part}: ${expires} ${moment}`);
  }
  assertEquals(await kv.get(["swap"]), [2]);
  return off;
}

async function expiries(kv: RedisKvStore): Promise<(number | undefined)[]> {
  const keys = await Array.fromAsync(kv.keys());
  return keys.map(({ expires }) => expires);
}

/** Whether two moments are the same but for the time of a few round trips. */
function near(a: number, b: number): boolean {
  return Math.abs(a - b) < 30_000;
}

function asUser(url: string): string {
  const { host } = new URL(url);
  return `redis://app:secret@${host}`;
}

/** A proxy that misspells what servers before Redis 6.2 and 7.0 do not know. */
async function olderServer(
  port: number,
): Promise<AsyncDisposable & { port: number }> {
  const server: TcpServer = createServer((client) => {
    const backend = connect(port, "127.0.0.1");
    client.on("data", (bytes) => {
      const text = bytes.toString("latin1")
        .replaceAll("PXAT", "PXAX")
        .replaceAll(/PEXPIRETIME/gi, "PEXPIRETIMX");
      backend.write(text, "latin1");
    });
    backend.pipe(client);
    client.on("close", () => backend.destroy());
    backend.on("close", () => client.destroy());
    client.on("error", () => {});
    backend.on("error", () => {});
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => server.close(() => resolve())),
  };
}

async function withClient(
  url: string,
  use: (redis: InstanceType<typeof Redis>) => Promise<void>,
): Promise<void> {
  const redis = new Redis(url);
  try {
    await use(redis);
  } finally {
    await close(redis);
  }
}
