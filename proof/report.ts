/** Reports of runs: lines of text, and a table in Markdown. */
import type { Report } from "./history.ts";
import type { Failure } from "./record.ts";

/** Describes a run in some lines. */
export function textOf(report: Report): string {
  const { backend, histories, calls, lists, processes } = report;
  return `${backend}: ${histories} histories, ${totalOf(report)} calls ` +
    `(${calls.ok} ok, ${calls.rejected} rejected, ${calls.unknown} unknown, ` +
    `${lists} of them lists), ${processes} processes, ` +
    `slowest call ${Math.round(report.slowest)} ms, ` +
    `${report.failures.length} failures\n` +
    `  faults: ${strikesOf(report)}`;
}

const COLUMNS: readonly [string, (report: Report) => string][] = [
  ["backend", ({ backend }) => backend],
  ["histories", ({ histories }) => figure(histories)],
  ["calls", (report) => figure(totalOf(report))],
  ["lists", ({ lists }) => figure(lists)],
  ["rejected", ({ calls }) => figure(calls.rejected)],
  ["unknown", ({ calls }) => figure(calls.unknown)],
  ["faults", strikesOf],
  ["processes", ({ processes }) => figure(processes)],
  ["slowest call", ({ slowest }) => `${figure(slowest)} ms`],
  ["violations", failuresOf("violation")],
  ["wrong errors", failuresOf("error")],
  ["never settled", failuresOf("unsettled")],
  ["failed exits", failuresOf("exit")],
];

/** Draws a table with a row for each backend, which sums up its runs. */
export function tableOf(reports: readonly Report[]): string {
  const sums = [...Map.groupBy(reports, ({ backend }) => backend).values()]
    .map((reports) => reports.reduce(sum));
  return row(COLUMNS.map(([name]) => name)) +
    row(COLUMNS.map(() => "---")) +
    sums.map((sum) => row(COLUMNS.map(([, textOf]) => textOf(sum)))).join("");
}

function sum(a: Report, b: Report): Report {
  return {
    backend: a.backend,
    histories: a.histories + b.histories,
    calls: sumOf(a.calls, b.calls) as Report["calls"],
    lists: a.lists + b.lists,
    strikes: sumOf(a.strikes, b.strikes),
    processes: a.processes + b.processes,
    slowest: Math.max(a.slowest, b.slowest),
    failures: [...a.failures, ...b.failures],
  };
}

function sumOf(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]),
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

function totalOf({ calls }: Report): number {
  return calls.ok + calls.rejected + calls.unknown;
}

function strikesOf({ strikes }: Report): string {
  return Object.entries(strikes).map(([fault, count]) =>
    `${figure(count)} ${fault}`
  ).join(", ");
}

function failuresOf(kind: Failure["kind"]): (report: Report) => string {
  return ({ failures }) =>
    figure(failures.filter((failure) => failure.kind === kind).length);
}

function figure(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}
