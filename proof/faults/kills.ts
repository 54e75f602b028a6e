/** What was acknowledged before a process or a server was killed must be there. */
import type { KvStore } from "../../kv/store.ts";
import { openKv } from "../../open/mod.ts";
import { between, type Random, randomOf } from "../random.ts";
import { startTarget } from "../targets.ts";
import { isWhole, LANES, type Mark } from "./marks.ts";
import {
  linesOf,
  type Options,
  type Progress,
  type Result,
  sleep,
  type Suite,
} from "./suite.ts";

const PROGRAM = `${import.meta.dirname}/marks.ts`;

/** How long to write before a kill, in milliseconds. */
const WRITING = [10, 200] as const;

/** How long a store may take to answer after a kill, in milliseconds. */
const RECOVERY = 60_000;

type Backend = "sqlite" | "deno" | "redis" | "postgres" | "mysql";

/** The last number that was acknowledged in each lane. */
type Acknowledged = number[];

async function run(
  backend: Backend,
  { kills, seed }: Options,
  progress: Progress,
): Promise<Result> {
  await using target = await startTarget(backend, false);
  const random = randomOf(seed);
  const { url } = target.options;
  const [server] = target.servers;
  const acknowledged: Acknowledged = Array(LANES).fill(0);
  const failures: string[] = [];
  let made = 0;
  for (let i = 0; i < kills && failures.length < 5; i++) {
    const before = acknowledged.reduce((sum, number) => sum + number, 0);
    await killWriter(url, acknowledged, random, server?.kill.bind(server));
    await server?.restart();
    failures.push(...await check(url, acknowledged));
    made += acknowledged.reduce((sum, number) => sum + number, 0) - before;
    progress(i / kills, `${made} writes`);
  }
  return {
    summary: `${kills} kills, ${made} acknowledged writes`,
    failures,
  };
}

/** Kills a process that writes, or the server that it writes to. */
async function killWriter(
  url: string,
  acknowledged: Acknowledged,
  random: Random,
  killServer?: () => Promise<void>,
): Promise<void> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-all",
      "--unstable-kv",
      PROGRAM,
      url,
      JSON.stringify(acknowledged),
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let killed: Promise<void> | undefined;
  async function kill(): Promise<void> {
    await killServer?.();
    process.kill("SIGKILL");
  }
  for await (const line of linesOf(process.stdout)) {
    const [lane, number] = line.split(" ").map(Number) as [number, number];
    acknowledged[lane] = number;
    timer ??= setTimeout(() => killed = kill(), between(random, ...WRITING));
  }
  await process.status;
  await killed;
  if (timer === undefined) throw new Error("The process wrote nothing");
}

/** Reads what is there, and says what must not be. */
async function check(url: string, acknowledged: Acknowledged) {
  const failures: string[] = [];
  await using store = await openKv(url);
  for (const [lane, least] of acknowledged.entries()) {
    const mark = await readMark(store, lane);
    if (mark !== undefined && !isWhole(mark)) {
      failures.push(
        `lane ${lane} is torn: ${JSON.stringify(mark).slice(0, 80)}`,
      );
    }
    const number = mark?.number ?? 0;
    // The one after the last may have been applied, and is known now.
    if (number < least || number > least + 1) {
      failures.push(
        `lane ${lane}: ${number} is there, ${least} was acknowledged`,
      );
    }
    acknowledged[lane] = number;
  }
  return failures;
}

async function readMark(kv: KvStore, lane: number): Promise<Mark | undefined> {
  const end = performance.now() + RECOVERY;
  while (true) {
    try {
      return await kv.get<Mark>(["lane", `${lane}`]);
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(50);
    }
  }
}

const BACKENDS = ["sqlite", "deno", "redis", "postgres", "mysql"] as const;

/** Nothing acknowledged is lost, and nothing is torn. */
export const kills: Suite = {
  text: "a process that writes is killed, with its server if it has one",
  trials: BACKENDS.map((backend) => ({
    backend,
    title: "kills",
    run: (options: Options, progress: Progress) =>
      run(backend, options, progress),
  })),
};
