// Installs Node, Bun and better-sqlite3 for tests, and runs programs in them.
import { run } from "../../../servers/run.ts";
import { installPackages } from "../../support/packages.ts";

const MINUTE = 60_000;

/** The runtimes besides Deno, and what they need from npm. */
const runtimes = {
  node: {
    package: `node-${Deno.build.os}-${
      Deno.build.arch === "x86_64" ? "x64" : "arm64"
    }`,
    version: "22.23.3",
    // From Node 22.14 on; it brings its own builds.
    others: { "better-sqlite3": "13.2.0" },
  },
  bun: {
    package: `@oven/bun-${Deno.build.os}-${
      Deno.build.arch === "x86_64" ? "x64" : "aarch64"
    }`,
    version: "1.4.5",
    others: {},
  },
};

/** The name of a runtime: that of its program. */
export type RuntimeName = keyof typeof runtimes;

/** A runtime in a temporary folder, which runs a program of `programs/`. */
export class Runtime implements AsyncDisposable {
  readonly #folder: string;
  readonly #program: string;

  private constructor(folder: string, program: string) {
    this.#folder = folder;
    this.#program = program;
  }

  /**
   * Gets a runtime from npm.
   *
   * @throws {Error} If it cannot be had, with the reason.
   */
  static async install(name: RuntimeName): Promise<Runtime> {
    const { package: binary, version, others } = runtimes[name];
    const folder = await Deno.makeTempDir({ prefix: `kv-${name}-` });
    const runtime = new Runtime(
      folder,
      `${folder}/node_modules/${binary}/bin/${name}`,
    );
    try {
      await installPackages(folder, name, { [binary]: version, ...others });
      await runtime.#run(["--version"]);
      return runtime;
    } catch (error) {
      await runtime[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Puts a program next to the packages, as one file. */
  async bundle(program = "sqlite_client.ts"): Promise<void> {
    await deno([
      "bundle",
      "--quiet",
      "--no-lock",
      `--config=${path("../../../deno.json")}`,
      `--output=${this.#folder}/program.mjs`,
      path(`../../support/programs/${program}`),
    ]);
  }

  /** Runs the bundled program with a client of SQLite. */
  async program(
    client: string,
    task: "prove" | "count",
    ...args: string[]
  ): Promise<string> {
    return await this.runProgram([client, task, ...args]);
  }

  /** Runs the bundled program to its end and returns its output. */
  async runProgram(
    args: string[],
    env: Record<string, string> = {},
  ): Promise<string> {
    return await this.#run([`${this.#folder}/program.mjs`, ...args], env);
  }

  async #run(args: string[], env?: Record<string, string>): Promise<string> {
    return await output([this.#program, ...args], this.#folder, env);
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function path(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}

async function deno(args: string[], cwd?: string): Promise<void> {
  await output([Deno.execPath(), ...args], cwd);
}

async function output(
  command: [string, ...string[]],
  cwd = ".",
  env: Record<string, string> = {},
) {
  const { ok, stdout, stderr } = await run(command, {
    cwd,
    env,
    timeout: 5 * MINUTE,
  });
  if (!ok) {
    const reason = /^error: .*/m.exec(stderr)?.[0] ?? stderr.trim();
    throw new Error(`${command[1]} failed: ${reason}`);
  }
  return stdout;
}
