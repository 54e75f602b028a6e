/** Plays histories on a backend while faults strike, and checks them. */
import { check } from "./check.ts";
import { type Fault, FaultLoop } from "./faults.ts";
import type { HistoryCall } from "./history_types.ts";
import type { Planted } from "./plant.ts";
import { randomOf } from "./random.ts";
import { readRecord } from "./record.ts";
import { type Backend, isServer } from "./stores.ts";
import { startTarget } from "./targets.ts";
import { violationText } from "./text.ts";
import type { WriterOptions } from "./writer.ts";
import { Writer } from "./writers.ts";

/** What to play. */
export interface Plan {
  readonly backend: Backend;
  readonly fault: Fault;
  readonly seed: number;
  /** How many histories to play at most. */
  readonly histories: number;
  /** How long to play, in milliseconds. */
  readonly milliseconds: number;
  /** About how many calls a history has. */
  readonly calls: number;
  /** A fault to plant into the stores. */
  readonly planted?: Planted;
  /** Is called after each history. */
  readonly onProgress?: (report: Report) => void;
}

/** What was played, and what must not happen. */
export interface Report {
  readonly backend: Backend;
  readonly fault: Fault;
  histories: number;
  /** The calls by outcome. */
  readonly calls: Record<HistoryCall["outcome"], number>;
  /** How often the fault struck. */
  strikes: number;
  /** How many processes were started. */
  processes: number;
  /** The longest time from a call to its answer, in milliseconds. */
  slowest: number;
  /** Texts of what must not happen; empty if all went well. */
  readonly failures: string[];
}

/** How long a server may be silent, in milliseconds. */
export const TIMEOUT = 1_000;

/**
 * How long a call may take, in milliseconds: the timeout of a server, or what
 * embedded stores wait for a lock, 200 ms, and what a busy machine adds.
 */
const DEADLINE = { server: TIMEOUT + 200 + 28_800, file: 5_000 + 200 + 24_800 };

/** How long a store may take to recover, in milliseconds. */
const RECOVERY = 60_000;

/** How many processes play a history, how many stores each opens, and on how many keys. */
const PROCESSES = 3;
const CLIENTS = 4;
const KEYS = 5;

/** After how many histories the processes exit and others take their places. */
const LIFETIME = 25;

/** Stops after so many failures, because the rest tells nothing new. */
const MAX_FAILURES = 5;

/** Plays histories until there are enough of them or the time is over. */
export async function play(plan: Plan): Promise<Report> {
  const { backend, fault, histories, milliseconds } = plan;
  const report: Report = {
    backend,
    fault,
    histories: 0,
    calls: { ok: 0, rejected: 0, unknown: 0 },
    strikes: 0,
    processes: 0,
    slowest: 0,
    failures: [],
  };
  await using target = await startTarget(backend, fault === "cut");
  const folder = await Deno.makeTempDir({ prefix: "kv-proof-" });
  const options: WriterOptions = {
    backend,
    url: target.url,
    timeout: TIMEOUT,
    // A store in memory belongs to one client.
    clients: backend === "memory" ? 1 : CLIENTS,
    ...(plan.planted === undefined ? {} : { planted: plan.planted }),
  };
  const writers: Writer[] = [];
  const crew = { writers, options, report, random: randomOf(plan.seed) };
  try {
    const end = performance.now() + milliseconds;
    await refill(crew);
    await using faults = new FaultLoop(fault, { ...crew, target });
    do {
      if (report.histories > 0 && report.histories % LIFETIME === 0) {
        await dismiss(crew);
      }
      await refill(crew);
      await playOne(plan, crew, folder);
      report.strikes = faults.strikes;
      plan.onProgress?.(report);
    } while (
      report.histories < histories && performance.now() < end &&
      report.failures.length < MAX_FAILURES
    );
  } finally {
    await dismiss(crew);
    await Deno.remove(folder, { recursive: true });
  }
  return report;
}

interface Crew {
  readonly writers: Writer[];
  readonly options: WriterOptions;
  readonly report: Report;
  readonly random: () => number;
}

/** Starts processes in the places of those that were killed. */
async function refill({ writers, options, report }: Crew): Promise<void> {
  const size = options.backend === "memory" ? 1 : PROCESSES;
  const killed = writers.filter(({ wasKilled }) => wasKilled);
  for (const writer of killed) {
    writers.splice(writers.indexOf(writer), 1);
    await writer.close();
  }
  const missing = Array.from(
    { length: size - writers.length },
    () => Writer.start(options),
  );
  report.processes += missing.length;
  writers.push(...await Promise.all(missing));
}

/** Lets the processes exit, while faults may still strike. */
async function dismiss({ writers, report }: Crew): Promise<void> {
  const faults = await Promise.all(writers.map((writer) => writer.close()));
  writers.length = 0;
  report.failures.push(...faults.filter((fault) => fault !== undefined));
}

async function playOne(
  { backend, calls, seed, planted }: Plan,
  { writers, options, report }: Crew,
  folder: string,
): Promise<void> {
  const history = `${seed}-${report.histories}`;
  const recordOf = (index: number) => `${folder}/${history}-${index}`;
  const players = [...writers];
  const clients = players.length * options.clients;
  const faults = await Promise.all(players.map((writer, index) =>
    writer.play({
      history,
      name: `${index}`,
      seed: seed + 1_000 * report.histories + 10 * index,
      calls: Math.ceil(calls / clients),
      keys: KEYS,
      deadline: isServer(backend) ? DEADLINE.server : DEADLINE.file,
      patience: RECOVERY,
      record: recordOf(index),
    })
  ));
  const failures = faults.filter((fault) => fault !== undefined);
  const all: HistoryCall[] = [];
  for (const index of players.keys()) {
    const record = await readRecord(recordOf(index));
    all.push(...record.calls);
    failures.push(...record.faults);
    report.slowest = Math.max(report.slowest, record.slowest);
  }
  for (const { outcome } of all) report.calls[outcome]++;
  failures.push(...check(all).map(violationText));
  report.histories++;
  report.failures.push(
    ...failures.map((text) =>
      `${planted ?? backend}, history ${history}: ${text}`
    ),
  );
}
