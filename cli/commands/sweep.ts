/** `kv sweep`: reclaims expired entries. */

import { Command } from "commander";
import { Progress } from "../progress.ts";
import { globals, openStore } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function sweepCommand(terminal: Terminal): Command {
  return new Command("sweep")
    .description("remove the entries that have expired")
    .action(async (_options, command: Command) => {
      await using kv = await openStore(terminal, command);
      using progress = new Progress(terminal, "sweeping");
      const entries = await kv.sweep({
        signal: terminal.signal,
        onProgress: (entries) => progress.update(entries),
      });
      terminal.line(
        globals(command).json
          ? JSON.stringify({ entries })
          : `Removed ${entries} expired ${
            entries === 1 ? "entry" : "entries"
          }.`,
      );
    });
}
