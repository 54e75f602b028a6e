/** Runs the command line inside the process. */

import { Readable } from "node:stream";
import { main } from "../../cli/main.ts";

/** What a command printed, and its exit code. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `kv` with arguments on the store of a URL. */
export async function kv(
  url: string | undefined,
  args: string[],
  input = "",
): Promise<Outcome> {
  let out = "";
  let err = "";
  const code = await main(args, {
    stdin: Readable.from([input]),
    write: (text) => out += text,
    writeError: (text) => err += text,
    isTerminal: false,
    env: { KV_URL: url },
  });
  return { code, out, err };
}

/** Runs it with the URL of a new SQLite database in a folder of its own. */
export async function withDatabase(
  run: (url: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(`sqlite:${folder}/kv.db`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
