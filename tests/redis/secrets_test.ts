// Errors reveal neither values nor passwords.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedis, startRedisCluster } from "../../servers/mod.ts";
import { FaultProxy } from "../../testing/fault_proxy.ts";
import {
  type Client,
  close,
  testOn,
  versions,
  withoutServers,
} from "./clients.ts";

const SECRET = "hunter2";

/** Every kind of call, each with a secret value. */
function callsOf(kv: RedisKvStore): (() => Promise<unknown>)[] {
  const many = ["a", "b", "c"] as const;
  return [
    () => kv.get(["a"]),
    () => Promise.all(many.map((part) => kv.get([part]))),
    () => kv.set(["a"], SECRET),
    () => kv.set(["a"], SECRET, { ttl: 60_000 }),
    () => Promise.all(many.map((part) => kv.set([part], SECRET))),
    () => kv.cas(["a"], undefined, SECRET),
    () => kv.cas(["a"], SECRET, SECRET + SECRET),
    () => kv.delete(["a"]),
    () => Array.fromAsync(kv.list()),
  ];
}

/** Makes every call, and checks the errors of those that fail. */
async function assertSecret(kv: RedisKvStore): Promise<KvError[]> {
  const errors: KvError[] = [];
  for (const call of callsOf(kv)) {
    const error = await call().then(() => undefined, (error) => error);
    if (error === undefined) continue;
    assertInstanceOf(error, KvError);
    const shown = Deno.inspect(error, { depth: 50, showHidden: true }) +
      String(error.stack) + JSON.stringify(error) +
      String((error.cause as Error | undefined)?.stack);
    assert(!shown.includes(SECRET), shown);
    // A reply may be shown as bytes.
    assert(!shown.includes("68, 75, 6e") && !shown.includes("68 75 6e"), shown);
    errors.push(error);
  }
  return errors;
}

for (const [version, { Redis, Cluster }] of Object.entries(versions)) {
  testOn(
    withoutServers,
    `the error of a rejected command names it, and no value (${version})`,
    async () => {
      await using server = await startRedis({
        settings: { "min-replicas-to-write": 1 },
      });
      await withClient(new Redis(server.url), async (client) => {
        const errors = await assertSecret(new RedisKvStore(client));
        assertEquals(errors.length, 5);
        for (const error of errors) {
          assertStringIncludes(error.message, "NOREPLICAS");
          const cause = error.cause as Error & { command: { name: string } };
          assertEquals(cause.name, "ReplyError");
          assert(["set", "mset", "del", "evalsha", "eval"]
            .includes(cause.command.name));
          assertStringIncludes(cause.stack!, "    at ");
        }
      });
    },
  );

  testOn(
    withoutServers,
    `the error of an unknown command quotes no value (${version})`,
    async () => {
      await using server = await startRedis();
      const client = new Redis(server.url);
      await withClient(client, async () => {
        const kv = new RedisKvStore(client);
        await client.get("connected");
        // As if the server had renamed all commands.
        const { sendCommand } = client;
        client.sendCommand = function (command, ...rest) {
          command.name = `renamed-${command.name}`;
          return sendCommand.call(this, command, ...rest);
        };
        const errors = await assertSecret(kv);
        assertEquals(errors.length, callsOf(kv).length);
        for (const error of errors) {
          assertStringIncludes(error.message, "unknown command");
          assert(!error.message.includes("with args"), error.message);
        }
      });
    },
  );

  testOn(
    withoutServers,
    `the error of a broken connection shows no value (${version})`,
    async () => {
      await using server = await startRedis();
      await using proxy = await FaultProxy.start(server.port);
      const client = new Redis(server.urlAt(proxy.port), {
        retryStrategy: () => 1,
      });
      await withClient(client, async () => {
        const kv = new RedisKvStore(client);
        await kv.set(["connected"], true);
        proxy.next = "answer";
        const writes = [
          kv.set(["a"], SECRET),
          kv.set(["b"], SECRET),
          kv.cas(["c"], SECRET, SECRET),
        ];
        for (const result of await Promise.allSettled(writes)) {
          assertEquals(result.status, "rejected");
          const { reason } = result as PromiseRejectedResult;
          assertInstanceOf(reason, KvOutcomeUnknownError);
          assert(!Deno.inspect(reason, { depth: 50 }).includes(SECRET));
          assertStringIncludes(reason.message, "may have been applied");
          assertStringIncludes(reason.message, "the connection broke");
        }
        assertEquals(await kv.get(["connected"]), true);
      });
    },
  );

  for (const isCluster of [false, true]) {
    const where = isCluster ? " of a Cluster" : "";
    testOn(
      withoutServers,
      `the error of a wrong password${where} does not show it (${version})`,
      async () => {
        await using servers = isCluster
          ? await startRedisCluster()
          : await startRedis();
        const { hostname: host, port } = new URL(
          servers.url.split(",")[0]!,
        );
        const options = { host, port: Number(port), password: SECRET };
        const client = isCluster
          ? new Cluster([options], {
            redisOptions: { password: SECRET },
            clusterRetryStrategy: () => null,
          })
          : new Redis({ ...options, retryStrategy: () => null });
        await withClient(client, async () => {
          const kv = new RedisKvStore(client);
          const errors = await assertSecret(kv);
          assertEquals(errors.length, callsOf(kv).length);
        });
      },
    );
  }

  testOn(
    withoutServers,
    `the error of a reply that is not Redis shows none of it (${version})`,
    async () => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const serving = serveNonsense(listener);
      const client = new Redis(listener.addr.port, {
        retryStrategy: () => null,
        enableReadyCheck: false,
        disableClientInfo: true,
      });
      await withClient(client, async () => {
        const kv = new RedisKvStore(client);
        const errors = await assertSecret(kv);
        assertEquals(errors.length, callsOf(kv).length);
      });
      listener.close();
      await serving;
    },
  );

  testOn(
    withoutServers,
    `the error of a damaged value does not quote it (${version})`,
    async () => {
      await using server = await startRedis();
      await withClient(new Redis(server.url), async (client) => {
        for (const text of [SECRET, `{"a":"${SECRET}`, `\xff${SECRET}`]) {
          await client.set("kv!a", text);
          const errors = await assertSecret(new RedisKvStore(client));
          assert(errors.length > 0);
        }
      });
    },
  );
}

/** Answers everything by what no Redis sends. */
async function serveNonsense(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of listener) {
    try {
      await connection.read(new Uint8Array(1024));
      await connection.write(new TextEncoder().encode(`${SECRET}\r\n`));
      while (await connection.read(new Uint8Array(1024)) !== null);
    } catch {
      // The client has closed it.
    }
    connection.close();
  }
}

async function withClient(
  client: Client,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  client.on("error", () => {});
  try {
    await use(client);
  } finally {
    await close(client);
  }
}
