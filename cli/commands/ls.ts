/** `kv ls`: lists entries. */

import { Command, Option } from "commander";
import {
  formatExpiry,
  formatKey,
  formatTable,
  formatValue,
} from "../format.ts";
import { formatLine } from "../lines.ts";
import { globals, openStore, prefixOf, wholeKey } from "../store.ts";
import type { Terminal } from "../terminal.ts";
import { wholeNumber } from "../options.ts";

export function lsCommand(terminal: Terminal): Command {
  return new Command("ls")
    .description("list the entries under a prefix")
    .argument("[prefix...]", "the leading parts of the keys")
    .option("-k, --keys", "list keys only, without reading values")
    .option("-n, --limit <number>", "the most entries", wholeNumber, 100)
    .addOption(new Option("--all", "list all entries").conflicts("limit"))
    .option("--after <json>", "continue after a key, as JSON")
    .option("-r, --reverse", "list from the last key to the first")
    .action(async (words: string[], options, command: Command) => {
      await using kv = await openStore(terminal, command);
      const { signal } = terminal;
      const list = {
        signal,
        reverse: options.reverse === true,
        ...options.all ? {} : { limit: options.limit + 1 },
        ...options.after ? { after: wholeKey([options.after]) } : {},
      };
      const { json } = globals(command);
      const prefix = prefixOf(words);
      const entries = options.keys
        ? kv.keys(prefix, list)
        : kv.list(prefix, list);
      let rows: string[][] = [];
      let count = 0;
      let last: readonly string[] = [];
      for await (const entry of entries) {
        if (!options.all && count === options.limit) {
          flush();
          terminal.writeError(
            `… more entries: use --limit or --all, or --after ` +
              `'${JSON.stringify(last)}'\n`,
          );
          return;
        }
        count++;
        last = entry.key;
        if (json) {
          terminal.line(
            "value" in entry && !options.keys
              ? formatLine(entry)
              : JSON.stringify(entry),
          );
          continue;
        }
        const row = [formatKey(entry.key), formatExpiry(entry.expires)];
        if ("value" in entry && !options.keys) {
          row.push(formatValue(entry.value, 60));
        }
        rows.push(row);
        if (rows.length === 500) flush();
      }
      flush();

      function flush() {
        if (rows.length > 0) terminal.line(formatTable(rows));
        rows = [];
      }
    });
}
