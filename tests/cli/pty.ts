/** Runs the command line as a process, on a terminal or in a pipe. */

const CLI = new URL("../../cli/mod.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** How long to wait for a process, in milliseconds. */
const PATIENCE = 60_000;

const decoder = new TextDecoder();

/** The words that run `kv` with arguments. */
function commandOf(args: readonly string[]): [string, ...string[]] {
  const run = ["run", "--quiet", "--allow-all", `--config=${CONFIG}`, CLI];
  return [Deno.execPath(), ...run, ...args];
}

/** A process on a terminal of its own, by `script` of util-linux. */
export class Pty implements AsyncDisposable {
  output = "";
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #changed = Promise.withResolvers<void>();

  constructor(...args: string[]) {
    const words = commandOf(args)
      .map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    this.#process = new Deno.Command("script", {
      args: ["-qfec", `stty cols 100; exec ${words.join(" ")}`, "/dev/null"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      env: { TERM: "xterm", SHELL: "/bin/sh" },
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#process.stdout) {
      this.output += decoder.decode(chunk, { stream: true })
        // deno-lint-ignore no-control-regex -- moves of the cursor
        .replaceAll(/\x1b(?:\[[\d?]*[a-zA-Z]|[78])/g, "");
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
    this.#changed.resolve();
  }

  /** Waits until the output matches. */
  async until(pattern: RegExp): Promise<void> {
    const end = this.#reading.then(() => "end" as const);
    const timeout = Promise.withResolvers<"timeout">();
    const timer = setTimeout(() => timeout.resolve("timeout"), PATIENCE);
    try {
      while (!pattern.test(this.output)) {
        const changed = this.#changed.promise;
        const what = await Promise.race([changed, end, timeout.promise]);
        if (what !== undefined && !pattern.test(this.output)) {
          throw new Error(`no ${pattern} before the ${what}: ${this.output}`);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Types text; `"\x03"` is Ctrl-C. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Waits for the end; returns the exit code. */
  async end(): Promise<number> {
    await this.#reading;
    const { code } = await this.#process.status;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    try {
      this.#process.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await this.#reading;
    await this.#process.status;
  }
}

/** Runs `kv` on a terminal, to its end. */
export async function onTerminal(
  ...args: string[]
): Promise<{ code: number; output: string }> {
  await using pty = new Pty(...args);
  const code = await pty.end();
  return { code, output: pty.output.replaceAll("\r\n", "\n") };
}

/** Runs `kv` in a pipe, to its end. */
export async function inPipe(
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const [program, ...words] = commandOf(args);
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: words,
    stdin: "null",
  }).output();
  const [out, err] = [decoder.decode(stdout), decoder.decode(stderr)];
  return { code, out, err };
}
