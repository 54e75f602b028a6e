/** Where the command line reads and writes. */

import process from "node:process";
import { createInterface } from "node:readline";
import { Expected } from "./errors.ts";

/** What a caller may replace, such as a test. */
export interface TerminalOptions {
  readonly stdin?: NodeJS.ReadableStream;
  readonly write?: (text: string) => void;
  readonly writeError?: (text: string) => void;
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

function endOnPipe(error: Error & { code?: string }): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

/** The streams of a command, its signal and its exit code. */
export class Terminal {
  exitCode = 0;
  readonly isTerminal: boolean;
  /** What is to be cleared before anything else is written. */
  bar: { hide(): void } | undefined;
  readonly #write: (text: string) => void;
  readonly #writeError: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly #stdin: NodeJS.ReadableStream;
  readonly #abort = new AbortController();
  readonly #interrupt = () =>
    this.#abort.abort(new Expected("Interrupted.", 130));

  constructor(options: TerminalOptions) {
    this.#stdin = options.stdin ?? process.stdin;
    this.#write = options.write ?? ((text) => void process.stdout.write(text));
    this.#writeError = options.writeError ??
      ((text) => void process.stderr.write(text));
    this.isTerminal = options.isTerminal ?? process.stdout.isTTY === true;
    this.env = options.env ?? process.env;
    process.on("SIGINT", this.#interrupt);
    // `kv export | head` closes the pipe: there is nobody left to write to.
    if (options.write === undefined) process.stdout.on("error", endOnPipe);
  }

  /** Is aborted by Ctrl-C. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Writes text to the standard output. */
  write(text: string): void {
    this.bar?.hide();
    this.#write(text);
  }

  /** Writes text to the standard error. */
  writeError(text: string): void {
    this.bar?.hide();
    this.#writeError(text);
  }

  /** Writes a line. */
  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** The lines of the standard input or of a file. */
  async *lines(
    input: NodeJS.ReadableStream = this.#stdin,
  ): AsyncGenerator<string> {
    // Node's readline also ends a line at U+2028, which JSON texts may contain.
    const decoder = new TextDecoder();
    // Otherwise it would wait for the next line.
    const end = () => (input as NodeJS.ReadStream).destroy(this.signal.reason);
    this.signal.addEventListener("abort", end, { once: true });
    let rest: string[] = [];
    for await (const bytes of input) {
      const text = typeof bytes === "string"
        ? bytes
        : decoder.decode(bytes, { stream: true });
      const [first, ...others] = text.split("\n");
      rest.push(first!);
      if (others.length === 0) continue;
      yield rest.join("");
      rest = [others.pop()!];
      yield* others;
    }
    const last = rest.join("") + decoder.decode();
    if (last !== "") yield last;
  }

  /** Asks a question that is answered with yes or no. */
  async confirm(question: string): Promise<boolean> {
    if (!this.isTerminal) return false;
    const lines = createInterface({
      input: this.#stdin,
      output: process.stderr,
    });
    try {
      return await new Promise((resolve) => {
        lines.question(
          `${question} [y/N] `,
          (answer) => resolve(/^y(es)?$/i.test(answer.trim())),
        );
        lines.once("close", () => resolve(false));
        lines.once("SIGINT", () => {
          this.#interrupt();
          lines.close();
        });
      });
    } finally {
      lines.close();
    }
  }

  /** Stops listening to Ctrl-C. */
  close(): void {
    process.off("SIGINT", this.#interrupt);
  }
}
