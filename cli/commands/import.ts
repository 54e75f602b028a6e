/** `kv import`: reads entries from JSON lines. */

import { Command } from "commander";
import { createReadStream } from "node:fs";
import { once } from "node:events";
import type { KvStoreListEntry } from "../../kv/store.ts";
import { migrate, type SourcePage } from "../../migrate/mod.ts";
import { Expected } from "../errors.ts";
import { formatEntries } from "../format.ts";
import { parseLine } from "../lines.ts";
import { Progress } from "../progress.ts";
import { globals, openStore } from "../store.ts";
import type { Terminal } from "../terminal.ts";

/** How many entries make a page. */
const PAGE = 256;

export function importCommand(terminal: Terminal): Command {
  return new Command("import")
    .description("write entries from JSON lines; existing entries are replaced")
    .argument("[file]", "the file (default: standard input)")
    .action(async (file: string | undefined, _options, command: Command) => {
      const input = file === undefined ? undefined : createReadStream(file);
      if (input !== undefined) await once(input, "open");
      await using kv = await openStore(terminal, command, true);
      using progress = new Progress(terminal, "importing");
      const source = {
        name: "the lines",
        notes: [],
        keepsExpiry: true,
        pages: () => pagesOf(terminal.lines(input), terminal.signal),
      };
      let done = 0;
      const { written, expired } = await migrate(source, kv, {
        onConflict: "overwrite",
        onDamaged: "fail",
        onProgress: ({ written }) => progress.update(done = written),
        signal: terminal.signal,
      }).catch((error) => {
        terminal.writeError(`Wrote ${formatEntries(done)} before it failed.\n`);
        throw error.cause instanceof Expected ? error.cause : error;
      });
      terminal.line(
        globals(command).json
          ? JSON.stringify({ written, expired })
          : `Wrote ${formatEntries(written)}; ${expired} had expired.`,
      );
    });
}

async function* pagesOf(
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<SourcePage> {
  let entries: KvStoreListEntry[] = [];
  let number = 0;
  for await (const line of lines) {
    signal.throwIfAborted();
    number++;
    if (line.trim() === "") continue;
    let entry: KvStoreListEntry;
    try {
      entry = parseLine(line, number);
    } catch (error) {
      yield { entries };
      throw error;
    }
    entries.push(entry);
    if (entries.length < PAGE) continue;
    yield { entries };
    entries = [];
  }
  yield { entries };
}
