/**
 * Measures for how long a busy store blocks the event loop of its process, and
 * how long an HTTP request to that process takes meanwhile.
 *
 * ```sh
 * deno task bench:blocks
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { DatabaseSync } from "node:sqlite";
import Table from "cli-table3";
import { Redis } from "ioredis";
import postgres from "postgres";
import { PostgresKvStore } from "../kv/postgres.ts";
import { RedisKvStore } from "../kv/redis.ts";
import { SqliteKvStore } from "../kv/sqlite.ts";
import type { KvStore } from "../kv/store.ts";
import { startPostgres, startRedis } from "../servers/mod.ts";
import { obey, positive } from "./arguments.ts";
import { Program } from "./blocks/process.ts";
import type { Workload } from "./blocks/program.ts";
import { installRuntimes, type Runtimes } from "./blocks/runtimes.ts";
import { describeMachine } from "./machine.ts";

const STORES = ["memory", "sqlite", "redis", "postgres"];
const RUNTIMES = ["Deno", "Node", "Bun"];
const WORKLOADS: readonly Workload[] = [
  "nothing",
  "256 workers, 2 KiB",
  "256 workers, 64 KB",
  "400,000 calls",
  "list of all",
];

/** The longest block that is accepted, in milliseconds. */
const LIMIT = 50;

const USAGE = `Usage: deno task bench:blocks [option…] [store…]

Measures the longest block of the event loop and the slowest HTTP request next to
a busy store, on Deno, Node and Bun.

Stores (all by default):
  ${STORES.join(", ")}

Options:
  --entries <number>  the entries of the listing (default: 1000000)
  --runtime <name>    one of ${RUNTIMES.join(", ")} (default: all)
  --help              print this

Ends with 0, or with 1 if anything failed or a limit was missed, or 2 if it was
called wrongly.`;

interface Plan {
  readonly stores: readonly string[];
  readonly runtimes: readonly string[];
  readonly entries: number;
}

if (import.meta.main) Deno.exit(await obey(USAGE, planOf, measureAll));

async function measureAll(plan: Plan): Promise<boolean> {
  console.log(describeMachine());
  const folder = await Deno.makeTempDir({ prefix: "kv-blocks-" });
  try {
    const runtimes = await installRuntimes(folder);
    let ok = true;
    for (const store of plan.stores) {
      ok = await measureStore(store, plan, runtimes, folder) && ok;
    }
    return ok;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measureStore(
  store: string,
  { runtimes: names, entries }: Plan,
  runtimes: Runtimes,
  folder: string,
): Promise<boolean> {
  await using backend = await openBackend(store, folder, entries);
  const table = new Table({
    head: [
      store,
      "runtime",
      "per second",
      "first, ms",
      "block, ms",
      "CPU, ms",
      "HTTP, ms",
    ],
    style: { head: [], border: [], compact: true },
  });
  let ok = true;
  for (const name of names) {
    const args = [store, backend.where, `${entries}`];
    await using program = await Program.start([...runtimes[name]!, ...args]);
    for (const workload of WORKLOADS) {
      const { rate, first, block, cpu, request } = await program.measure(
        workload,
      );
      const isMet = Math.max(block, request) <= LIMIT;
      ok &&= isMet;
      table.push([
        workload,
        name,
        Math.round(rate).toLocaleString("en"),
        first?.toFixed(1) ?? "",
        block.toFixed(1),
        cpu.toFixed(1),
        `${request.toFixed(1)}${isMet ? "" : ` (over ${LIMIT})`}`,
      ]);
    }
  }
  console.log(table.toString());
  return ok;
}

interface OpenBackend extends AsyncDisposable {
  /** The path or URL. */
  readonly where: string;
}

/** Opens a backend, and fills it with the entries of the listing. */
async function openBackend(
  store: string,
  folder: string,
  entries: number,
): Promise<OpenBackend> {
  await using disposal = new AsyncDisposableStack();
  let where = "";
  let kv: KvStore | undefined;
  if (store === "sqlite") {
    where = `${folder}/blocks.db`;
    const db = disposal.adopt(new DatabaseSync(where), (db) => db.close());
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    kv = new SqliteKvStore(db);
  } else if (store === "redis") {
    where = disposal.use(await startRedis()).url;
    const redis = disposal.adopt(new Redis(where), (it) => it.disconnect());
    kv = new RedisKvStore(redis);
  } else if (store === "postgres") {
    where = disposal.use(await startPostgres()).url;
    const sql = disposal.adopt(postgres(where), (it) => it.end());
    kv = new PostgresKvStore(sql);
  }
  const pad = "x".repeat(80);
  for (let i = 0; kv !== undefined && i < entries; i += 1_000) {
    const count = Math.min(1_000, entries - i);
    const ids = Array.from({ length: count }, (_, j) => i + j);
    await Promise.all(ids.map((i) => kv.set(["all", `${i}`], { i, pad })));
  }
  const opened = disposal.move();
  return {
    where,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function planOf(args: string[]): Plan | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      entries: { type: "string", default: "1000000" },
      runtime: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  for (const name of positionals) {
    if (!STORES.includes(name)) throw new RangeError(`Unknown store: ${name}`);
  }
  const { runtime } = values;
  if (runtime !== undefined && !RUNTIMES.includes(runtime)) {
    throw new RangeError(`Unknown runtime: ${runtime}`);
  }
  return {
    stores: positionals.length === 0 ? STORES : positionals,
    runtimes: runtime === undefined ? RUNTIMES : [runtime],
    entries: positive(values.entries),
  };
}
