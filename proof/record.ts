/**
 * The record of a history: a file of lines for each process.
 *
 * A call is on record before it is made, and its answer after it arrived. So the
 * record of a killed process is true: calls without an answer are of unknown
 * outcome.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { CallName, HistoryCall, Outcome } from "./history_types.ts";

/** A call that is about to be made. */
export type Invocation = Pick<
  HistoryCall,
  "client" | "order" | "key" | "name" | "value" | "expected" | "ttl"
>;

/** What a call resolved to. */
export type Answer = Pick<HistoryCall, "result" | "entries">;

/** What must not happen. */
export interface Failure {
  /**
   * - `"violation"`: an answer that is impossible.
   * - `"unsettled"`: a call that did not settle, or a store that did not recover.
   * - `"error"`: a call that rejected with a wrong error.
   * - `"exit"`: a process that crashed or did not exit.
   */
  readonly kind: "violation" | "unsettled" | "error" | "exit";
  readonly text: string;
}

interface Line extends Partial<HistoryCall> {
  readonly client: string;
  readonly order: number;
  readonly failure?: Failure;
}

/** What one process did. */
export interface Record {
  readonly calls: readonly HistoryCall[];
  /** What no call may do. */
  readonly failures: readonly Failure[];
  /** The longest time from a call to its answer, in milliseconds. */
  readonly slowest: number;
}

/**
 * The common clock of the processes on one machine, in milliseconds: the
 * system's, with the resolution of `performance.now()`.
 */
export function now(): number {
  return performance.now() + offset;
}

let offset = 0;

/** How often the clocks are compared: some milliseconds, without interruptions. */
const COMPARISONS = 20_000;

/**
 * Finds out how far `performance.now()` is from the system's clock, which may
 * change over time. Unlike `performance.timeOrigin`, it is right however busy the
 * machine is: a delay between the two readings, and the part of a millisecond
 * that `Date.now()` leaves out, make a difference smaller, never larger.
 */
export function setClock(): void {
  let largest = -Infinity;
  for (let i = 0; i < COMPARISONS; i++) {
    largest = Math.max(largest, Date.now() - performance.now());
  }
  offset = largest;
}

/** Whether a call changes nothing. */
export function isRead(name: CallName): boolean {
  return name === "get" || name === "list";
}

/** How far the clocks of two processes may differ, in milliseconds. */
const CLOCK_SLACK = 0.25;

/** Writes the record of a process. */
export class Recorder implements Disposable {
  readonly #file: number;
  #isOpen = true;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  /** Records that a call is about to be made. */
  invoked(call: Invocation): void {
    this.#write({ ...call, invoked: now() });
  }

  /** Records how a call ended. */
  settled(
    { client, order }: Invocation,
    outcome: Outcome,
    answer: Answer = {},
  ): void {
    this.#write({ client, order, outcome, responded: now(), ...answer });
  }

  /** Records what must not happen to a call. */
  failed(
    { client, order, name, key }: Invocation,
    kind: Failure["kind"],
    text: string,
  ): void {
    const failure = {
      kind,
      text: `${client} #${order} ${name}(${key}): ${text}`,
    };
    this.#write({ client, order, failure });
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    closeSync(this.#file);
  }

  #write(line: Line): void {
    // A call that did not settle in time may do so later.
    if (!this.#isOpen) return;
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** Reads the record of a process that has finished or was killed. */
export async function readRecord(path: string): Promise<Record> {
  const text = await readFile(path, "utf8").catch((error) => {
    // The process was killed before it made a call.
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const calls = new Map<string, HistoryCall>();
  const failures: Failure[] = [];
  let slowest = 0;
  // What follows the last line break was being written when the process was killed.
  for (const json of text.split("\n").slice(0, -1)) {
    const { failure, ...line } = JSON.parse(json) as Line;
    const id = `${line.client} ${line.order}`;
    if (failure !== undefined) {
      failures.push(failure);
    } else if (line.outcome === undefined) {
      calls.set(id, {
        ...line as HistoryCall,
        outcome: outcomeWithoutAnswer(line.name!),
        invoked: line.invoked! - CLOCK_SLACK,
        responded: Infinity,
      });
    } else {
      const call = calls.get(id)!;
      const responded = line.responded! + CLOCK_SLACK;
      slowest = Math.max(slowest, responded - call.invoked);
      const isOk = line.outcome === "ok";
      calls.set(id, {
        ...call,
        ...line,
        responded: isOk ? responded : Infinity,
      });
    }
  }
  return { calls: [...calls.values()], failures, slowest };
}

function outcomeWithoutAnswer(name: CallName): Outcome {
  return isRead(name) ? "rejected" : "unknown";
}
