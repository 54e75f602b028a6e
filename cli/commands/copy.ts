/** `kv copy`: copies entries from one store to another. */

import { Command } from "commander";
import { isDeepStrictEqual } from "node:util";
import { Expected } from "../errors.ts";
import { formatKey } from "../format.ts";
import { Progress } from "../progress.ts";
import { globals, openStore, prefixOf } from "../store.ts";
import type { Terminal } from "../terminal.ts";
import { Writer } from "../writer.ts";
import { openKv } from "../../open/mod.ts";

export function copyCommand(terminal: Terminal): Command {
  return new Command("copy")
    .description("copy entries to another store, with their expiries")
    .argument("<target>", "the URL of the other store")
    .argument("[prefix...]", "the leading parts of the keys")
    .option("--target-table <name>", "the table of the other store")
    .option("--target-key-prefix <text>", "the key prefix of the other store")
    .option("--keep", "leave entries of the other store as they are")
    .option("--dry-run", "only count the entries")
    .option("--verify", "compare every entry afterwards")
    .action(
      async (target: string, words: string[], options, command: Command) => {
        const { signal } = terminal;
        await using from = await openStore(terminal, command);
        await using to = await openKv(target, {
          ...options.targetTable ? { tableName: options.targetTable } : {},
          ...options.targetKeyPrefix
            ? { keyPrefix: options.targetKeyPrefix }
            : {},
        });
        const prefix = prefixOf(words);
        const total = await from.count(prefix, { signal });
        if (options.dryRun) {
          return terminal.line(`Would copy ${total} entries.`);
        }
        const writer = new Writer(to);
        let kept = 0;
        {
          using progress = new Progress(terminal, "copying", total);
          for await (const entry of from.list(prefix, { signal })) {
            if (options.keep && await to.get(entry.key) !== undefined) kept++;
            else await writer.write(entry);
            progress.update(writer.written + kept);
          }
          await writer.finish();
        }
        let different = 0;
        if (options.verify) {
          using progress = new Progress(terminal, "verifying", total);
          let read = 0;
          for await (
            const { key, value, expires } of from.list(prefix, { signal })
          ) {
            const copy = await to.get(key);
            const hasExpired = expires !== undefined && expires <= Date.now();
            if (!hasExpired && !isDeepStrictEqual(copy, value)) {
              different++;
              terminal.writeError(`different: ${formatKey(key)}\n`);
            }
            progress.update(++read);
          }
        }
        const { written, expired } = writer;
        terminal.line(
          globals(command).json
            ? JSON.stringify({ written, expired, kept, different })
            : `Copied ${written} entries; ${expired} had expired, ${kept} were kept.`,
        );
        if (different > 0) throw new Expected(`${different} entries differ`);
      },
    );
}
