/** Parses the command line, runs a command and reports its errors. */

import { Command, CommanderError } from "commander";
import { benchCommand } from "./commands/bench.ts";
import { clearCommand } from "./commands/rm.ts";
import { completionsCommand } from "./commands/completions.ts";
import { copyCommand } from "./commands/copy.ts";
import { countCommand } from "./commands/count.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { getCommand } from "./commands/get.ts";
import { importCommand } from "./commands/import.ts";
import { lsCommand } from "./commands/ls.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { setCommand } from "./commands/set.ts";
import { statsCommand } from "./commands/stats.ts";
import { sweepCommand } from "./commands/sweep.ts";
import { Expected, redacted } from "./errors.ts";
import { VERSION } from "./version.ts";
import { Terminal, type TerminalOptions } from "./terminal.ts";

/** The program with all its commands. */
export function program(terminal: Terminal): Command {
  const kv = new Command("kv")
    .description("Look into, move and clean up key-value stores.")
    .version(VERSION, "-V, --version", "print the version")
    .option(
      "-s, --store <url>",
      "the store, such as sqlite:kv.db or redis://localhost (default: $KV_URL)",
    )
    .option("--table <name>", "the table, for SQL databases")
    .option("--key-prefix <text>", "the prefix of keys, for Redis")
    .option(
      "--no-prepare",
      "for PostgreSQL behind a pooler in transaction mode",
    )
    .option("--json", "print JSON instead of text")
    .showHelpAfterError("Run with --help for the options.")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.writeError(text),
    });
  for (
    const command of [
      lsCommand,
      getCommand,
      setCommand,
      clearCommand,
      countCommand,
      statsCommand,
      exportCommand,
      importCommand,
      copyCommand,
      migrateCommand,
      sweepCommand,
      doctorCommand,
      benchCommand,
      completionsCommand,
    ]
  ) {
    kv.addCommand(command(terminal).exitOverride().copyInheritedSettings(kv));
  }
  return kv;
}

const EXAMPLES = `
Keys are separate words; a key in JSON is written as one word:
  kv get users alice
  kv get '["users","a b"]'

Examples:
  kv ls --store sqlite:kv.db users
  KV_URL=redis://localhost kv stats
  kv copy --store redis://localhost postgres://localhost/app

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 not found, 130 interrupted.`;

/**
 * Runs the command line.
 *
 * @param args The arguments.
 * @param options Where to read and write; the process's own streams by default.
 * @returns The exit code.
 */
export async function main(
  args: readonly string[],
  options: TerminalOptions = {},
): Promise<number> {
  const terminal = new Terminal(options);
  try {
    await program(terminal).parseAsync(args, { from: "user" });
    return terminal.exitCode;
  } catch (error) {
    return report(terminal, error);
  } finally {
    terminal.close();
  }
}

function report(terminal: Terminal, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (terminal.signal.aborted) {
    terminal.writeError("Interrupted.\n");
    return 130;
  }
  const message = error instanceof Error ? error.message : String(error);
  terminal.writeError(`error: ${redacted(message)}\n`);
  if (error instanceof Expected) return error.exitCode;
  return error instanceof TypeError || error instanceof RangeError ? 2 : 1;
}
