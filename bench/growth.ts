/**
 * Measures how our stores behave as there is more of everything, and draws it.
 *
 * ```sh
 * deno task bench:growth
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { obey, positive } from "./arguments.ts";
import { OURS } from "./backend.ts";
import { mysqlBackend } from "./backends/mysql.ts";
import { postgresBackend } from "./backends/postgres.ts";
import { sqlite } from "./backends/sqlite.ts";
import { drawLines, type Panel } from "./chart.ts";
import { gainOf, loadsOfProcesses } from "./growth/cache.ts";
import { type Costs, type Curve, curves } from "./growth/curves.ts";
import { heapBytesPerEntry } from "./growth/heap.ts";
import { growing } from "./growth/stores.ts";
import { slowestSet, type Times } from "./growth/sweep.ts";
import { openKv } from "../open/mod.ts";
import { startPostgres, startRedis } from "../servers/mod.ts";
import { describeMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import type { MixOptions } from "./mix.ts";
import { limits } from "./targets.ts";
import { describeResult, figureOf } from "./text.ts";

const PARTS = [
  ...curves.map(({ name }) => name),
  "heap",
  "sweep",
  "loop",
  "cache",
];

const USAGE = `Usage: deno task bench:growth [option…] [part…]

Measures how our stores behave as there is more of everything, and draws
docs/images/growth-*.svg.

Parts (all by default):
  ${PARTS.join(", ")}

Options:
  --entries <number>  the most entries (default: 1000000)
  --output <folder>   where to draw (default: docs/images)
  --help              print this

Ends with 0, or with 1 if anything failed, or 2 if it was called wrongly.`;

const SWEPT = 200_000;
const SWEEP_TIME = 15_000;

if (import.meta.main) Deno.exit(await obey(USAGE, planOf, carryOut));

interface Plan {
  readonly parts: readonly string[];
  readonly entries: number;
  readonly output: string;
}

async function carryOut(plan: Plan): Promise<boolean> {
  console.log(describeMachine());
  let ok = true;
  for (const part of plan.parts) {
    const curve = curves.find(({ name }) => name === part);
    if (curve !== undefined) ok = await follow(curve, plan) && ok;
    else if (part === "heap") await reportHeap();
    else if (part === "sweep") await reportSweep(plan);
    else if (part === "cache") await reportCaches();
    else ok = await reportLoops() && ok;
  }
  return ok;
}

/** Measures a curve on all backends, prints and draws it. */
async function follow(
  curve: Curve,
  { entries, output }: Plan,
): Promise<boolean> {
  console.log(`\nMicroseconds a call by ${curve.title}`);
  const measured = new Map<string, Map<number, Costs>>();
  let ok = true;
  for (const backend of growing) {
    const costs = new Map<number, Costs>();
    measured.set(backend.title, costs);
    for (const step of curve.steps(backend, entries)) {
      try {
        costs.set(step, await curve.measure(backend, step));
      } catch (error) {
        console.log(`${backend.title}, ${step}: FAILED: ${error}`);
        ok = false;
      }
    }
    console.log(describe(backend.title, costs));
  }
  await Deno.mkdir(output, { recursive: true });
  await Deno.writeTextFile(
    `${output}/growth-${curve.name}.svg`,
    drawLines(
      `Microseconds a call by ${curve.title}`,
      [...measured].map(([title, costs]) => panel(title, costs)),
    ),
  );
  return ok;
}

function describe(title: string, costs: ReadonlyMap<number, Costs>): string {
  const names = namesOf(costs);
  const table = new Table({
    head: [title, ...names],
    style: { head: [], border: [], compact: true },
  });
  for (const [step, cost] of costs) {
    table.push([
      step.toLocaleString("en"),
      ...names.map((name) => describeCost(cost[name])),
    ]);
  }
  return table.toString();
}

function describeCost(microseconds: number | undefined): string {
  return microseconds?.toLocaleString("en", { maximumSignificantDigits: 3 }) ??
    "";
}

function panel(title: string, costs: ReadonlyMap<number, Costs>): Panel {
  return {
    title,
    places: [...costs.keys()],
    series: namesOf(costs).map((name) => ({
      name,
      values: [...costs.values()].map((cost) => cost[name]),
    })),
  };
}

