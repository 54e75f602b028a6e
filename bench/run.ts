/**
 * Measures the stores next to the bare clients and the alternatives, in
 * alternating rounds.
 *
 * ```sh
 * deno task bench sqlite redis
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { chooseBackends, obey, positive } from "./arguments.ts";
import type { Backend } from "./backend.ts";
import { backendNames, loadBackend } from "./backends.ts";
import { describeMachine } from "./machine.ts";
import {
  casesOf,
  measure,
  type MeasureOptions,
  type Result,
} from "./measure.ts";
import { operations } from "./operations.ts";
import type { Case } from "./targets.ts";
import { describeResult } from "./text.ts";
import { describeVerdict, hasTarget, judge } from "./verdict.ts";

const USAGE = `Usage: deno task bench [option…] [backend…]

Measures the stores next to the bare clients and the alternatives, in alternating
rounds, and starts the servers that it needs.

Backends (all by default):
  ${backendNames.join(", ")}

Options:
  --operation <name>     measure this operation only; may be repeated:
                         ${[...Object.keys(operations), "mix"].join(", ")}
  --size <bytes>         measure values of this size only; may be repeated:
                         100, 2048, 40960; the mix has its own sizes
  --at-once <number>     make so many calls at once only; may be repeated:
                         1, 16, 256
  --rounds <number>      rounds that count (default: 11)
  --time <milliseconds>  a subject's turn in a round (default: 60)
  --mix-entries <number> entries that are there in the mix (default: 200000)
  --targets              measure only what we hold ourselves to, and fail unless
                         it is met
  --help                 print this

Ends with 0, or with 1 if anything failed or was skipped, or 2 if it was called
wrongly.`;

if (import.meta.main) Deno.exit(await obey(USAGE, planOf, carryOut));

interface Plan {
  readonly chosen: readonly string[];
  readonly options: MeasureOptions;
  readonly onlyTargets: boolean;
  isWanted(it: Case, backend: Backend): boolean;
}

async function carryOut(plan: Plan): Promise<boolean> {
  console.log(describeMachine());
  let ok = true;
  for (const name of plan.chosen) {
    ok = await measureBackend(await loadBackend(name), plan) && ok;
  }
  return ok;
}

async function measureBackend(
  backend: Backend,
  { options, onlyTargets, isWanted }: Plan,
): Promise<boolean> {
  console.log(`\n${backend.title}\n`);
  const cases = casesOf(backend).filter((it) => isWanted(it, backend));
  if (cases.length === 0) {
    console.log("SKIPPED: no operation has such sizes, and so many at once");
    return false;
  }
  const results: Result[] = [];
  try {
    for await (const result of measure(backend, cases, options)) {
      if (results.length === 0) console.log(describeWithout(result));
      results.push(result);
      console.log(describeResult(result));
    }
  } catch (error) {
    console.log(`SKIPPED: ${error instanceof Error ? error.message : error}`);
    return false;
  }
  const verdicts = judge(backend.name, results);
  if (verdicts.length > 0) {
    console.log("\nWhat we hold ourselves to:");
    for (const verdict of verdicts) console.log(describeVerdict(verdict));
  }
  const failed = results.some(({ figures }) =>
    figures.some(({ failure }) => failure !== undefined)
  );
  return !failed && !(onlyTargets && verdicts.some(({ met }) => met === false));
}

function describeWithout({ versions, without }: Result): string {
  const lines = Object.entries(versions).map(([name, version]) =>
    `${name} ${version}`
  );
  const missing = Object.entries(without).map(([name, reason]) =>
    `${name}: ${reason}`
  );
  return [lines.join(", "), ...missing, ""].join("\n");
}

function planOf(args: string[]): Plan | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      "operation": { type: "string", multiple: true },
      "size": { type: "string", multiple: true },
      "at-once": { type: "string", multiple: true },
      "rounds": { type: "string", default: "11" },
      "time": { type: "string", default: "60" },
      "mix-entries": { type: "string", default: "200000" },
      "targets": { type: "boolean", default: false },
      "help": { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  for (const name of values.operation ?? []) {
    if (name !== "mix" && !Object.hasOwn(operations, name)) {
      throw new RangeError(`Unknown operation: ${name}`);
    }
  }
  const sizes = values.size?.map(positive);
  const atOnce = values["at-once"]?.map(positive);
  return {
    chosen: chooseBackends(positionals),
    options: {
      rounds: positive(values.rounds),
      milliseconds: positive(values.time),
      mix: { entries: positive(values["mix-entries"]) },
    },
    onlyTargets: values.targets,
    isWanted: (it, backend) =>
      (values.operation?.includes(it.operation) ?? true) &&
      (sizes?.includes(it.bytes) ?? true) &&
      (atOnce?.includes(it.atOnce) ?? true) &&
      (!values.targets || hasTarget(it, backend.name)),
  };
}
