// node-redis by Sentinel: a write whose answer is lost is sent once.
import { assertEquals, assertRejects } from "@std/assert";
import { KvOutcomeUnknownError } from "../../kv/errors.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { startRedis } from "../../servers/mod.ts";
import { freePort } from "../../servers/port.ts";
import { commandOf, findPrograms } from "../../servers/programs.ts";
import { FaultProxy } from "../../testing/fault_proxy.ts";
import { testOn, withoutServers } from "./clients.ts";
import { succeed } from "./faults.ts";
import { opened, versions } from "./node_redis.ts";

for (const [version, redis] of Object.entries(versions)) {
  testOn(
    withoutServers,
    `a write by Sentinel whose answer is lost is sent once (${version})`,
    async () => {
      await using server = await startRedis();
      await using proxy = await FaultProxy.start(server.port);
      await using sentinel = await startSentinel(server);
      await using connection = await succeed(() =>
        opened(redis.createSentinel(
          {
            name: "main",
            sentinelRootNodes: [{ host: "127.0.0.1", port: sentinel.port }],
            nodeClientOptions: { password: server.password },
            nodeAddressMap: {
              [`127.0.0.1:${server.port}`]: {
                host: "127.0.0.1",
                port: proxy.port,
              },
            },
          },
        ))
      );
      const kv = new RedisKvStore(connection.client);
      for (const release of [undefined, "free"]) {
        await kv.set(["lock"], "mine");
        proxy.next = "answer";
        await assertRejects(
          () => kv.set(["lock"], release),
          KvOutcomeUnknownError,
        );
        await kv.set(["lock"], "another's");
        assertEquals(await kv.get(["lock"]), "another's");
      }
      await kv.set(["n"], 0);
      // From now on, the server knows the script.
      assertEquals(await kv.cas(["n"], 0, 1), true);
      proxy.next = "answer";
      await assertRejects(() => kv.cas(["n"], 1, 2), KvOutcomeUnknownError);
      assertEquals(await kv.cas(["n"], 1, 2), false);
      // Reads are sent again.
      proxy.next = "answer";
      assertEquals(await kv.get(["n"]), 2);
      assertEquals((await Array.fromAsync(kv.list())).length, 2);
    },
  );
}

/** Starts a Sentinel that knows one master. */
async function startSentinel(
  master: { port: number; password: string },
): Promise<AsyncDisposable & { port: number }> {
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "kv-sentinel-" });
  const file = `${folder}/sentinel.conf`;
  await Deno.writeTextFile(
    file,
    [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      `sentinel auth-pass main ${master.password}`,
      "sentinel down-after-milliseconds main 60000",
    ].join("\n"),
  );
  const [program, ...args] = commandOf(
    await findPrograms("redis"),
    "redis-server",
  );
  const process = new Deno.Command(program!, {
    args: [...args, file, "--sentinel"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
