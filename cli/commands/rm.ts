/** `kv rm`: deletes an entry, or all entries under a prefix. */

import { Command } from "commander";
import { Expected } from "../errors.ts";
import { formatEntries, formatKey } from "../format.ts";
import { Progress } from "../progress.ts";
import { globals, openStore, prefixOf, wholeKey } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function clearCommand(terminal: Terminal): Command {
  return new Command("rm")
    .description("delete an entry, or all entries under a prefix")
    .argument("[key...]", "the key, or the prefix")
    .option("--prefix", "delete all entries under the prefix")
    .option("--dry-run", "only count the entries")
    .option("-y, --yes", "do not ask")
    .action(async (words: string[], options, command: Command) => {
      const { json } = globals(command);
      const { signal } = terminal;
      const prefix = options.prefix ? prefixOf(words) : wholeKey(words);
      await using kv = await openStore(terminal, command);
      if (!options.prefix) {
        const key = wholeKey(words);
        const exists = await kv.get(key) !== undefined;
        if (exists && !options.dryRun) {
          await confirmed(`Delete ${formatKey(key)}?`);
          await kv.delete(key);
        }
        return report(exists ? 1 : 0);
      }
      const count = await kv.count(prefix, { signal });
      if (count === 0 || options.dryRun) return report(count);
      await confirmed(
        prefix.length === 0
          ? `Delete everything: ${formatEntries(count)}?`
          : `Delete ${formatEntries(count)} under ${formatKey(prefix)}?`,
      );
      using progress = new Progress(terminal, "deleting", count);
      let done = 0;
      const deleted = await kv.clear(prefix, {
        signal,
        onProgress: (entries) => progress.update(done = entries),
      }).catch((error) => {
        terminal.writeError(
          `Deleted ${formatEntries(done)} before it failed.\n`,
        );
        throw error;
      });
      report(deleted);

      async function confirmed(question: string) {
        if (options.yes || await terminal.confirm(question)) return;
        throw new Expected("nothing was deleted: confirm with --yes");
      }
      function report(entries: number) {
        if (json) {
          terminal.line(
            JSON.stringify({ entries, dryRun: options.dryRun === true }),
          );
        } else {
          terminal.line(
            `${options.dryRun ? "Would delete" : "Deleted"} ` +
              `${formatEntries(entries)}.`,
          );
        }
      }
    });
}