function namesOf(costs: ReadonlyMap<number, Costs>): string[] {
  return [...new Set([...costs.values()].flatMap((it) => Object.keys(it)))];
}

async function reportHeap(): Promise<void> {
  const { withoutTtl, withTtl } = await heapBytesPerEntry();
  console.log(
    "\nHeap of the memory store in addition to key and value, in bytes per entry: " +
      `${withoutTtl}, with a TTL ${withTtl}`,
  );
  printVerdict(withoutTtl, limits.heapBytes, "bytes an entry without a TTL");
}

async function reportSweep({ entries }: Plan): Promise<void> {
  const count = Math.min(SWEPT, entries);
  console.log(
    `\nSets, one at a time, while ${count.toLocaleString("en")} entries expire`,
  );
  for (const backend of [sqlite, postgresBackend, mysqlBackend]) {
    const times = await slowestSet(
      backend,
      { entries: count, milliseconds: SWEEP_TIME },
    );
    console.log(`${backend.title}
  before: ${describeTimes(times.before)}
  while:  ${describeTimes(times.during)}`);
    printVerdict(
      times.during.slowest,
      limits.setMilliseconds,
      "ms for the slowest set",
    );
  }
}

function describeTimes({ sets, median, p999, slowest, tooLong }: Times) {
  return `${sets} sets, median ${median.toFixed(3)} ms, p99.9 ${
    p999.toFixed(2)
  } ms, slowest ${
    slowest.toFixed(2)
  } ms, ${tooLong} over ${limits.setMilliseconds} ms`;
}

async function reportLoops(): Promise<boolean> {
  const sets = await reportLoop("Sets of 100 B", {
    gets: 0,
    ttls: 0,
    bytes: 100,
  });
  const mix = await reportLoop("Fedify's mix", {});
  return sets && mix;
}

async function reportLoop(what: string, mix: MixOptions): Promise<boolean> {
  console.log(`\n${what}, by 256 workers on ${postgresBackend.title}`);
  const options = { rounds: 5, milliseconds: 2_000, mix };
  const loop = [{ operation: "mix", bytes: 0, atOnce: 256 }] as const;
  let ok = true;
  for await (const result of measure(postgresBackend, loop, options)) {
    console.log(describeResult(result));
    const [raw, ours] = [isRaw, isOurs].map((it) => figureOf(result, it));
    if (raw?.latencies !== undefined && ours?.latencies !== undefined) {
      printVerdict(
        ours.latencies.sets.p99 / raw.latencies.sets.p99,
        limits.loopToRaw,
        "of raw's p99 for sets",
      );
    }
    ok &&= result.figures.every(({ failure }) => failure === undefined);
  }
  return ok;
}

/** What a cache gains in front of Redis and PostgreSQL. */
async function reportCaches(): Promise<void> {
  await using redis = await startRedis();
  await using postgres = await startPostgres();
  for (const { url } of [redis, postgres]) {
    await using kv = await openKv(url);
    console.log(
      `\nA cache in front of ${kv.traits.driver}, 80 % of gets on 50 keys`,
    );
    const { throughput, latency } = await gainOf(kv);
    const { median } = throughput;
    console.log(
      `${median >= 3 ? "met    " : "NOT MET"}  at least 3 times the gets of ` +
        `32 callers: ${median.toFixed(1)}`,
    );
    printVerdict(latency.median, 0.25, "of the mean latency of one caller");
    const loads = await loadsOfProcesses(url, 10);
    printVerdict(loads, 1, "loads for 500 misses in each of 10 processes");
  }
}

function isRaw(name: string): boolean {
  return name.startsWith("raw ");
}

function isOurs(name: string): boolean {
  return name === OURS;
}

function printVerdict(measured: number, limit: number, what: string): void {
  console.log(
    `${measured <= limit ? "met    " : "NOT MET"}  at most ${limit} ${what}: ` +
      measured.toLocaleString("en", { maximumSignificantDigits: 3 }),
  );
}

function planOf(args: string[]): Plan | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      entries: { type: "string", default: "1000000" },
      output: { type: "string", default: "docs/images" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  for (const name of positionals) {
    if (!PARTS.includes(name)) throw new RangeError(`Unknown part: ${name}`);
  }
  return {
    parts: positionals.length === 0 ? PARTS : positionals,
    entries: positive(values.entries),
    output: values.output,
  };
}
