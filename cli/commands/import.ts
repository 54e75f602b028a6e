/** `kv import`: reads entries from JSON lines. */

import { Command } from "commander";
import { createReadStream } from "node:fs";
import { once } from "node:events";
import { parseLine } from "../lines.ts";
import { Progress } from "../progress.ts";
import { globals, openStore } from "../store.ts";
import type { Terminal } from "../terminal.ts";
import { Writer } from "../writer.ts";

export function importCommand(terminal: Terminal): Command {
  return new Command("import")
    .description("write entries from JSON lines; existing entries are replaced")
    .argument("[file]", "the file (default: standard input)")
    .action(async (file: string | undefined, _options, command: Command) => {
      const input = file === undefined ? undefined : createReadStream(file);
      if (input !== undefined) await once(input, "open");
      await using kv = await openStore(terminal, command, true);
      using progress = new Progress(terminal, "importing");
      const writer = new Writer(kv);
      let number = 0;
      for await (const line of terminal.lines(input)) {
        terminal.signal.throwIfAborted();
        number++;
        if (line.trim() === "") continue;
        await writer.write(parseLine(line, number));
        progress.update(writer.written);
      }
      await writer.finish();
      const { written, expired } = writer;
      terminal.line(
        globals(command).json
          ? JSON.stringify({ written, expired })
          : `Wrote ${written} entries; ${expired} had expired.`,
      );
    });
}
