// Installs Node and `@deno/kv` for tests, and runs `program.ts` there.
import { run } from "../../../servers/run.ts";
import { installPackages } from "../../support/packages.ts";

const MINUTE = 60_000;

const ARCH = Deno.build.arch === "x86_64" ? "x64" : "arm64";
const NODE = `node-${Deno.build.os}-${ARCH}`;
const DEPENDENCIES = { [NODE]: "22.23.3", "@deno/kv": "0.14.0" };

/** The program in a temporary folder, next to Node. */
export class NodeProgram implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Gets Node and `@deno/kv` from npm, and bundles the program.
   *
   * @throws {Error} If they cannot be installed.
   */
  static async install(): Promise<NodeProgram> {
    const folder = await Deno.makeTempDir({ prefix: "kv-deno-node-" });
    const program = new NodeProgram(folder);
    try {
      await installPackages(folder, "deno-kv", DEPENDENCIES);
      await output([
        Deno.execPath(),
        "bundle",
        "--quiet",
        "--no-lock",
        `--config=${path("../../../deno.json")}`,
        `--output=${folder}/program.mjs`,
        path("./program.ts"),
      ], folder);
      return program;
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs the program to its end, and returns its output. */
  async run(task: "prove" | "count", ...args: string[]): Promise<string> {
    const node = `${this.folder}/node_modules/${NODE}/bin/node`;
    const program = `${this.folder}/program.mjs`;
    return await output([node, program, task, ...args], this.folder);
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function path(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}

async function output(command: [string, ...string[]], cwd: string) {
  const { ok, stdout, stderr } = await run(command, {
    cwd,
    timeout: 10 * MINUTE,
  });
  if (!ok) throw new Error(`${command.join(" ")} failed: ${stderr.trim()}`);
  return stdout;
}
