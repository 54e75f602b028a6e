/**
 * A running `program.ts`, and requests to it.
 *
 * @module
 */
import type { Outcome, Workload } from "./program.ts";

/** A running `program.ts`. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";
  #url = "";

  private constructor([program, ...args]: string[]) {
    this.#child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  static async start(command: string[]): Promise<Program> {
    const program = new Program(command);
    const { port } = await program.#answer() as { port: number };
    program.#url = `http://127.0.0.1:${port}/`;
    return program;
  }

  /** Starts a workload, and makes requests until it is over. */
  async measure(workload: Workload): Promise<Outcome & { request: number }> {
    let isOver = false;
    await this.#input.write(new TextEncoder().encode(`${workload}\n`));
    const answer = this.#answer().finally(() => isOver = true);
    let request = 0;
    while (!isOver) {
      const start = performance.now();
      await (await fetch(this.#url)).text();
      request = Math.max(request, performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return { ...await answer as Outcome, request };
  }

  async #answer(): Promise<unknown> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("the program has ended");
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.write(new TextEncoder().encode("end\n")).catch(() => {});
    await this.#input.close().catch(() => {});
    await this.#child.status;
    await this.#lines.cancel();
  }
}
