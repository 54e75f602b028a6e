/** Opening stores by URL. */

import { assertEquals, assertRejects } from "@std/assert";
import { turn } from "../../kv/core/turn.ts";
import { openKv } from "../../open/mod.ts";
import { KvError } from "../../kv/errors.ts";
import { FaultProxy } from "../../testing/fault_proxy.ts";
import { sharedUrl, startRedis, unavailable } from "../../servers/mod.ts";

for (const kind of ["postgres", "redis", "mariadb"] as const) {
  const reason = await unavailable(kind);
  const url = reason === undefined ? await sharedUrl(kind) : "";
  Deno.test({
    name: `openKv() opens and closes ${kind}`,
    ignore: reason !== undefined,
    async fn() {
      await using kv = await openKv(url);
      const key = ["open", crypto.randomUUID()] as const;
      await kv.set(key, { n: 1 }, { ttl: 60_000 });
      assertEquals(await kv.get(key), { n: 1 });
      assertEquals(kv.traits.driver, kind === "mariadb" ? "mysql" : kind);
      await kv.delete(key);
    },
  });
}

for (const kind of ["postgres", "mariadb"] as const) {
  const reason = await unavailable(kind);
  const url = new URL(reason === undefined ? await sharedUrl(kind) : "a:b");
  // A connection that is left open fails the test.
  Deno.test({
    name: `a store on ${kind} is disposed of while its server is silent`,
    ignore: reason !== undefined,
    async fn() {
      await using proxy = await FaultProxy.start(Number(url.port));
      const proxied = new URL(url);
      proxied.port = String(proxy.port);
      const kv = await openKv(proxied, { timeout: 1_000 });
      const key = ["open", crypto.randomUUID()] as const;
      await kv.set(key, 1, { ttl: 60_000 });
      proxy.silence();
      await assertRejects(() => kv.get(key), KvError, "silent for 1000 ms");
      await kv[Symbol.asyncDispose]();
      // The call that was rejected meets the end of its connection, and then
      // waits for a turn of the event loop.
      for (let turns = 0; turns < 3; turns++) await turn();
    },
  });
}

for (const url of ["memory:", "sqlite::memory:", "deno::memory:", "pglite:"]) {
  Deno.test({
    name: `openKv() opens and closes ${url}`,
    // PGlite's worker keeps timers.
    sanitizeOps: !url.startsWith("pglite"),
    sanitizeResources: !url.startsWith("pglite"),
    async fn() {
      await using kv = await openKv(url);
      await kv.set(["a"], 1n);
      assertEquals(await kv.get(["a"]), 1n);
      assertEquals(await kv.count(), 1);
    },
  });
}

Deno.test("openKv() rejects unknown URLs and options", async () => {
  await assertRejects(
    () => openKv("mongodb://user:secret@host/db"),
    TypeError,
    'received the scheme "mongodb"',
  );
  await assertRejects(() => openKv("memory"), TypeError, "the URL must be");
  await assertRejects(
    () => openKv("sqlite::memory:", { tabelName: "x" }),
    TypeError,
    'unknown option "tabelName"',
  );
  await assertRejects(
    () => openKv("sqlite::memory:", { synchronous: "maybe" }),
    TypeError,
    "synchronous must be",
  );
});

Deno.test("a client that is not installed is named with the install commands", async () => {
  const { importClient } = await import("../../open/engine.ts");
  const error = await assertRejects(
    () => importClient("no-such-client-of-kv", "^1.0.0"),
    KvError,
    "npm install no-such-client-of-kv@^1.0.0",
  );
  assertEquals(/deno add npm:no-such-client/.test(error.message), true);
});

Deno.test({
  name: "a store on Redis is disposed of while its server is down",
  // ioredis keeps the timers of commands that it never settles.
  sanitizeOps: false,
  sanitizeResources: false,
  ignore: await unavailable("redis") !== undefined,
  async fn() {
    await using server = await startRedis();
    const kv = await openKv(server.url, { timeout: 1_000 });
    await kv.set(["a"], 1);
    await server.kill();
    await assertRejects(() => kv.get(["a"]), KvError);
    await kv[Symbol.asyncDispose]();
  },
});

Deno.test("several processes open one new SQLite file at once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const program = `
      import { openKv } from ${
      JSON.stringify(import.meta.resolve("../../open/mod.ts"))
    };
      await using kv = await openKv("sqlite:${folder}/kv.db");
      await kv.set([Deno.args[0] ?? "a"], 1);`;
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () =>
        new Deno.Command(Deno.execPath(), {
          args: ["eval", "--quiet", "--no-lock", program],
          cwd: import.meta.dirname!,
          stdin: "null",
        }).output()),
    );
    for (const { success, stderr } of outputs) {
      assertEquals(success, true, new TextDecoder().decode(stderr));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("disposing of a store waits for calls that nobody awaited", async () => {
  const folder = await Deno.makeTempDir();
  try {
    let write: Promise<void>;
    {
      await using kv = await openKv(`sqlite:${folder}/kv.db`);
      write = kv.set(["a"], 1);
    }
    await write;
    await using kv = await openKv(`sqlite:${folder}/kv.db`);
    assertEquals(await kv.get(["a"]), 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openKv() rejects options that memory does not know, and a missing path", async () => {
  await assertRejects(() => openKv("memory:", { x: 1 }), TypeError, '"x"');
  await assertRejects(() => openKv("sqlite:"), TypeError, "must have a path");
});
