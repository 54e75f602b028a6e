/** `kv copy`: copies entries from one store to another. */

import { Command } from "commander";
import { storeSource } from "../../migrate/mod.ts";
import { openKv } from "../../open/mod.ts";
import { runMigration, withMigrationOptions } from "../migration.ts";
import { openStore, prefixOf } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function copyCommand(terminal: Terminal): Command {
  const copy = new Command("copy")
    .description("copy entries to another store, with their expiries")
    .argument("<target>", "the URL of the other store")
    .argument("[prefix...]", "the leading parts of the keys")
    .option("--target-table <name>", "the table of the other store")
    .option("--target-key-prefix <text>", "the key prefix of the other store");
  return withMigrationOptions(copy).addHelpText("after", EXAMPLES).action(
    async (target: string, words: string[], options, command: Command) => {
      await using from = await openStore(terminal, command);
      await using to = await openKv(target, {
        ...options.targetTable ? { tableName: options.targetTable } : {},
        ...options.targetKeyPrefix
          ? { keyPrefix: options.targetKeyPrefix }
          : {},
      });
      const prefix = prefixOf(words);
      await runMigration(terminal, command, storeSource(from), to, prefix);
    },
  );
}

const EXAMPLES = `
A key of --exclude is one word, or a JSON array of its parts. After an
interruption, run the same command again: entries that have arrived are left as
they are.

Examples:
  kv copy --store sqlite:kv.db postgres://localhost/app --verify
  kv copy --store redis://localhost sqlite:kv.db users --on-conflict overwrite`;
