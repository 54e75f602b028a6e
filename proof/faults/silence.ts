/** A server that is stopped: every call is rejected in time, and all goes on. */
import type { Server } from "../../servers/mod.ts";
import { processesOf } from "../servers.ts";
import { startTarget } from "../targets.ts";
import {
  linesOf,
  type Options,
  type Progress,
  type Result,
  type Suite,
  within,
} from "./suite.ts";
import type { WaiterOptions, WaiterReport } from "./waiter.ts";

const PROGRAM = `${import.meta.dirname}/waiter.ts`;

const BACKENDS = ["redis", "redis-cluster", "postgres", "mysql"] as const;

type Backend = typeof BACKENDS[number];

/** How long a server may be silent, in milliseconds. */
const TIMEOUT = 1_000;

/** What a busy machine may add, which the summary shows. */
const SLACK = 10_000;

/** How long a process may take for each step. */
const PATIENCE = 300_000;

/** A process that makes calls when it is told to. */
class Waiter implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  constructor(options: WaiterOptions) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--allow-all",
        PROGRAM,
        JSON.stringify(options),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#orders = this.#process.stdin.getWriter();
    this.#lines = linesOf(this.#process.stdout);
  }

  /** What the process tells next. */
  async next(): Promise<WaiterReport> {
    const line = await within(PATIENCE, this.#lines.next());
    if (line === undefined || line.done) {
      throw new Error("The process ended or hangs");
    }
    return JSON.parse(line.value) as WaiterReport;
  }

  async order(order: string): Promise<WaiterReport> {
    await this.#orders.write(new TextEncoder().encode(`${order}\n`));
    return await this.next();
  }

  /** Tells the process to close its store, and returns how long it takes. */
  async close(): Promise<number | undefined> {
    const start = performance.now();
    await this.#orders.close();
    const status = await within(SLACK, this.#process.status);
    return status?.code === 0 ? performance.now() - start : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has exited already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#process.status;
    while (!(await this.#lines.next()).done);
  }
}

async function run(
  backend: Backend,
  _options: Options,
  progress: Progress,
): Promise<Result> {
  const failures: string[] = [];
  await using target = await startTarget(backend, false);
  const options = { backend, url: target.options.url, timeout: TIMEOUT };
  const [server] = target.servers as [Server];
  let first: WaiterReport;
  let exit: number | undefined;
  {
    await using waiter = new Waiter(options);
    await waiter.next();
    await using _stopped = await stop(backend, server);
    first = await waiter.order("silence");
    progress(0.3, `${first.rejected} rejected`);
    exit = await waiter.close();
    if (exit === undefined) failures.push("the process does not exit");
  }
  await using waiter = new Waiter(options);
  await waiter.next();
  let second: WaiterReport;
  {
    await using _stopped = await stop(backend, server);
    second = await waiter.order("silence");
  }
  progress(0.6, `${second.rejected} rejected`);
  const after = await waiter.order("after");
  const bulk = await waiter.order("bulk");
  const slowest = Math.max(first.slowest, second.slowest);
  if (slowest > TIMEOUT + SLACK) failures.push(`a call took ${slowest} ms`);
  for (const report of [first, second, after, bulk]) {
    failures.push(...report.failures);
  }
  const closed = await waiter.close();
  if (closed === undefined) failures.push("the process does not exit later");
  return {
    summary: `timeout ${TIMEOUT} ms: ${first.rejected + second.rejected} ` +
      `calls rejected, ${first.ok + second.ok} succeeded on other nodes, the ` +
      `last after ${Math.round(slowest)} ms; exit after ` +
      `${Math.round(exit ?? NaN)} ms; continued, first success after ` +
      `${Math.round(after.slowest)} ms; ${bulk.ok} of ` +
      `${bulk.ok + bulk.rejected} sets of a bulk succeeded in ` +
      `${Math.round(bulk.slowest)} ms`,
    failures,
  };
}

/** Stops a server until it is disposed. */
async function stop(
  backend: Backend,
  server: Server,
): Promise<AsyncDisposable> {
  const processes = await processesOf(backend, server);
  signal(processes, "SIGSTOP");
  // deno-lint-ignore require-await
  return { [Symbol.asyncDispose]: async () => signal(processes, "SIGCONT") };
}

function signal(processes: readonly number[], signal: Deno.Signal): void {
  for (const process of processes) {
    try {
      Deno.kill(process, signal);
    } catch (error) {
      // A connection that was closed meanwhile took its process with it.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Nothing waits for a server that does not answer, and nothing is lost. */
export const silence: Suite = {
  text: "a server, or one node of a Cluster, is stopped and continued",
  trials: BACKENDS.map((backend) => ({
    backend,
    title: "silence",
    run: (options: Options, progress: Progress) =>
      run(backend, options, progress),
  })),
};
