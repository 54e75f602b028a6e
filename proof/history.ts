/** Plays histories on a backend, each with faults of its own, and checks them. */
import { check } from "./check.ts";
import { type Fault, faultOf, type Scene, strike } from "./faults.ts";
import type { HistoryCall } from "./history_types.ts";
import type { Planted } from "./plant.ts";
import { type Random, randomOf } from "./random.ts";
import { type Failure, readRecord } from "./record.ts";
import { type Backend, isPrivate, isServer } from "./stores.ts";
import { startTarget, type Target } from "./targets.ts";
import { violationText } from "./text.ts";
import type { WriterOptions, WriterOrder } from "./writer.ts";
import { Writer } from "./writers.ts";

/** What to play. */
export interface Plan {
  readonly backend: Backend;
  /** Each history has one of these faults. */
  readonly faults: readonly [Fault, ...Fault[]];
  readonly seed: number;
  /** How many histories to play at most. */
  readonly histories: number;
  /** How long to play, in milliseconds. */
  readonly milliseconds: number;
  /** About how many calls a history has at least. */
  readonly calls: number;
  /** A fault to plant into the stores. */
  readonly planted?: Planted;
  /**
   * After how many failures to stop.
   *
   * @default {5}
   */
  readonly maxFailures?: number;
  /** Is called after each history. */
  readonly onProgress?: (report: Report) => void;
}

/** What was played, and what must not happen. */
export interface Report {
  readonly backend: Backend;
  histories: number;
  /** The calls by outcome. */
  readonly calls: Record<HistoryCall["outcome"], number>;
  /** The lists among them. */
  lists: number;
  /** How often each fault struck. */
  readonly strikes: Partial<Record<Fault, number>>;
  /** How many processes were started. */
  processes: number;
  /** The longest time from a call to its answer, in milliseconds. */
  slowest: number;
  /** What must not happen; empty if all went well. */
  readonly failures: Failure[];
}

/** How long a server may be silent, in milliseconds. */
export const TIMEOUT = 500;

/**
 * How long a call may take, in milliseconds: the timeout of a server, or what
 * embedded stores wait for a lock, 200 ms, and what a busy machine adds.
 */
const DEADLINE = { server: TIMEOUT + 200 + 29_300, file: 5_000 + 200 + 24_800 };

/** How long a store may take to recover, in milliseconds. */
const RECOVERY = 60_000;

/** How many processes play a history, how many stores each opens, and on how many keys. */
const PROCESSES = 3;
const CLIENTS = 4;
const KEYS = 5;

/** After how many histories the processes exit and others take their places. */
const LIFETIME = 50;

/** After how many failures to stop: more tell nothing new. */
const MAX_FAILURES = 5;

/** Plays histories until there are enough of them or the time is over. */
export async function play(plan: Plan): Promise<Report> {
  const { backend, histories, milliseconds, maxFailures = MAX_FAILURES } = plan;
  const report: Report = {
    backend,
    histories: 0,
    calls: { ok: 0, rejected: 0, unknown: 0 },
    lists: 0,
    strikes: {},
    processes: 0,
    slowest: 0,
    failures: [],
  };
  await using target = await startTarget(backend, plan.faults.includes("full"));
  const folder = await Deno.makeTempDir({ prefix: "kv-proof-" });
  const random = randomOf(plan.seed);
  const crew = { writers: [], target, folder, plan, report, random };
  try {
    const end = performance.now() + milliseconds;
    do {
      if (report.histories > 0 && report.histories % LIFETIME === 0) {
        await dismissUnderFault(crew);
      }
      await refill(crew);
      await playOne(crew);
      plan.onProgress?.(report);
    } while (
      report.histories < histories && performance.now() < end &&
      report.failures.length < maxFailures
    );
    await dismissUnderFault(crew);
  } finally {
    await dismiss(crew);
    await Deno.remove(folder, { recursive: true });
  }
  return report;
}

interface Crew {
  /** The processes, each in its place. */
  writers: Writer[];
  readonly target: Target;
  /** Where the records are. */
  readonly folder: string;
  readonly plan: Plan;
  readonly report: Report;
  readonly random: Random;
}

