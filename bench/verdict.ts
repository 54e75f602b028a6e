/**
 * Whether the figures meet the targets.
 *
 * @module
 */
import { OURS } from "./backend.ts";
import type { Result } from "./measure.ts";
import { ratio, type Spread } from "./statistics.ts";
import { type Case, isSame, targets } from "./targets.ts";
import { describeCase, describeSpread, figureOf } from "./text.ts";

/** A target and what was measured. */
export interface Verdict {
  /** The case and who we are compared with, in words. */
  readonly what: string;
  /** The least ratio. */
  readonly least: number;
  /** What was measured: why nothing was, if a text. */
  readonly measured: Spread | string;
  /** Whether it is enough; `undefined` if nothing was measured. */
  readonly met: boolean | undefined;
}

/** Whether a case of a backend has a target. */
export function hasTarget(it: Case, backend: string): boolean {
  return targets.some((target) =>
    target.backend === backend && isSame(target, it)
  );
}

/** Holds the results of a backend against its targets. */
export function judge(
  backend: string,
  results: readonly Result[],
): Verdict[] {
  return targets.filter((target) => target.backend === backend)
    .flatMap((target) => {
      const result = results.find((it) => isSame(it.case, target));
      if (result === undefined) return [];
      const { fedify, raw } = target;
      const verdicts: Verdict[] = [];
      if (fedify !== undefined) {
        verdicts.push(
          judgeOne(result, "Fedify", fedify, (it) => it === "Fedify"),
        );
      }
      if (raw !== undefined) {
        verdicts.push(
          judgeOne(result, "raw", raw, (it) => it.startsWith("raw ")),
        );
      }
      return verdicts;
    });
}

function judgeOne(
  result: Result,
  whom: string,
  least: number,
  isTheirs: (name: string) => boolean,
): Verdict {
  const what = `${describeCase(result.case)}, to ${whom}`;
  const ours = figureOf(result, (name) => name === OURS);
  const theirs = figureOf(result, isTheirs);
  if (ours === undefined || theirs === undefined) {
    const measured = Object.entries(result.without)
      .find(([name]) => isTheirs(name))?.[1] ?? "it failed";
    return { what, least, measured, met: undefined };
  }
  const measured = ratio(ours.rates, theirs.rates);
  return { what, least, measured, met: measured.median >= least };
}

/** A verdict as a line. */
export function describeVerdict({ what, least, measured, met }: Verdict) {
  if (typeof measured === "string") {
    return `no figure  ${what}: at least ${least}: ${measured}`;
  }
  return `${met ? "met      " : "NOT MET  "}  ${what}: at least ${least}: ` +
    describeSpread(measured);
}
