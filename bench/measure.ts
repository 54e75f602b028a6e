/**
 * Measures the cases of a backend.
 *
 * @module
 */
import type { Histogram } from "hdr-histogram-js";
import type { Backend, OpenBackend } from "./backend.ts";
import { type Contestant, type Figure, interleave } from "./interleave.ts";
import { type Latencies, Mix, type MixOptions } from "./mix.ts";
import { operations } from "./operations.ts";
import type { Subject } from "./subject.ts";
import { type Case, isSame, targets } from "./targets.ts";
import { runWaves } from "./waves.ts";

/** How long to measure. */
export interface MeasureOptions {
  /** The number of rounds that count. */
  readonly rounds: number;
  /** How long each subject's turn in a round is. */
  readonly milliseconds: number;
  /** What the mix is. */
  readonly mix: MixOptions;
}

/** What came out of a case. */
export interface Result {
  readonly case: Case;
  readonly figures: readonly MeasuredFigure[];
  /** Who did not take part, and why. */
  readonly without: Readonly<Record<string, string>>;
  /** The versions of the packages and servers. */
  readonly versions: Readonly<Record<string, string>>;
}

/** A figure, with latencies if it is one of the mix. */
export type MeasuredFigure = Figure & {
  readonly latencies?: { gets: Percentiles; sets: Percentiles };
};

/** Latencies in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

const MIX_AT_ONCE = [1, 16, 256];

/** The cases that are measured by default: those that have a target, and more. */
export function casesOf(backend: Backend): Case[] {
  const cases: Case[] = [];
  for (const [operation, { sizes, atOnce }] of Object.entries(operations)) {
    if (operation === "set among 100,000") continue;
    for (const bytes of sizes) {
      for (const n of atOnce) {
        cases.push({ operation, bytes, atOnce: n } as Case);
      }
    }
  }
  for (const atOnce of MIX_AT_ONCE) {
    cases.push({ operation: "mix", bytes: 0, atOnce });
  }
  for (const target of targets) {
    if (
      target.backend === backend.name && !cases.some((it) => isSame(it, target))
    ) {
      cases.push(target);
    }
  }
  return cases.filter(({ operation }) =>
    backend.operations?.includes(operation) ?? true
  );
}

/**
 * Measures cases. Those of one operation and size share a backend that was
 * opened and loaded for them alone, so that no case depends on another.
 */
export async function* measure(
  backend: Backend,
  cases: readonly Case[],
  options: MeasureOptions,
): AsyncGenerator<Result> {
  const groups = Map.groupBy(cases, (it) => `${it.operation} ${it.bytes}`);
  for (const group of groups.values()) {
    const open = await backend.open();
    try {
      yield* measureGroup(open, group, options);
    } finally {
      await open.close();
    }
  }
}

async function* measureGroup(
  { subjects, absent, versions }: OpenBackend,
  group: readonly Case[],
  options: MeasureOptions,
): AsyncGenerator<Result> {
  const [{ operation, bytes }] = group as [Case];
  const without: Record<string, string> = { ...absent };
  const prepared: Prepared[] = [];
  for (const subject of subjects) {
    const reason = whyNot(subject, operation);
    if (reason === undefined) {
      prepared.push(await prepare(subject, operation, bytes, options));
    } else {
      without[subject.name] = reason;
    }
  }
  for (const it of group) {
    const contestants = prepared.map((one) => one.contestant(it.atOnce));
    const figures = await interleave(contestants, options.rounds);
    yield {
      case: it,
      figures: figures.map((figure, i) => {
        const latencies = prepared[i]!.latencies?.();
        return latencies === undefined ? figure : {
          ...figure,
          latencies: {
            gets: percentiles(latencies.gets),
            sets: percentiles(latencies.sets),
          },
        };
      }),
      without,
      versions,
    };
  }
}

/** A subject with what it needs for an operation. */
interface Prepared {
  contestant(atOnce: number): Contestant;
  latencies?(): Latencies;
}

async function prepare(
  subject: Subject,
  name: Case["operation"],
  bytes: number,
  { milliseconds, mix: mixOptions }: MeasureOptions,
): Promise<Prepared> {
  const { name: who } = subject;
  try {
    if (name === "mix") {
      const mix = await Mix.load(subject, mixOptions);
      return {
        contestant: (atOnce) => {
          mix.forget();
          return {
            name: who,
            turn() {
              const end = performance.now() + milliseconds;
              return mix.run(atOnce, () => performance.now() >= end);
            },
          };
        },
        latencies: () => mix.latencies,
      };
    }
    const operation = operations[name];
    const field = await operation.load(subject, bytes);
    return {
      contestant: (atOnce) => ({
        name: who,
        turn: () => runWaves(operation, field, { atOnce, milliseconds }),
      }),
    };
  } catch (error) {
    return {
      contestant: () => ({ name: who, turn: () => Promise.reject(error) }),
    };
  }
}

function whyNot(
  subject: Subject,
  operation: Case["operation"],
): string | undefined {
  const reason = subject.without?.[operation];
  if (reason !== undefined || operation === "mix") return reason;
  return operations[operation].fits(subject) ? undefined : "it has none";
}

function percentiles(histogram: Histogram): Percentiles {
  const at = (percentile: number) =>
    histogram.getValueAtPercentile(percentile) / 1e6;
  return { p50: at(50), p99: at(99), p999: at(99.9) };
}