/** Starts processes in the empty places, and in those of processes that were killed. */
async function refill(crew: Crew): Promise<void> {
  const { backend, planted } = crew.plan;
  const size = isPrivate(backend) ? 1 : PROCESSES;
  crew.writers = await Promise.all(
    Array.from({ length: size }, async (_, index) => {
      const writer = crew.writers[index];
      if (writer?.wasKilled === false) return writer;
      await writer?.close();
      crew.report.processes++;
      const options: WriterOptions = {
        backend,
        ...crew.target.options,
        timeout: TIMEOUT,
        first: index * CLIENTS,
        clients: CLIENTS,
        ...(planted === undefined ? {} : { planted }),
      };
      return await Writer.start(options);
    }),
  );
}

/** Lets the processes exit. */
async function dismiss(crew: Crew): Promise<void> {
  const { writers, report } = crew;
  crew.writers = [];
  const failures = await Promise.all(writers.map((writer) => writer.close()));
  report.failures.push(...failures.filter((it) => it !== undefined));
}

/** Lets the processes exit while a fault strikes the servers. */
async function dismissUnderFault(crew: Crew): Promise<void> {
  const fault = faultOf(crew.random, crew.plan.faults);
  const isStruck = isServer(crew.plan.backend) && !fault.endsWith("-writer");
  await Promise.all([
    dismiss(crew),
    isStruck ? strike(fault, sceneOf(crew)) : undefined,
  ]);
}

function sceneOf({ target, writers, random }: Crew): Scene {
  return { target, writers, random };
}

async function playOne(crew: Crew): Promise<void> {
  const { plan, report, random } = crew;
  const { seed, planted } = plan;
  const fault = faultOf(random, plan.faults);
  const history = `${seed}-${report.histories}`;
  const failures: Failure[] = [];
  const playing = playAct(crew, history, "");
  const strikes = await strike(fault, sceneOf(crew));
  await Promise.all(crew.writers.map((writer) => writer.finish()));
  const records = await playing;
  if (crew.writers.some(({ wasKilled }) => wasKilled)) {
    // What the killed process left is for others to read.
    await refill(crew);
    const second = playAct(crew, history, "b");
    await Promise.all(crew.writers.map((writer) => writer.finish()));
    records.push(...await second);
  }
  const calls: HistoryCall[] = [];
  for (const record of records) {
    calls.push(...record.calls);
    failures.push(...record.failures);
    report.slowest = Math.max(report.slowest, record.slowest);
  }
  for (const { outcome, name } of calls) {
    report.calls[outcome]++;
    if (name === "list") report.lists++;
  }
  for (const violation of check(calls)) {
    failures.push({ kind: "violation", text: violationText(violation) });
  }
  report.strikes[fault] = (report.strikes[fault] ?? 0) + strikes;
  report.histories++;
  for (const { kind, text } of failures) {
    report.failures.push({
      kind,
      text: `${planted ?? plan.backend}, history ${history}, ${fault}: ${text}`,
    });
  }
}

/** Lets all processes play, and returns what they recorded. */
async function playAct(
  { writers, plan, report, folder }: Crew,
  history: string,
  act: string,
): Promise<Awaited<ReturnType<typeof readRecord>>[]> {
  const { backend, seed } = plan;
  const number = report.histories;
  return await Promise.all(writers.map(async (writer, index) => {
    const record = `${folder}/${history}-${index}${act}`;
    const order: WriterOrder = {
      history,
      ...(number > 0 && index === 0 && act === ""
        ? { previous: `${seed}-${number - 1}` }
        : {}),
      name: `${index}${act}`,
      seed: seed + 1_000 * number + 10 * index + (act === "" ? 0 : 5),
      calls: act === "" ? Math.ceil(plan.calls / writers.length / CLIENTS) : 1,
      keys: KEYS,
      deadline: isServer(backend) ? DEADLINE.server : DEADLINE.file,
      patience: RECOVERY,
      record,
    };
    const failure = await writer.play(order);
    const { calls, failures, slowest } = await readRecord(record);
    await Deno.remove(record).catch(() => {});
    return {
      calls,
      failures: failure === undefined ? failures : [...failures, failure],
      slowest,
    };
  }));
}
