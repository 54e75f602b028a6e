/** `kv export`: writes entries as JSON lines. */

import { Command } from "commander";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { formatLine } from "../lines.ts";
import { Progress } from "../progress.ts";
import { openStore, prefixOf } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function exportCommand(terminal: Terminal): Command {
  return new Command("export")
    .description("write entries as JSON lines")
    .argument("[prefix...]", "the leading parts of the keys")
    .option("-o, --output <file>", "the file (default: standard output)")
    .action(async (words: string[], options, command: Command) => {
      await using kv = await openStore(terminal, command);
      const file = options.output === undefined
        ? undefined
        : createWriteStream(options.output);
      if (file !== undefined) await once(file, "open");
      const { signal } = terminal;
      using progress = file && new Progress(terminal, "exporting");
      let entries = 0;
      for await (const entry of kv.list(prefixOf(words), { signal })) {
        const line = `${formatLine(entry)}\n`;
        if (file === undefined) terminal.write(line);
        else if (!file.write(line)) await once(file, "drain");
        progress?.update(++entries);
      }
      if (file === undefined) return;
      file.end();
      await once(file, "close");
    });
}
