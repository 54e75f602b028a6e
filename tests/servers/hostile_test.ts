/** Other local users cannot use the test servers, or change what they run. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import postgres from "postgres";
import {
  type Server,
  startPostgres,
  startRedis,
  startRedisCluster,
  unstartable,
} from "../../servers/mod.ts";
import { asUser, postgresUser } from "../../servers/user.ts";

const FOLDER = import.meta.resolve("../../servers/folder.ts");
const withoutRedis = await unstartable("redis");
const withoutPostgres = await unstartable("postgres");
const isRoot = Deno.uid() === 0;

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

async function folderOf(server: Server): Promise<string> {
  return (await dataFolder(server)).replace(/\/data$/, "");
}

async function dataFolder(server: Server): Promise<string> {
  if (server.url.startsWith("redis:")) {
    const redis = new Redis(server.url);
    const [, folder] = await redis.config("GET", "dir") as [string, string];
    redis.disconnect();
    return folder;
  }
  const sql = postgres(server.url, { max: 1 });
  const [row] = await sql`SHOW data_directory`;
  await sql.end();
  return row!["data_directory"];
}

/** The arguments of all processes, which every local user can read. */
async function allArguments(): Promise<string> {
  let all = "";
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    all += await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => ""); // It has ended in the meantime.
  }
  return all;
}

/** Polls the arguments of all processes while `action` runs. */
async function argumentsDuring<T>(
  action: Promise<T>,
): Promise<{ value: T; seen: string }> {
  let seen = "";
  let isDone = false;
  const done = action.finally(() => isDone = true);
  while (!isDone) {
    seen += await allArguments();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { value: await done, seen };
}

testOn(
  withoutRedis,
  "a Redis rejects clients without its password",
  async () => {
    await using server = await startRedis();
    for (const password of [undefined, "guess"]) {
      const redis = new Redis(server.port, {
        ...(password === undefined ? {} : { password }),
        retryStrategy: () => null,
      });
      redis.on("error", () => {});
      const error = await assertRejects(() => redis.ping(), Error);
      assertMatch(
        `${error.name} ${error.message}`,
        /NOAUTH|WRONGPASS|Connection is closed/,
      );
      redis.disconnect();
    }
  },
);

testOn(
  withoutRedis,
  "every node of a Redis Cluster rejects clients without the password",
  async () => {
    await using cluster = await startRedisCluster();
    for (const { port } of cluster.nodes) {
      const redis = new Redis(port, { retryStrategy: () => null });
      redis.on("error", () => {});
      await assertRejects(() => redis.ping(), Error, "NOAUTH");
      redis.disconnect();
    }
  },
);

testOn(
  withoutPostgres,
  "a PostgreSQL rejects clients without its password",
  async () => {
    await using server = await startPostgres();
    for (const password of [undefined, "", "postgres", "guess"]) {
      const sql = postgres({
        host: server.host,
        port: server.port,
        user: "postgres",
        database: "postgres",
        max: 1,
        ...(password === undefined ? {} : { password }),
      });
      await assertRejects(() => sql`SELECT 1`.execute(), Error, "password");
      await sql.end();
    }
  },
);

testOn(
  withoutRedis ?? withoutPostgres,
  "no process shows the password of a server in its arguments",
  async () => {
    for (const start of [startRedis, startPostgres]) {
      const { value: server, seen } = await argumentsDuring<Server>(start());
      await using _ = server;
      assertMatch(server.password, /^[0-9a-f]{48}$/);
      assertEquals(
        (seen + await allArguments()).includes(server.password),
        false,
      );
    }
  },
);

testOn(
  withoutRedis ?? withoutPostgres,
  "other users can enter neither the data nor the control folder of a server",
  async () => {
    for (const start of [startRedis, startPostgres]) {
      await using server = await start();
      const folder = await folderOf(server);
      assertEquals((await Deno.stat(folder)).uid, Deno.uid());
      for (const name of ["data", "control"]) {
        const { mode } = await Deno.stat(`${folder}/${name}`);
        assertEquals(mode! & 0o777, 0o700, name);
      }
      assertEquals((await Deno.stat(folder)).mode! & 0o022, 0);
    }
  },
);

testOn(
  withoutPostgres ??
    (isRoot ? undefined : "only root runs PostgreSQL as another user"),
  "a link that the user of a PostgreSQL plants is not followed",
  async () => {
    const outside = await Deno.makeTempDir();
    try {
      const server = await startPostgres();
      await using _ = server;
      const folder = await folderOf(server);
      const [program, ...args] = asUser(await postgresUser(), [
        "sh",
        "-c",
        'for name in exited log alive; do for in in "$1" "$1/data" "$1/control"; do ' +
        'rm -f "$in/$name"; ln -s "$2" "$in/$name"; done; done; true',
        "sh",
        folder,
        `${outside}/target`,
      ]);
      await new Deno.Command(program, { args, stderr: "null" }).output();
      await server.kill();
      await server.restart();
      await server.stop();
      assertEquals(await Array.fromAsync(Deno.readDir(outside)), []);
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  },
);

/** Runs cacheFolder() in a process that has no other variables. */
async function cacheFolderWith(
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string }> {
  // Deno's own cache would be in the home.
  const cache = await Deno.makeTempDir();
  try {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--no-lock",
        `import { cacheFolder } from "${FOLDER}"; console.log(await cacheFolder());`,
      ],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH")!,
        DENO_DIR: cache,
        NO_COLOR: "1",
        ...env,
      },
    }).output();
    return {
      stdout: new TextDecoder().decode(stdout),
      stderr: new TextDecoder().decode(stderr),
    };
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

Deno.test("programs are not kept in /tmp where HOME is not set", async () => {
  const { stdout, stderr } = await cacheFolderWith({});
  // A user without a home on record gets an error.
  assertMatch(
    stdout + stderr,
    /^(?!\/tmp)\/.*\/org-kv\n|Cannot choose a cache folder/,
  );
});

Deno.test("a cache folder that someone else has planted is not used", async () => {
  const base = await Deno.makeTempDir();
  const elsewhere = await Deno.makeTempDir();
  try {
    await Deno.symlink(elsewhere, `${base}/org-kv`);
    const linked = await cacheFolderWith({ XDG_CACHE_HOME: base });
    assertEquals(linked.stdout, "");
    assertMatch(linked.stderr, /Cannot use the cache folder .*\/org-kv/);

    await Deno.remove(`${base}/org-kv`);
    await Deno.mkdir(`${base}/org-kv`);
    if (!isRoot) return;
    await Deno.chown(`${base}/org-kv`, 65_534, 65_534);
    const foreign = await cacheFolderWith({ XDG_CACHE_HOME: base });
    assertEquals(foreign.stdout, "");
    assertMatch(foreign.stderr, /it is not a folder of user 0/);
  } finally {
    await Deno.remove(base, { recursive: true });
    await Deno.remove(elsewhere, { recursive: true });
  }
});
