// The test servers start, restart and end with their starter.
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { Cluster, Redis } from "ioredis";
import postgres from "postgres";
import {
  startPostgres,
  startRedis,
  startRedisCluster,
  unstartable,
} from "../../servers/mod.ts";
import { isFree } from "../../servers/port.ts";

const SERVERS = import.meta.resolve("../../servers/mod.ts");
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

const withoutRedis = await unstartable("redis");
const withoutPostgres = await unstartable("postgres");

function testOn(
  reason: string | undefined,
  name: string,
  fn: () => Promise<void>,
): void {
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined,
    fn,
  });
}

async function whileConnected<T>(
  url: string,
  action: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis(url);
  try {
    return await action(redis);
  } finally {
    redis.disconnect();
  }
}

async function folderOf(url: string): Promise<string> {
  return await whileConnected(url, async (redis) => {
    const [, folder] = await redis.config("GET", "dir") as [string, string];
    return folder;
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await Array.fromAsync(Deno.readDir(folder))).length === 0;
}

/** The commands of the processes that name the folder. */
async function processesOf(folder: string): Promise<string[]> {
  const commands: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => ""); // It has ended in the meantime.
    if (command.includes(folder)) commands.push(command);
  }
  return commands;
}

async function eventually(
  condition: () => Promise<boolean>,
  message: string,
): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!await condition()) {
    assert(Date.now() < deadline, message);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function assertGone(port: number, folder: string): Promise<void> {
  await eventually(
    async () =>
      isFree(port) && !await exists(folder) &&
      (await processesOf(folder)).length === 0,
    `port ${port}, ${folder} or one of its processes is still there`,
  );
}

/** A Deno process that runs `code` with everything of `servers.ts` in scope. */
function spawn(
  code: string,
  env: Record<string, string> = {},
): Deno.ChildProcess {
  const names = "sharedUrl, startPostgres, startRedis, unavailable";
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", `import { ${names} } from "${SERVERS}";\n${code}`],
    env: {
      CI: "",
      KV_TEST_REDIS_URL: "",
      KV_TEST_POSTGRES_URL: "",
      NO_COLOR: "1",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What keeps every acknowledged write, also while the disk is slow. */
const safe = { appendfsync: "always" };

testOn(withoutRedis, "startRedis() keeps its data when killed", async () => {
  const server = await startRedis({ settings: safe });
  await using _ = server;
  await whileConnected(server.url, (redis) => redis.set("a", "b"));
  await server.kill();
  assert(isFree(server.port));
  await server.restart();
  assertEquals(
    await whileConnected(server.url, (redis) => redis.get("a")),
    "b",
  );
});

testOn(withoutRedis, "stop() leaves nothing of a Redis behind", async () => {
  const server = await startRedis();
  const folder = await folderOf(server.url);
  assert((await processesOf(folder)).length > 0);
  await server.stop();
  await server.stop();
  await assertGone(server.port, folder);
  await assertRejects(
    () => server.restart(),
    TypeError,
    "Cannot restart Redis: it is stopped",
  );
});

testOn(withoutRedis, "startRedis() passes settings on", async () => {
  await using server = await startRedis({ settings: { appendonly: "no" } });
  const setting = await whileConnected(
    server.url,
    (redis) => redis.config("GET", "appendonly"),
  );
  assertEquals(setting, ["appendonly", "no"]);
});

testOn(withoutRedis, "startRedis() says why it cannot start", async () => {
  await assertRejects(
    () => startRedis({ settings: { "no-such-setting": 1 } }),
    Error,
    "no-such-setting",
  );
});

testOn(
  withoutRedis,
  "startRedisCluster() shares the slots and keeps its data when killed",
  async () => {
    const server = await startRedisCluster({ settings: safe });
    await using _ = server;
    const folders = await Promise.all(
      server.nodes.map((it) => folderOf(it.url)),
    );
    const keys = Array.from({ length: 30 }, (_, index) => `key${index}`);
    const urls = server.nodes.map((node) => node.url);

    const before = new Cluster(urls);
    for (const key of keys) await before.set(key, `value of ${key}`);
    const sizes = await Promise.all(
      before.nodes("master").map((node) => node.dbsize()),
    );
    before.disconnect();
    assertEquals(sizes.length, 3);
    assert(sizes.every((size) => size > 0), `sizes: ${sizes}`);

    await server.kill();
    await server.restart();
    const after = new Cluster(urls);
    for (const key of keys) {
      assertEquals(await after.get(key), `value of ${key}`);
    }
    after.disconnect();

    await server.stop();
    for (const [index, folder] of folders.entries()) {
      await assertGone(server.nodes[index]!.port, folder);
    }
  },
);

testOn(
  withoutPostgres,
  "startPostgres() keeps its data when killed and leaves nothing behind",
  async () => {
    const server = await startPostgres({ settings: { max_connections: 12 } });
    await using _ = server;
    const before = postgres(server.url, { max: 1, fetch_types: false });
    const [shown] = await before`
      SELECT current_setting('data_directory') AS folder,
        current_setting('max_connections') AS connections,
        'a' < 'B' AS english`;
    assertEquals(shown!["connections"], "12");
    assertEquals(shown!["english"], true);
    await before`CREATE TABLE kept (a text)`;
    await before`INSERT INTO kept VALUES ('b')`;
    await before.end();

    await server.kill();
    assert(isFree(server.port));
    await server.restart();
    const after = postgres(server.url, { max: 1, fetch_types: false });
    assertEquals([...await after`SELECT a FROM kept`], [{ a: "b" }]);
    await after.end();

    await server.kill();
    await server.stop();
    await assertGone(server.port, shown!["folder"].replace(/\/data$/, ""));
  },
);

const ENDS = {
  "SIGKILL": "SIGKILL",
  "SIGTERM": "SIGTERM",
  "SIGINT": "SIGINT",
  "an error": "SIGUSR1",
} as const;

for (const [end, signal] of Object.entries(ENDS)) {
  testOn(
    withoutRedis ?? withoutPostgres,
    `servers end with a process that ends by ${end}`,
    async () => {
      const child = spawn(`
        Deno.addSignalListener("SIGUSR1", () => { throw new Error(); });
        const [redis, postgres] = await Promise.all([
          startRedis(),
          startPostgres(),
        ]);
        console.log(redis.url + " " + postgres.url);
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      `);
      const reader = child.stdout.pipeThrough(new TextDecoderStream())
        .getReader();
      try {
        const { value } = await reader.read();
        assert(value !== undefined, "the process did not start its servers");
        const [redisUrl, postgresUrl] = value.trim().split(" ") as [
          string,
          string,
        ];
        const redisFolder = await folderOf(redisUrl);
        const sql = postgres(postgresUrl, { max: 1, fetch_types: false });
        const [row] = await sql`SHOW data_directory`;
        await sql.end();
        const postgresFolder = row!["data_directory"].replace(/\/data$/, "");

        child.kill(signal);
        assertFalse((await child.status).success);
        await assertGone(Number(new URL(redisUrl).port), redisFolder);
        await assertGone(Number(new URL(postgresUrl).port), postgresFolder);
      } finally {
        await reader.cancel();
        await child.stderr.cancel();
        await child.status;
      }
    },
  );
}

testOn(
  withoutRedis ?? withoutPostgres,
  "a process that is killed while its servers start leaves nothing behind",
  async () => {
    const temporary = await Deno.makeTempDir();
    await Deno.chmod(temporary, 0o755);
    try {
      for (const delay of [200, 300, 400, 700]) {
        const child = spawn(
          `await Promise.all([startPostgres(), startRedis(), startRedis()]);
           await new Promise((resolve) => setTimeout(resolve, 60_000));`,
          { TMPDIR: temporary },
        );
        await new Promise((resolve) => setTimeout(resolve, delay));
        child.kill("SIGKILL");
        await child.output();
        await eventually(
          async () =>
            await isEmpty(temporary) &&
            (await processesOf(temporary)).length === 0,
          `${temporary} is still in use when killed after ${delay} ms`,
        );
      }
    } finally {
      await Deno.remove(temporary, { recursive: true });
    }
  },
);

testOn(
  withoutRedis,
  "sharedUrl() is one server for the files of a test run, up to its end",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      for (const name of ["a", "b"]) {
        await Deno.writeTextFile(
          `${folder}/${name}_test.ts`,
          `import { sharedUrl } from "${SERVERS}";
           const url = await sharedUrl("redis");
           Deno.test("${name}", async () => {
             await new Promise((resolve) => setTimeout(resolve, "${name}" === "a" ? 1 : 500));
             const { hostname, port } = new URL(url);
             using _ = await Deno.connect({ hostname, port: Number(port) });
             await Deno.writeTextFile("${folder}/${name}", url);
           });`,
        );
      }
      const temporary = `${folder}/temporary`;
      await Deno.mkdir(temporary);
      for (const flags of [[], ["--parallel"]]) {
        const { success, stdout } = await new Deno.Command(Deno.execPath(), {
          args: [
            "test",
            "-A",
            "--no-check",
            "--no-lock",
            `--config=${CONFIG}`,
            ...flags,
            folder,
          ],
          env: {
            CI: "",
            KV_TEST_REDIS_URL: "",
            NO_COLOR: "1",
            TMPDIR: temporary,
          },
          stderr: "null",
        }).output();
        assert(success, new TextDecoder().decode(stdout));
        const url = await Deno.readTextFile(`${folder}/a`);
        assertEquals(await Deno.readTextFile(`${folder}/b`), url);
        const port = Number(new URL(url).port);
        await eventually(
          async () =>
            isFree(port) && await isEmpty(temporary) &&
            (await processesOf(temporary)).length === 0,
          `${url} or its folder is still there`,
        );
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("sharedUrl() is the URL that the environment gives", async () => {
  const { stdout } = await spawn(
    `console.log(await unavailable("redis"), await sharedUrl("redis"));`,
    { KV_TEST_REDIS_URL: "redis://example.com:1", PATH: "/nowhere" },
  ).output();
  assertEquals(
    new TextDecoder().decode(stdout),
    "undefined redis://example.com:1\n",
  );
});

Deno.test("unavailable() gives the reason", async () => {
  const { stdout } = await spawn(
    `console.log(await unavailable("redis"));`,
    { PATH: "/nowhere" },
  ).output();
  assertEquals(
    new TextDecoder().decode(stdout),
    "no redis-server found, and no apt-get to download it\n",
  );
});

Deno.test("unavailable() is an error where CI is true", async () => {
  const { success, stderr } = await spawn(
    `console.log(await unavailable("redis"));`,
    { CI: "true", PATH: "/nowhere" },
  ).output();
  assertFalse(success);
  assertMatch(
    new TextDecoder().decode(stderr),
    /no redis-server found, and no apt-get to download it/,
  );
});
