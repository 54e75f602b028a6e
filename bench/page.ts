/**
 * The report as a page of Markdown.
 *
 * @module
 */
import { OURS } from "./backend.ts";
import type { MeasuredFigure, Result } from "./measure.ts";
import { ratio, type Spread, spread } from "./statistics.ts";
import {
  describeBytes,
  describeRate,
  describeRatio,
  describeSpread,
  figureOf,
} from "./text.ts";
import type { Verdict } from "./verdict.ts";

/** The figures of a backend. */
export interface Chapter {
  readonly title: string;
  readonly results: readonly Result[];
  readonly verdicts: readonly Verdict[];
  /** Why nothing was measured, if so. */
  readonly skipped?: string;
}

/** How the figures came about. */
export interface Facts {
  readonly machine: string;
  readonly date: string;
  readonly command: string;
  readonly method: string;
}

/** A chart: what it shows, and its path from the page. */
export interface Chart {
  readonly title: string;
  readonly path: string;
}

/** Writes the page. */
export function writePage(
  facts: Facts,
  charts: readonly Chart[],
  chapters: readonly Chapter[],
): string {
  return [
    `# Benchmarks of ${OURS}`,
    facts.method,
    `${facts.machine}; ${facts.date}. On your machine: \`${facts.command}\``,
    ...charts.map(({ title, path }) => `![${title}](${path})`),
    ...chapters.flatMap(writeChapter),
  ].join("\n\n") + "\n";
}

function writeChapter(
  { title, results, verdicts, skipped }: Chapter,
): string[] {
  const parts = [`## ${title}`];
  if (skipped !== undefined) parts.push(`Skipped: ${skipped}`);
  const [first] = results;
  if (first === undefined) return parts;
  const versions = Object.entries(first.versions).map((it) => it.join(" "));
  parts.push(versions.join(", "));
  const names = [
    ...new Set(results.flatMap((it) => it.figures.map(({ name }) => name))),
  ];
  parts.push(table(
    ["calls per second", ...names],
    results.map((result) => writeRow(result, names)),
  ));
  const reasons = new Map(
    results.flatMap(({ without }) => Object.entries(without)),
  );
  const absent = [...reasons].filter(([name]) => !names.includes(name));
  if (absent.length > 0) {
    parts.push(absent.map((it) => `- Not here: ${it.join(": ")}`).join("\n"));
  }
  const latencies = results.flatMap(writeLatencies);
  if (latencies.length > 0) {
    const percentiles = ["p50", "p99", "p99.9"];
    parts.push(table([
      "mix: latencies in ms",
      ...percentiles.map((it) => `get ${it}`),
      ...percentiles.map((it) => `set ${it}`),
    ], latencies));
  }
  const judged = verdicts.filter(({ met }) => met !== undefined);
  if (judged.length > 0) {
    parts.push(table(
      ["target", "at least", "measured (quartiles)", ""],
      judged.map(({ what, least, measured, met }) => [
        what,
        `${least}`,
        describeSpread(measured as Spread),
        met ? "met" : "missed",
      ]),
    ));
  }
  return parts;
}

function writeRow(result: Result, names: readonly string[]): string[] {
  const { operation, bytes, atOnce } = result.case;
  const what = operation === "mix"
    ? operation
    : `${operation}, ${describeBytes(bytes)}`;
  const ours = figureOf(result, (name) => name === OURS);
  return [
    `${what}, ${atOnce} at once`,
    ...names.map((name) => {
      const figure = result.figures.find((it) => it.name === name);
      return figure === undefined ? "" : writeFigure(figure, ours);
    }),
  ];
}

function writeFigure(
  { name, rates, failure }: MeasuredFigure,
  ours: MeasuredFigure | undefined,
): string {
  if (failure !== undefined) return `failed: ${failure}`;
  const rate = describeRate(spread(rates).median).replace("/s", "");
  if (name === OURS || ours === undefined) return rate;
  return `${rate} (${describeRatio(ratio(ours.rates, rates).median)}×)`;
}

function writeLatencies({ case: { atOnce }, figures }: Result): string[][] {
  return figures.flatMap(({ name, latencies }) => {
    if (latencies === undefined) return [];
    const cells = [latencies.gets, latencies.sets]
      .flatMap(({ p50, p99, p999 }) => [p50, p99, p999])
      .map((it) => it.toPrecision(3));
    return [[`${name}, ${atOnce} at once`, ...cells]];
  });
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((it) => it.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = head.map((_, i) => i === 0 ? "---" : "--:");
  return [head, rule, ...rows].map(line).join("\n");
}
