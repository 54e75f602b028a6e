/** The processes that play histories. */
import type { Failure } from "./record.ts";
import { FINISH, type WriterOptions, type WriterOrder } from "./writer.ts";

const PROGRAM = `${import.meta.dirname}/writer.ts`;

/** How long a process may take to start or to exit, in milliseconds. */
const PATIENCE = 60_000;

/** A process that plays its part of one history after another. */
export class Writer {
  readonly #process: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  readonly #errors: Promise<string>;
  #wasKilled = false;

  private constructor(options: WriterOptions) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--allow-all",
        "--unstable-kv",
        PROGRAM,
        JSON.stringify(options),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#orders = this.#process.stdin.getWriter();
    this.#lines = linesOf(this.#process.stdout);
    this.#errors = new Response(this.#process.stderr).text();
  }

  /** Starts a process and waits until its stores are open. */
  static async start(options: WriterOptions): Promise<Writer> {
    const writer = new Writer(options);
    const { done } = await writer.#lines.next();
    if (done) {
      throw new Error(`Cannot start a writer: ${await writer.#errors}`);
    }
    return writer;
  }

  /** Whether it was killed. */
  get wasKilled(): boolean {
    return this.#wasKilled;
  }

  /**
   * Plays its part of a history.
   *
   * @returns What must not happen: that the process ended though nobody killed it.
   */
  async play(order: WriterOrder): Promise<Failure | undefined> {
    await this.#order(JSON.stringify(order));
    const { done } = await this.#lines.next();
    if (!done || this.#wasKilled) return undefined;
    return exit(`A process ended: ${await this.#errors}`);
  }

  /** Tells the process that the fault is over, so that it finishes the history. */
  async finish(): Promise<void> {
    await this.#order(FINISH);
  }

  /** A process that has ended needs no order. */
  async #order(line: string): Promise<void> {
    await this.#orders.write(new TextEncoder().encode(`${line}\n`))
      .catch(() => {});
  }

  /** Kills the process. */
  kill(): void {
    this.#wasKilled = true;
    this.#signal("SIGKILL");
  }

  /** Stops the process until it is continued. */
  pause(): void {
    this.#signal("SIGSTOP");
  }

  /** Continues the process. */
  resume(): void {
    this.#signal("SIGCONT");
  }

  /**
   * Tells the process to close its stores, and waits until it exits.
   *
   * @returns What must not happen: that it fails or does not exit.
   */
  async close(): Promise<Failure | undefined> {
    await this.#orders.close().catch(() => {});
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.#signal("SIGKILL");
    }, PATIENCE);
    for (let end = false; !end;) end = (await this.#lines.next()).done === true;
    const { code } = await this.#process.status;
    const errors = await this.#errors;
    clearTimeout(timer);
    if (this.#wasKilled) return undefined;
    if (timedOut) return exit(`A process did not exit within ${PATIENCE} ms`);
    if (code === 0) return undefined;
    return exit(`A process exited with ${code}: ${errors}`);
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      // It has exited already.
      if (
        !(error instanceof TypeError) &&
        !(error instanceof Deno.errors.NotFound)
      ) {
        throw error;
      }
    }
  }
}

async function* linesOf(
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

function exit(text: string): Failure {
  return { kind: "exit", text: text.slice(0, 2_000) };
}
