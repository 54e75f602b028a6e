// Runs a command to its end and returns its output.

/** What a command said, and whether it succeeded. */
export interface Outcome {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/** Options for {@linkcode run}. */
export interface RunOptions {
  /**
   * How long the command may take, in milliseconds.
   *
   * @default {10_000}
   */
  timeout?: number;
  /** The folder to run in: by default the current one. */
  cwd?: string;
  /** Variables of the environment, besides the inherited ones. */
  env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end. */
export async function run(
  [program, ...args]: readonly [string, ...string[]],
  { timeout = 10_000, cwd = ".", env }: RunOptions = {},
): Promise<Outcome> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeout);
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd,
      env: { LC_ALL: "C", ...env },
      signal: abort.signal,
      stdin: "null",
    }).output();
    return {
      ok: success,
      stdout: new TextDecoder().decode(stdout),
      stderr: new TextDecoder().decode(stderr),
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { ok: false, stdout: "", stderr: error.message };
  } finally {
    clearTimeout(timer);
  }
}
