/** `kv count`: counts entries. */

import { Command } from "commander";
import { Progress } from "../progress.ts";
import { globals, openStore, prefixOf } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function countCommand(terminal: Terminal): Command {
  return new Command("count")
    .description("count the entries under a prefix")
    .argument("[prefix...]", "the leading parts of the keys")
    .action(async (words: string[], _options, command: Command) => {
      await using kv = await openStore(terminal, command);
      using progress = new Progress(terminal, "counting");
      const entries = await kv.count(prefixOf(words), {
        signal: terminal.signal,
        onProgress: (entries) => progress.update(entries),
      });
      terminal.line(
        globals(command).json ? JSON.stringify({ entries }) : `${entries}`,
      );
    });
}
