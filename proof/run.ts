// Plays histories under faults: deno task prove --backend postgres --fault cut --minutes 5
import { type Options, SingleBar } from "cli-progress";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Fault, FAULTS, impossible } from "./faults.ts";
import { play, type Report } from "./history.ts";
import { PLANTED, type Planted } from "./plant.ts";
import { tableOf, textOf } from "./report.ts";
import { type Backend, BACKENDS } from "./stores.ts";

const USAGE = `deno task prove [options]

  --backend NAME    ${BACKENDS.join(", ")}; several times, or all of them
  --fault NAME      ${
  FAULTS.join(", ")
}; several times, or all but none: each history has one
  --histories N     how many histories for each backend
  --minutes N       how long for each backend (1, without --histories)
  --calls N         about how many calls a history has at least (150)
  --seed N          what the choices of the calls and faults depend on
  --report FILE     append a line of JSON for each backend to a file
  --table FILE      only print what is in such a file, as a table in Markdown
  --planted NAME    plant a fault that must be found: ${PLANTED.join(", ")}`;

interface Arguments {
  readonly backends: readonly Backend[];
  readonly faults: readonly Fault[];
  readonly milliseconds: number;
  readonly histories: number;
  readonly calls: number;
  readonly seed: number;
  readonly report?: string;
  readonly table?: string;
  readonly planted?: Planted;
}

/** @throws {TypeError | RangeError} If the command line is wrong. */
function argumentsOf(args: string[]): Arguments | undefined {
  const { values } = parseArgs({
    args,
    options: {
      backend: { type: "string", multiple: true },
      fault: { type: "string", multiple: true },
      minutes: { type: "string" },
      histories: { type: "string" },
      calls: { type: "string", default: "150" },
      seed: { type: "string" },
      report: { type: "string" },
      table: { type: "string" },
      planted: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const { minutes = values.histories === undefined ? "1" : FOREVER } = values;
  const { report, table, planted } = values;
  return {
    backends: namesOf("--backend", values.backend ?? BACKENDS, BACKENDS),
    faults: namesOf("--fault", values.fault ?? FAULTS.slice(1), FAULTS),
    milliseconds: 60_000 * positive("--minutes", minutes),
    histories: positive("--histories", values.histories ?? FOREVER),
    calls: positive("--calls", values.calls),
    seed: values.seed === undefined
      ? Math.floor(Math.random() * 2 ** 31)
      : Number(values.seed),
    ...(report === undefined ? {} : { report }),
    ...(table === undefined ? {} : { table }),
    ...(planted === undefined
      ? {}
      : { planted: namesOf("--planted", [planted], PLANTED)[0]! }),
  };
}

const FOREVER = "1e9";

function namesOf<T extends string>(
  option: string,
  received: readonly string[],
  names: readonly T[],
): T[] {
  for (const name of received) {
    if (names.includes(name as T)) continue;
    throw new TypeError(
      `Cannot prove: ${option} must be one of ${names.join(", ")}: ` +
        `received ${name}`,
    );
  }
  return [...received] as T[];
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new RangeError(
    `Cannot prove: ${option} must be a positive number: received ${text}`,
  );
}

/** Plays the histories of one backend, with a bar on a terminal. */
async function prove(
  backend: Backend,
  faults: readonly [Fault, ...Fault[]],
  options: Arguments,
): Promise<Report> {
  const { milliseconds } = options;
  const start = performance.now();
  const bar = process.stderr.isTTY ? new SingleBar(BAR) : undefined;
  bar?.start(100, 0, { backend, histories: 0, failures: 0 });
  try {
    return await play({
      ...options,
      backend,
      faults,
      ...(options.planted === undefined ? {} : { maxFailures: 1 }),
      onProgress({ histories, failures }) {
        const share = Math.max(
          (performance.now() - start) / milliseconds,
          histories / options.histories,
        );
        bar?.update(
          Math.round(100 * Math.min(1, share)),
          { histories, failures: failures.length },
        );
      },
    });
  } finally {
    bar?.stop();
  }
}

const BAR: Options = {
  format: "{backend} {bar} {percentage} % | {histories} histories | " +
    "{failures} failures",
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
  if (options.table !== undefined) {
    const lines = (await Deno.readTextFile(options.table)).trim().split("\n");
    console.log(tableOf(lines.map((line) => JSON.parse(line) as Report)));
    return 0;
  }
  console.log(`seed ${options.seed}`);
  let failed = 0;
  for (const backend of options.backends) {
    const faults = options.faults.filter((fault) => {
      const reason = impossible(fault, backend);
      if (reason !== undefined) {
        console.log(`${backend}: ${fault} is left out: ${reason}`);
      }
      return reason === undefined;
    });
    const report = await prove(
      backend,
      faults.length === 0 ? ["none"] : faults as [Fault, ...Fault[]],
      options,
    );
    console.log(textOf(report));
    for (const { kind, text } of report.failures) {
      console.error(`${kind}: ${text}`);
    }
    if (options.report !== undefined) {
      const line = `${JSON.stringify(report)}\n`;
      await Deno.writeTextFile(options.report, line, { append: true });
    }
    failed += report.failures.length;
  }
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
