// Each store runs with exactly the permissions that docs/operations.md lists.
import { assert, assertFalse } from "@std/assert";
import { type ServerKind, sharedUrl, unavailable } from "../../servers/mod.ts";

const ROOT = new URL("../../", import.meta.url);

/** The imports of the project, without its settings such as unstable features. */
async function writeConfig(folder: string): Promise<string> {
  const { imports, exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  ) as Record<"imports" | "exports", Record<string, string>>;
  for (const [name, path] of Object.entries(exports)) {
    imports[name.replace(".", "@org/kv")] = new URL(path, ROOT).href;
  }
  const config = `${folder}/deno.json`;
  await Deno.writeTextFile(config, JSON.stringify({ imports }));
  return config;
}

/** Makes a store, and ends with `kv` in scope, and `end()` to close what it uses. */
const OPEN: Record<string, (target: string) => string> = {
  MemoryKvStore: () => `
    import { MemoryKvStore } from "@org/kv/memory";
    const kv = new MemoryKvStore();
    const end = () => {};`,
  SqliteKvStore: (folder) => `
    import { SqliteKvStore } from "@org/kv/sqlite";
    import { DatabaseSync } from "node:sqlite";
    const db = new DatabaseSync("${folder}/kv.sqlite");
    db.exec("PRAGMA journal_mode = WAL");
    const kv = new SqliteKvStore(db);
    const end = () => db.close();`,
  DenoKvStore: (folder) => `
    import { DenoKvStore } from "@org/kv/deno";
    const db = await Deno.openKv("${folder}/kv.denokv");
    const kv = new DenoKvStore(db);
    const end = () => db.close();`,
  RedisKvStore: (url) => `
    import { RedisKvStore } from "@org/kv/redis";
    import { Redis } from "ioredis";
    const redis = new Redis("${url}", { retryStrategy: () => null });
    redis.on("error", () => {});
    const kv = new RedisKvStore(redis, { keyPrefix: "permissions:" });
    const end = () => redis.disconnect();`,
  PostgresKvStore: (url) => `
    import { PostgresKvStore } from "@org/kv/postgres";
    import postgres from "postgres";
    const sql = postgres("${url}", { fetch_types: false, onnotice() {} });
    const kv = new PostgresKvStore(sql, { tableName: "permissions" });
    const end = () => sql.end({ timeout: 5 });`,
  MysqlKvStore: (url) => `
    import { MysqlKvStore } from "@org/kv/mysql";
    import { createPool } from "mysql2";
    const pool = createPool("${url}");
    const kv = new MysqlKvStore(pool, { tableName: "permissions" });
    const end = () => pool.promise().end();`,
};

const USE = `
  try {
    await kv.set(["a"], { n: 1 }, { ttl: 60_000 });
    if (!await kv.cas(["a"], { n: 1 }, { n: 2 })) throw new Error("not equal");
    for await (const { value } of kv.list()) if (value.n !== 2) throw value;
    await kv.delete(["a"]);
  } finally {
    await end();
  }`;

/** The flags in the table of a store, as it is written there. */
async function documentedFlags(store: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("docs/operations.md", ROOT));
  const rows = text.slice(text.indexOf("<!-- tests/docs/permissions")).split(
    "\n",
  );
  const row = rows.find((line) => line.startsWith(`| \`${store}\``));
  assert(row !== undefined, `${store} is not in the table`);
  const [flags] = row.split("|")[2]!.split(";");
  return flags!.match(/--[^\s`]+/g) ?? [];
}

async function run(config: string, program: string, flags: readonly string[]) {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--no-lock"]
      .concat(`--config=${config}`, flags, program),
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  return { success, message: new TextDecoder().decode(stderr) };
}

for (const [store, open] of Object.entries(OPEN)) {
  const kinds: Record<string, ServerKind> = {
    RedisKvStore: "redis",
    PostgresKvStore: "postgres",
    MysqlKvStore: "mariadb",
  };
  const kind = kinds[store];
  const reason = kind && await unavailable(kind);
  const url = kind && reason === undefined ? await sharedUrl(kind) : undefined;
  Deno.test({
    name: `${store} needs the documented permissions and no others` +
      (reason === undefined ? "" : ` (${reason})`),
    ignore: reason !== undefined,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const host = url === undefined ? "" : new URL(url).host;
        const flags = (await documentedFlags(store)).map((flag) =>
          flag.replace("<folder>", folder).replace("<host>:<port>", host)
        );
        const config = await writeConfig(folder);
        const program = `${folder}/program.ts`;
        await Deno.writeTextFile(program, `${open(url ?? folder)}\n${USE}`);
        const whole = await run(config, program, flags);
        assert(whole.success, whole.message);
        for (const flag of flags) {
          const rest = flags.filter((it) => it !== flag);
          const part = await run(config, program, rest);
          assertFalse(part.success, `${store} does not need ${flag}`);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
