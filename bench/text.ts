/**
 * Figures as text.
 *
 * @module
 */
import Table from "cli-table3";
import { OURS } from "./backend.ts";
import type { MeasuredFigure, Percentiles, Result } from "./measure.ts";
import { ratio, type Spread, spread } from "./statistics.ts";
import type { Case } from "./targets.ts";

/** A case in words. */
export function describeCase({ operation, bytes, atOnce }: Case): string {
  const size = operation === "mix" ? "" : ` ${describeBytes(bytes)}`;
  return `${operation}${size}, ${atOnce} at once`;
}

/** A size with its unit. */
export function describeBytes(bytes: number): string {
  return bytes % 1_024 === 0 ? `${bytes / 1_024} KiB` : `${bytes} B`;
}

/** Calls a second, short. */
export function describeRate(rate: number): string {
  return `${
    new Intl.NumberFormat("en", { maximumSignificantDigits: 3 })
      .format(rate)
  }/s`;
}

/** A ratio, short. */
export function describeRatio(ratio: number): string {
  if (ratio >= 100) return Math.round(ratio).toLocaleString("en");
  return ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);
}

/** A ratio with the quartiles around it. */
export function describeSpread({ median, low, high }: Spread): string {
  return `${describeRatio(median)} (${describeRatio(low)}–${
    describeRatio(high)
  })`;
}

/** The figure of a subject, if it has one. */
export function figureOf(
  { figures }: Result,
  name: (name: string) => boolean,
): MeasuredFigure | undefined {
  return figures.find((figure) => name(figure.name) && figure.rates.length > 0);
}

/** A result as a table with a row for each subject. */
export function describeResult(result: Result): string {
  const ours = figureOf(result, (name) => name === OURS);
  const mix = result.case.operation === "mix";
  const table = new Table({
    head: [
      describeCase(result.case),
      "calls",
      `${OURS} to it`,
      ...mix ? ["gets: p50, p99, p99.9 ms", "sets: p50, p99, p99.9 ms"] : [],
    ],
    colAligns: ["left", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, rates, failure, latencies } of result.figures) {
    if (failure !== undefined) {
      table.push([name, {
        colSpan: mix ? 4 : 2,
        content: `FAILED: ${failure}`,
      }]);
      continue;
    }
    table.push([
      name,
      describeRate(spread(rates).median),
      name === OURS || ours === undefined
        ? ""
        : describeSpread(ratio(ours.rates, rates)),
      ...latencies === undefined
        ? []
        : [describeLatency(latencies.gets), describeLatency(latencies.sets)],
    ]);
  }
  return table.toString();
}

function describeLatency({ p50, p99, p999 }: Percentiles): string {
  if (p50 === 0) return "–";
  return [p50, p99, p999].map((it) => it.toPrecision(3)).join("  ");
}
