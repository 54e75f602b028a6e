/**
 * The report as a page of HTML that needs nothing else.
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
  figureOf,
} from "./text.ts";
import type { Verdict } from "./verdict.ts";

/** What was measured on a backend. */
export interface Chapter {
  readonly title: string;
  readonly results: readonly Result[];
  readonly verdicts: readonly Verdict[];
  /** Why nothing was measured, if so. */
  readonly skipped?: string;
}

/** What the page tells besides. */
export interface Facts {
  readonly machine: string;
  readonly date: string;
  readonly command: string;
  readonly method: string;
}

const CSS = `
:root { color-scheme: light dark; --ink: light-dark(#1f2328, #e6edf3);
  --paper: light-dark(#fff, #0d1117); --line: light-dark(#d1d9e0, #3d444d);
  --good: light-dark(#1a7f37, #3fb950); --bad: light-dark(#d1242f, #ff7b72); }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line);
  text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
small { opacity: 0.75; }
.met { color: var(--good); } .missed { color: var(--bad); }
code { font-family: ui-monospace, monospace; }`;

/** Writes the page. */
export function writePage(
  facts: Facts,
  charts: readonly string[],
  chapters: readonly Chapter[],
): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Benchmarks of ${OURS}</title>
<style>${CSS}
</style>
<h1>Benchmarks of ${OURS}</h1>
<p>${escape(facts.method)}</p>
<p>${escape(facts.machine)}<br>${escape(facts.date)}</p>
<p>On your machine: <code>${escape(facts.command)}</code></p>
${charts.join("\n")}
${chapters.map(writeChapter).join("\n")}
</html>
`;
}

function writeChapter({ title, results, verdicts, skipped }: Chapter): string {
  const parts = [`<h2>${escape(title)}</h2>`];
  if (skipped !== undefined) {
    parts.push(`<p class="missed">Skipped: ${escape(skipped)}</p>`);
  }
  const [first] = results;
  if (first === undefined) return parts.join("\n");
  const versions = Object.entries(first.versions).map((it) => it.join(" "));
  parts.push(`<p>${escape(versions.join(", "))}</p>`);
  const names = [
    ...new Set(results.flatMap((it) => it.figures.map(({ name }) => name))),
  ];
  parts.push(`<div class="wide"><table>
<tr><th>calls a second${
    names.map((name) => `<th>${escape(name)}`).join("")
  }<tr><th>${
    names.map((name) =>
      `<th><small>${name === OURS ? "" : `${OURS} to it`}</small>`
    ).join("")
  }
${results.map((result) => writeRow(result, names)).join("\n")}
</table></div>`);
  const reasons = new Map(
    results.flatMap(({ without }) => Object.entries(without)),
  );
  const absent = [...reasons].filter(([name]) => !names.includes(name));
  if (absent.length > 0) {
    const items = absent.map((it) => `<li>${escape(it.join(": "))}`);
    parts.push(`<p>Not here:<ul>${items.join("")}</ul>`);
  }
  const latencies = results.flatMap(writeLatencies);
  if (latencies.length > 0) {
    parts.push(`<div class="wide"><table>
<tr><th>mix: latencies in ms<th>gets p50<th>p99<th>p99.9<th>sets p50<th>p99<th>p99.9
${latencies.join("\n")}
</table></div>`);
  }
  const judged = verdicts.filter(({ met }) => met !== undefined);
  if (judged.length > 0) {
    parts.push(`<details><summary>What we hold ourselves to</summary>
<div class="wide"><table>
<tr><th>${OURS}, how often as fast<th>at least<th>measured
${judged.map(writeVerdict).join("\n")}
</table></div></details>`);
  }
  return parts.join("\n");
}

function writeRow(result: Result, names: readonly string[]): string {
  const { operation, bytes, atOnce } = result.case;
  const what = operation === "mix"
    ? operation
    : `${operation}, ${describeBytes(bytes)}`;
  const ours = figureOf(result, (name) => name === OURS);
  const cells = names.map((name) => {
    const figure = result.figures.find((it) => it.name === name);
    return `<td>${figure === undefined ? "" : writeFigure(figure, ours)}`;
  });
  return `<tr><td>${what}, ${atOnce} at once${cells.join("")}`;
}

function writeFigure(
  { name, rates, failure }: MeasuredFigure,
  ours: MeasuredFigure | undefined,
): string {
  if (failure !== undefined) {
    return `<span class="missed" title="${escape(failure)}">failed</span>`;
  }
  const rate = describeRate(spread(rates).median);
  if (name === OURS || ours === undefined) return rate;
  return `${rate}<br><small>${writeRatio(ratio(ours.rates, rates))}</small>`;
}

function writeRatio({ median, low, high }: Spread): string {
  const range = `${describeRatio(low)}–${describeRatio(high)}`;
  return `<span title="${range}">× ${describeRatio(median)}</span>`;
}

function writeLatencies({ case: { atOnce }, figures }: Result): string[] {
  return figures.flatMap(({ name, latencies }) => {
    if (latencies === undefined) return [];
    const cells = [latencies.gets, latencies.sets]
      .flatMap(({ p50, p99, p999 }) => [p50, p99, p999])
      .map((it) => `<td>${it.toPrecision(3)}`);
    return [`<tr><td>${escape(name)}, ${atOnce} at once${cells.join("")}`];
  });
}

function writeVerdict({ what, least, measured, met }: Verdict): string {
  return `<tr><td>${escape(what)}<td>${least}<td class="${
    met ? "met" : "missed"
  }">${writeRatio(measured as Spread)}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}
