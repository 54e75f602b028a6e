// Shows what faults do to stores: deno task prove:faults --suite damage --entries 10000
import { MultiBar, type Options as BarOptions } from "cli-progress";
import process from "node:process";
import { parseArgs } from "node:util";
import { drawLines, type Panel } from "../../bench/chart.ts";
import { connections } from "./connections.ts";
import { damage } from "./damage.ts";
import { kills } from "./kills.ts";
import { silence } from "./silence.ts";
import { soak } from "./soak.ts";
import type { Options, Result, Suite, Trial } from "./suite.ts";

const SUITES: Readonly<Record<string, Suite>> = {
  connections,
  silence,
  kills,
  damage,
  soak,
};

const NAMES = Object.keys(SUITES);
const BACKENDS = [
  ...new Set(
    Object.values(SUITES).flatMap(({ trials }) =>
      trials.map(({ backend }) => backend)
    ),
  ),
];

const NUMBERS = {
  calls: { default: "100000", text: "calls of each trial" },
  kills: { default: "200", text: "kills of each trial" },
  entries: { default: "10000", text: "damaged entries of each trial" },
  minutes: { default: "60", text: "how long a soak takes" },
  rate: { default: "200", text: "calls of a soak in a second" },
  seed: { default: "1", text: "what the random choices depend on" },
} as const;

const USAGE = `deno task prove:faults [options]

  --suite NAME      several times, or all of them:
${
  Object.entries(SUITES).map(([name, { text }]) =>
    `                    ${name.padEnd(12)} ${text}`
  ).join("\n")
}
  --backend NAME    ${BACKENDS.join(", ")}; several times, or all of them
  --only TEXT       only the trials whose title contains the text
  --chart FILE      draw what a soak measures
${
  Object.entries(NUMBERS).map(([name, option]) =>
    `  --${`${name} N`.padEnd(15)} ${option.text} (${option.default})`
  ).join("\n")
}`;

interface Arguments extends Options {
  readonly suites: readonly string[];
  readonly backends: readonly string[];
  readonly only: string;
  readonly chart: string | undefined;
}

/** @throws {TypeError | RangeError} If the command line is wrong. */
function argumentsOf(args: string[]): Arguments | undefined {
  const { values } = parseArgs({
    args,
    options: {
      suite: { type: "string", multiple: true, default: NAMES },
      backend: { type: "string", multiple: true, default: BACKENDS },
      only: { type: "string", default: "" },
      chart: { type: "string" },
      calls: { type: "string", default: NUMBERS.calls.default },
      kills: { type: "string", default: NUMBERS.kills.default },
      entries: { type: "string", default: NUMBERS.entries.default },
      minutes: { type: "string", default: NUMBERS.minutes.default },
      rate: { type: "string", default: NUMBERS.rate.default },
      seed: { type: "string", default: NUMBERS.seed.default },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  return {
    suites: checked("--suite", values.suite, NAMES),
    backends: checked("--backend", values.backend, BACKENDS),
    only: values.only,
    chart: values.chart,
    calls: positive("--calls", values.calls),
    kills: positive("--kills", values.kills),
    entries: positive("--entries", values.entries),
    minutes: positive("--minutes", values.minutes),
    rate: positive("--rate", values.rate),
    seed: positive("--seed", values.seed),
  };
}

function checked(
  option: string,
  received: string[],
  names: readonly string[],
): string[] {
  for (const name of received) {
    if (names.includes(name)) continue;
    throw new TypeError(
      `Cannot prove: ${option} must be one of ${names.join(", ")}: ` +
        `received ${name}`,
    );
  }
  return received;
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new RangeError(
    `Cannot prove: ${option} must be a positive number: received ${text}`,
  );
}

/** Runs the trials of a suite, with bars on a terminal. */
async function prove(
  { trials, isSimultaneous = false }: Suite,
  options: Arguments,
): Promise<Result[]> {
  const chosen = trials.filter(({ backend, title }) =>
    options.backends.includes(backend) && title.includes(options.only)
  );
  const bars = process.stderr.isTTY ? new MultiBar(BAR) : undefined;
  try {
    if (isSimultaneous) {
      return await Promise.all(chosen.map((it) => runTrial(it, options, bars)));
    }
    const results: Result[] = [];
    for (const trial of chosen) {
      results.push(await runTrial(trial, options, bars));
    }
    return results;
  } finally {
    bars?.stop();
  }
}

async function runTrial(
  trial: Trial,
  options: Options,
  bars: MultiBar | undefined,
): Promise<Result> {
  const name = `${trial.backend}, ${trial.title}`;
  const bar = bars?.create(1_000, 0, { name, facts: "" });
  const result = await trial.run(options, (share, facts = "") => {
    bar?.update(Math.round(1_000 * Math.min(1, share)), { facts });
  });
  const line = `${name}: ${result.summary}, ${result.failures.length} failures`;
  if (bar !== undefined) bars!.remove(bar);
  console.log(line);
  for (const failure of result.failures) console.error(failure);
  return result;
}

const BAR: BarOptions = {
  format: "{name} {bar} {percentage} % | {facts}",
  hideCursor: true,
  clearOnComplete: true,
};

async function main(): Promise<number> {
  let options: Arguments | undefined;
  try {
    options = argumentsOf(Deno.args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  let failed = 0;
  const panels: Panel[] = [];
  for (const suite of options.suites) {
    for (const { failures, panel } of await prove(SUITES[suite]!, options)) {
      failed += failures.length;
      if (panel !== undefined) panels.push(panel);
    }
  }
  if (options.chart !== undefined && panels.length > 0) {
    const chart = drawLines("Bytes after minutes of mixed calls", panels);
    await Deno.writeTextFile(options.chart, chart);
  }
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
