// Migrates every layout of Fedify's stores, killed and resumed: deno task prove:migrate
import { assertEquals } from "@std/assert";
import { parseArgs } from "node:util";
import { openKv } from "../../open/mod.ts";
import {
  startMariadb,
  startPostgres,
  startRedis,
  startRedisCluster,
} from "../../servers/mod.ts";
import { assertHas } from "../../tests/migrate/entries.ts";
import type { Order } from "./child.ts";
import { type Layout, layouts } from "./layouts.ts";
import { federate, postgresOf, redisOf } from "./federation.ts";
import { proveWorkers } from "./workers.ts";

const USAGE = `deno task prove:migrate [options]

  --entries N   how many entries each layout has (10000)
  --kills N     how many times each migration is killed with -9 (10)
  --layout N    the number of one layout, from 1 on, "workers" or "federation"
  --all         into every store, not only into one for each layout`;

const { values } = parseArgs({
  options: {
    entries: { type: "string", default: "10000" },
    kills: { type: "string", default: "10" },
    layout: { type: "string" },
    all: { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log(USAGE);
  Deno.exit();
}
const [count, kills] = [Number(values.entries), Number(values.kills)];

interface Target {
  readonly name: string;
  readonly url: string;
  readonly options: Record<string, string>;
}

const folder = await Deno.makeTempDir();
try {
  await using redis = await startRedis();
  await using cluster = await startRedisCluster();
  await using postgres = await startPostgres();
  await using mariadb = await startMariadb();
  const hosts = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
  const targets = (number: number): Target[] => {
    const tableName = `kv_${number}`;
    const keyPrefix = `target${number}`;
    const file = `${folder}/target${number}`;
    return [
      { name: "PostgreSQL", url: postgres.url, options: { tableName } },
      { name: "Redis", url: redis.url, options: { keyPrefix } },
      { name: "SQLite", url: `sqlite:${file}.db`, options: {} },
      {
        name: "Redis Cluster",
        url: `redis+cluster://:${cluster.password}@${hosts.join()}`,
        options: { keyPrefix },
      },
      { name: "MariaDB", url: mariadb.url, options: { tableName } },
      { name: "Deno KV", url: `deno:${file}.kv`, options: {} },
    ];
  };
  const all = layouts({
    folder,
    redis: redis.url,
    cluster: cluster.nodes.map(({ url }) => url).join(),
    postgres: postgres.url,
    mysql: mariadb.url,
  }, count);
  for (const [i, layout] of all.entries()) {
    if (values.layout !== undefined && i !== Number(values.layout) - 1) {
      continue;
    }
    const expected = await layout.fill();
    const before = await layout.dump();
    const some = targets(i);
    for (const target of values.all ? some : [some[i % some.length]!]) {
      await prove(i + 1, layout, target, expected, before);
    }
  }
  if (values.layout === undefined || values.layout === "federation") {
    for (const [i, { name }] of targets(0).entries()) {
      const sources = {
        Redis: redisOf(redis.url, `r${i}`),
        PostgreSQL: postgresOf(postgres.url, `p${i}`),
      };
      for (const [j, [source, open]] of Object.entries(sources).entries()) {
        const number = 100 + 10 * i + 2 * j;
        await federate(
          open,
          (server) => targets(number + (server === "alice" ? 0 : 1))[i]!,
        );
        console.log(`two servers moved from ${source} → ${name} and went on`);
      }
    }
  }
  if (values.layout === undefined || values.layout === "workers") {
    await proveWorkers(count, kills);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function prove(
  number: number,
  layout: Layout,
  target: Target,
  expected: Awaited<ReturnType<Layout["fill"]>>,
  before: string,
): Promise<void> {
  const { place } = layout;
  const order: Order = { place, target: target.url, options: target.options };
  let after: string | undefined;
  const seen: number[] = [];
  for (let i = 1; i <= kills; i++) {
    // With a cursor, and without one, from the start.
    const isContinued = i % 2 === 0 && after !== undefined;
    const entries = Math.floor(
      expected.size / (kills + 1) * (isContinued ? 1 : i),
    );
    const child = await run({
      ...order,
      ...isContinued ? { after: after! } : {},
      stop: [entries, Math.random() * 20],
    });
    assertEquals(child.signal, "SIGKILL");
    after = child.cursor ?? after;
    seen.push(await countOf(target));
  }
  const { summary } = await run(order);
  assertEquals(summary!.different, []);
  assertEquals(summary!.read, expected.size);
  await using kv = await openKv(target.url, target.options);
  await assertHas(kv, expected, layout.keepsExpiry ? 1 : 0);
  assertEquals(await layout.dump(), before, "the source has changed");
  console.log(
    `${number}. ${layout.name} → ${target.name}: ${expected.size} entries, ` +
      `killed at ${seen.join(", ")}; ${summary!.kept} kept, ` +
      `${summary!.written} written by the last run; all equal`,
  );
}

async function countOf({ url, options }: Target): Promise<number> {
  await using kv = await openKv(url, options);
  return await kv.count();
}

interface Outcome {
  readonly signal: Deno.Signal | null;
  readonly cursor: string | undefined;
  readonly summary:
    | { read: number; written: number; kept: number; different: unknown[] }
    | undefined;
}

/** Runs a migration in another process, and kills it where it stops. */
async function run(order: Order): Promise<Outcome> {
  const path = new URL("./child.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--unstable-kv", "--no-check", "--quiet"],
      ...[path, JSON.stringify(order)],
    ],
    stdout: "piped",
  }).spawn();
  let output = "";
  for await (const bytes of child.stdout) {
    output += new TextDecoder().decode(bytes);
    if (output.endsWith("ready\n")) child.kill("SIGKILL");
  }
  const { signal, code } = await child.status;
  if (signal === null) assertEquals(code, 0);
  const lines = output.split("\n");
  const last = (name: string) => {
    const line = lines.findLast((line) => line.startsWith(`${name} `));
    return line === undefined
      ? undefined
      : JSON.parse(line.slice(name.length + 1));
  };
  return { signal, cursor: last("cursor"), summary: last("summary") };
}
