/** What the suites of faults have in common. */
import type { Panel } from "../../bench/chart.ts";

/** Choices of the command line. */
export interface Options {
  /** How many calls a trial makes. */
  readonly calls: number;
  /** How many kills a trial survives. */
  readonly kills: number;
  /** How many entries a trial damages. */
  readonly entries: number;
  /** How long a soak takes, in minutes. */
  readonly minutes: number;
  /** How many calls a soak makes in a second. */
  readonly rate: number;
  readonly seed: number;
}

/** What a trial led to. */
export interface Result {
  /** Figures, for a line of the output. */
  readonly summary: string;
  /** What must not happen; empty if all went well. */
  readonly failures: readonly string[];
  /** What to draw, if there is something. */
  readonly panel?: Panel;
}

/** Tells how much of a trial is done, from 0 to 1, and what happened so far. */
export type Progress = (share: number, facts?: string) => void;

/** A part of a suite, on one backend. */
export interface Trial {
  readonly backend: string;
  /** What happens to it. */
  readonly title: string;
  run(options: Options, progress: Progress): Promise<Result>;
}

/** Trials of one kind. */
export interface Suite {
  /** What it shows, for the help. */
  readonly text: string;
  /** Whether the trials run at the same time. */
  readonly isSimultaneous?: boolean;
  readonly trials: readonly Trial[];
}

/** Waits. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Returns what a promise leads to, or `undefined` after a time. */
export async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The lines of a stream. */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
