// Plays histories under faults: deno task prove --backend postgres --fault cut --minutes 5
import { type Options, SingleBar } from "cli-progress";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Fault, FAULTS, impossible } from "./faults.ts";
import { play, type Report } from "./history.ts";
import { PLANTED, type Planted } from "./plant.ts";
import { type Backend, BACKENDS } from "./stores.ts";

const USAGE = `deno task prove [options]

  --backend NAME    ${BACKENDS.join(", ")}; several times, or all of them
  --fault NAME      ${FAULTS.join(", ")}; several times, or all of them
  --minutes N       how long for each backend and fault (1)
  --histories N     how many histories for each at most
  --calls N         about how many calls a history has (300)
  --seed N          what the choices of the calls and faults depend on
  --planted NAME    plant a fault that must be found: ${PLANTED.join(", ")}`;

interface Task {
  readonly backend: Backend;
  readonly fault: Fault;
}

interface Arguments {
  readonly tasks: readonly Task[];
  readonly milliseconds: number;
  readonly histories: number;
  readonly calls: number;
  readonly seed: number;
  readonly planted?: Planted;
}

/** @throws {TypeError | RangeError} If the command line is wrong. */
function argumentsOf(args: string[]): Arguments | undefined {
  const { values } = parseArgs({
    args,
    options: {
      backend: { type: "string", multiple: true },
      fault: { type: "string", multiple: true },
      minutes: { type: "string", default: "1" },
      histories: { type: "string", default: String(Number.MAX_SAFE_INTEGER) },
      calls: { type: "string", default: "300" },
      seed: { type: "string" },
      planted: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const backends = namesOf("--backend", values.backend ?? BACKENDS, BACKENDS);
  const faults = namesOf("--fault", values.fault ?? FAULTS, FAULTS);
  const tasks = backends.flatMap((backend) =>
    faults.map((fault) => ({ backend, fault }))
  );
  return {
    tasks,
    milliseconds: 60_000 * positive("--minutes", values.minutes),
    histories: positive("--histories", values.histories),
    calls: positive("--calls", values.calls),
    seed: values.seed === undefined
      ? Math.floor(Math.random() * 2 ** 31)
      : Number(values.seed),
    ...(values.planted === undefined
      ? {}
      : { planted: namesOf("--planted", [values.planted], PLANTED)[0]! }),
  };
}

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

/** Plays the histories of one backend and one fault, with a bar on a terminal. */
async function prove(task: Task, options: Arguments): Promise<Report> {
  const { milliseconds } = options;
  const start = performance.now();
  const bar = process.stderr.isTTY ? new SingleBar(BAR) : undefined;
  const facts = { ...task, histories: 0, failures: 0 };
  bar?.start(Math.round(milliseconds / 1_000), 0, facts);
  try {
    return await play({
      ...task,
      ...options,
      onProgress({ histories, failures }) {
        const share = Math.max(
          (performance.now() - start) / milliseconds,
          histories / options.histories,
        );
        bar?.update(
          Math.round(Math.min(1, share) * milliseconds / 1_000),
          { histories, failures: failures.length },
        );
      },
    });
  } finally {
    bar?.stop();
  }
}

const BAR: Options = {
  format: "{backend} {fault} {bar} {percentage} % | {histories} histories | " +
    "{failures} failures",
  hideCursor: true,
  clearOnComplete: true,
};

function reportText(report: Report): string {
  const { backend, fault, histories, calls, strikes, processes } = report;
  const total = calls.ok + calls.rejected + calls.unknown;
  return `${backend}, ${fault}: ${histories} histories, ${total} calls ` +
    `(${calls.ok} ok, ${calls.rejected} rejected, ${calls.unknown} unknown), ` +
    `${strikes} faults, ${processes} processes, ` +
    `slowest call ${Math.round(report.slowest)} ms, ` +
    `${report.failures.length} failures`;
}

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
  console.log(`seed ${options.seed}`);
  let failed = 0;
  for (const task of options.tasks) {
    const reason = impossible(task.fault, task.backend);
    if (reason !== undefined) {
      console.log(`${task.backend}, ${task.fault}: left out: ${reason}`);
      continue;
    }
    const report = await prove(task, options);
    console.log(reportText(report));
    for (const failure of report.failures) console.error(failure);
    failed += report.failures.length;
  }
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
