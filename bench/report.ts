/**
 * Measures the headline operations on all backends, and writes a page and its
 * charts.
 *
 * ```sh
 * deno task bench:report
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import { chooseBackends, obey, positive } from "./arguments.ts";
import { OURS } from "./backend.ts";
import { loadBackend } from "./backends.ts";
import { drawDots, type Panel } from "./chart.ts";
import { describeMachine } from "./machine.ts";
import { measure, type MeasureOptions, type Result } from "./measure.ts";
import { operations } from "./operations.ts";
import { type Chapter, writePage } from "./page.ts";
import { spread } from "./statistics.ts";
import type { Case } from "./targets.ts";
import { describeCase, figureOf } from "./text.ts";
import { judge } from "./verdict.ts";

const COMMAND = "deno task bench:report";

const USAGE = `Usage: ${COMMAND} [option…]

Measures the headline operations on all backends, and writes docs/benchmarks.md
and the charts docs/images/benchmarks-*.svg. Takes some minutes.

Options:
  --rounds <number>      rounds that count (default: 7)
  --time <milliseconds>  a subject's turn in a round (default: 60)
  --backend <name>       this backend only; may be repeated
  --output <folder>      where to write to (default: docs)
  --help                 print this

Ends with 0, or with 1 if anything failed or was skipped, or 2 if it was called
wrongly.`;

const MIX_ENTRIES = 20_000;

if (import.meta.main) Deno.exit(await obey(USAGE, planOf, carryOut));

interface Plan {
  readonly chosen: readonly string[];
  readonly options: MeasureOptions;
  readonly output: string;
}

async function carryOut(plan: Plan): Promise<boolean> {
  const chapters = await measureAll(plan);
  await write(plan, chapters);
  return chapters.every(isWhole);
}

async function measureAll({ chosen, options }: Plan): Promise<Chapter[]> {
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {eta_formatted} left | {what}",
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 10_000,
  }, Presets.shades_classic);
  const headline = headlineCases();
  bar.start(chosen.length * headline.length, 0, { what: "" });
  const chapters: Chapter[] = [];
  try {
    for (const name of chosen) {
      const backend = await loadBackend(name);
      const cases = headline.filter(({ operation }) =>
        backend.operations?.includes(operation) ?? true
      );
      const results: Result[] = [];
      let skipped: string | undefined;
      bar.update({ what: backend.title });
      try {
        for await (const result of measure(backend, cases, options)) {
          results.push(result);
          bar.increment(1, {
            what: `${backend.title}: ${describeCase(result.case)}`,
          });
        }
      } catch (error) {
        skipped = error instanceof Error ? error.message : `${error}`;
      }
      bar.increment(headline.length - results.length);
      chapters.push({
        title: backend.title,
        results,
        verdicts: judge(backend.name, results),
        ...skipped === undefined ? {} : { skipped },
      });
    }
  } finally {
    bar.stop();
  }
  return chapters;
}

/** The headline cases. */
function headlineCases(): Case[] {
  const cases: Case[] = [];
  for (
    const operation of [
      "get",
      "get missing",
      "set",
      "set with TTL",
      "cas",
      "list",
    ] as const
  ) {
    const { sizes, atOnce } = operations[operation];
    for (const bytes of sizes.filter((size) => size <= 2_048)) {
      if (bytes > 100 && operation !== "get" && operation !== "set") continue;
      for (const n of atOnce.filter((n) => n !== 16)) {
        cases.push({ operation, bytes, atOnce: n });
      }
    }
  }
  cases.push({ operation: "mix", bytes: 0, atOnce: 256 });
  return cases;
}

async function write(
  { options, output }: Plan,
  chapters: readonly Chapter[],
): Promise<void> {
  const charts = [256, 1].map((atOnce) => {
    const calls = atOnce === 1
      ? "one call at a time"
      : `${atOnce} concurrent calls`;
    const title = `Calls per second, ${calls}, values of 100 bytes`;
    return {
      title,
      path: `images/benchmarks-${atOnce}.svg`,
      svg: drawDots(title, panelsOf(chapters, atOnce)),
    };
  });
  await Deno.mkdir(`${output}/images`, { recursive: true });
  for (const { path, svg } of charts) {
    await Deno.writeTextFile(`${output}/${path}`, svg);
  }
  const page = writePage(
    {
      machine: describeMachine(),
      date: new Date().toISOString().slice(0, 10),
      command: COMMAND,
      method:
        `Medians of ${options.rounds} rounds. In each round every store has a ` +
        `turn of ${options.milliseconds} ms. In parentheses: how many times as ` +
        `fast ${OURS} is, as the median of the ratios of the rounds. All stores ` +
        "have the same settings, and keys and values that were made before the " +
        "clock started. Values are JSON of 100 bytes or 2 KiB. The mix is that " +
        `of a Fedify server, on ${MIX_ENTRIES.toLocaleString("en")} entries.`,
    },
    charts,
    chapters,
  );
  await Deno.writeTextFile(`${output}/benchmarks.md`, page);
  console.log(`Wrote ${output}/benchmarks.md and its charts.`);
}

function panelsOf(chapters: readonly Chapter[], atOnce: number): Panel[] {
  return chapters.flatMap(({ title, results }): Panel[] => {
    const rows = results.filter(({ case: it }) =>
      it.atOnce === atOnce && it.bytes <= 100
    );
    if (rows.length === 0) return [];
    const series = [OURS, "raw client", "Fedify", "unstorage", "Keyv"]
      .map((name) => ({
        name,
        values: rows.map((row) =>
          rateOf(
            row,
            (it) =>
              it === name || name === "raw client" && it.startsWith("raw "),
          )
        ),
      }));
    const places = rows.map(({ case: it }) => it.operation);
    return [{ title, places, series }];
  });
}

function rateOf(
  result: Result,
  isTheirs: (name: string) => boolean,
): number | undefined {
  const figure = figureOf(result, isTheirs);
  return figure && spread(figure.rates).median;
}

function isWhole({ skipped, results }: Chapter): boolean {
  return skipped === undefined &&
    results.every(({ figures }) =>
      figures.every(({ failure }) => failure === undefined)
    );
}

function planOf(args: string[]): Plan | undefined {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "7" },
      time: { type: "string", default: "60" },
      backend: { type: "string", multiple: true },
      output: { type: "string", default: "docs" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    chosen: chooseBackends(values.backend ?? []),
    options: {
      rounds: positive(values.rounds),
      milliseconds: positive(values.time),
      mix: { entries: MIX_ENTRIES },
    },
    output: values.output,
  };
}
