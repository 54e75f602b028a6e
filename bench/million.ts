/**
 * Measures copies of a million entries, and what `stats`, `count`, `keys` and
 * `clear` do to a concurrent writer.
 *
 * ```sh
 * deno task bench:million
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { startMariadb, startPostgres, startRedis } from "../servers/mod.ts";
import { obey, positive } from "./arguments.ts";
import { describeMachine } from "./machine.ts";
import type { PartOrder, PartResult } from "./million/part.ts";

const STORES = ["sqlite", "redis", "postgres", "mysql"];
const USAGE = `Usage: deno task bench:million [option…] [part…]

Parts (all by default): copy, ${STORES.join(", ")}

Options:
  --entries <number>  how many entries (default: 1000000)
  --help              print this`;

const OPERATIONS = ["keys", "count", "stats", "clear"] as const;

interface Plan {
  readonly entries: number;
  readonly parts: readonly string[];
}

function planOf(args: string[]): Plan | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      entries: { type: "string", default: "1000000" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return undefined;
  const all = ["copy", ...STORES];
  for (const part of positionals) {
    if (!all.includes(part)) throw new RangeError(`Unknown part: ${part}`);
  }
  return {
    entries: positive(values.entries),
    parts: positionals.length === 0 ? all : positionals,
  };
}

/** Runs a part in another process, with a writer next to it if one is given. */
async function run(order: PartOrder, writer?: PartOrder): Promise<PartResult> {
  const written = writer && start(writer);
  await written?.ready;
  const own = await start(order).result;
  return { ...own, ...await written?.stop() };
}

function start(order: PartOrder) {
  const path = new URL("./million/part.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--no-check", "--quiet"],
      ...[path, JSON.stringify(order)],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const ready = Promise.withResolvers<void>();
  const result = (async () => {
    let output = "";
    for await (const bytes of child.stdout) {
      output += new TextDecoder().decode(bytes);
      if (output.includes("ready\n")) ready.resolve();
    }
    const line = output.split("\n").find((line) => line.startsWith("result "));
    if (line === undefined) throw new Error(`${order.part} failed`);
    return JSON.parse(line.slice(7)) as PartResult;
  })();
  return {
    ready: ready.promise,
    result,
    async stop() {
      await child.stdin.close();
      return await result;
    },
  };
}

async function copies(
  folder: string,
  entries: number,
  targets: Record<"redis" | "postgres", string>,
): Promise<void> {
  const url = `sqlite:${folder}/source.db`;
  await run({ part: "fill", url, entries });
  const table = new Table({
    style: { head: [], border: [] },
    head: [
      "copy",
      "seconds",
      "ratio",
      "CPU s",
      "ratio",
      "heap MiB",
      "memory MiB",
    ],
  });
  for (const [name, target] of Object.entries(targets)) {
    const raw = await run({ part: "raw", url, target });
    const targetOptions: Record<string, string> = name === "redis"
      ? { keyPrefix: "copy" }
      : { tableName: "copy" };
    const ours = await run({ part: "copy", url, target, targetOptions });
    for (const [who, each] of [["raw", raw], ["migrate()", ours]] as const) {
      table.push([
        `SQLite to ${name}, ${who}`,
        each.seconds.toFixed(1),
        (raw.seconds / each.seconds).toFixed(2),
        each.cpu.toFixed(1),
        (raw.cpu / each.cpu).toFixed(2),
        each.heap.toFixed(0),
        each.memory.toFixed(0),
      ]);
    }
  }
  console.log(table.toString());
}

async function operations(
  name: string,
  url: string,
  entries: number,
): Promise<void> {
  const options: Record<string, string> = name === "redis"
    ? { keyPrefix: "many" }
    : name === "sqlite"
    ? {}
    : { tableName: "many" };
  await run({ part: "fill", url, options, entries });
  const table = new Table({
    style: { head: [], border: [] },
    head: [
      name,
      "seconds",
      "heap MiB",
      "longest block ms",
      "by CPU ms",
      "writer p99 ms",
      "writer longest ms",
    ],
  });
  const writer: PartOrder = { part: "write", url, options };
  const idle = start(writer);
  await idle.ready;
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const alone = await idle.stop();
  table.push([
    ...["(writer alone)", "10.0", "", "", ""],
    alone.p99!.toFixed(1),
    alone.longest!.toFixed(1),
  ]);
  for (const operation of OPERATIONS) {
    const each = await run(
      { part: "operate", url, options, operation },
      writer,
    );
    table.push([
      operation,
      each.seconds.toFixed(1),
      each.heap.toFixed(0),
      each.block.toFixed(0),
      each.blockCpu.toFixed(0),
      each.p99!.toFixed(1),
      each.longest!.toFixed(1),
    ]);
  }
  console.log(table.toString());
}

async function carryOut({ entries, parts }: Plan): Promise<boolean> {
  console.log(`${describeMachine()}\n${entries} entries\n`);
  const folder = await Deno.makeTempDir();
  try {
    await using servers = new AsyncDisposableStack();
    const wants = (...names: string[]) =>
      names.some((name) => parts.includes(name));
    const redis = wants("copy", "redis") &&
      servers.use(await startRedis()).url;
    const postgres = wants("copy", "postgres") &&
      servers.use(await startPostgres()).url;
    const mysql = wants("mysql") && servers.use(await startMariadb()).url;
    if (parts.includes("copy")) {
      await copies(folder, entries, {
        redis: redis as string,
        postgres: postgres as string,
      });
    }
    const urls = { sqlite: `sqlite:${folder}/many.db`, redis, postgres, mysql };
    for (const [name, url] of Object.entries(urls)) {
      if (url && parts.includes(name)) await operations(name, url, entries);
    }
    return true;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.exitCode = await obey(USAGE, planOf, carryOut);
