/** `kv migrate`: copies the entries of one of Fedify's own stores. */

import { Command } from "commander";
import { openKv } from "../../open/mod.ts";
import {
  keyOfOption,
  runMigration,
  withMigrationOptions,
} from "../migration.ts";
import { openSource } from "../source.ts";
import { globals } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function migrateCommand(terminal: Terminal): Command {
  const migrate = new Command("migrate")
    .description("copy the entries of one of Fedify's own stores to a store")
    .argument("<source>", "the URL of the database that Fedify's store uses")
    .argument("<target>", "the URL of the store that receives the entries")
    .option("--source-table <name>", "the table of Fedify's store")
    .option("--source-key-prefix <text>", "the key prefix of Fedify's store")
    .option("--prefix <key>", "copy only keys that start with this one");
  return withMigrationOptions(migrate).addHelpText("after", EXAMPLES).action(
    async (from: string, to: string, options, command: Command) => {
      const { table, keyPrefix } = globals(command);
      const { source, close } = await openSource(from, options);
      try {
        await using target = await openKv(to, {
          ...table === undefined ? {} : { tableName: table },
          ...keyPrefix === undefined ? {} : { keyPrefix },
        });
        const prefix = keyOfOption(options.prefix ?? "[]");
        await runMigration(terminal, command, source, target, prefix);
      } finally {
        await close();
      }
    },
  );
}

const EXAMPLES = `
--table and --key-prefix are those of the target. A key is one word, or a JSON
array of its parts. After an interruption, run the same command again: entries
that have arrived are left as they are.

Examples:
  kv migrate redis://localhost postgres://localhost/app --dry-run
  kv migrate sqlite:fedify.db sqlite:kv.db --verify
  kv migrate postgres://localhost/app redis://localhost \\
    --source-table bot.fedify_kv_v2 --exclude '["_fedify","remoteDocument"]'`;
