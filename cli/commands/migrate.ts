/** `kv migrate`: copies the entries of one of Fedify's own stores. */

import { Command, Option } from "commander";
import type { KvKey } from "../../kv/store.ts";
import { migrate, type MigrationSummary } from "../../migrate/mod.ts";
import { openKv } from "../../open/mod.ts";
import { Expected } from "../errors.ts";
import { formatKey, formatTable } from "../format.ts";
import { collect } from "../options.ts";
import { Progress } from "../progress.ts";
import { openSource } from "../source.ts";
import { globals, keyOfWords } from "../store.ts";
import type { Terminal } from "../terminal.ts";

export function migrateCommand(terminal: Terminal): Command {
  return new Command("migrate")
    .description("copy the entries of one of Fedify's own stores to a store")
    .argument("<source>", "the URL of the database that Fedify's store uses")
    .argument("<target>", "the URL of the store that receives the entries")
    .option("--source-table <name>", "the table of Fedify's store")
    .option("--source-key-prefix <text>", "the key prefix of Fedify's store")
    .option("--prefix <key>", "copy only keys that start with this one")
    .option("--exclude <key>", "leave out keys with this prefix", collect)
    .addOption(
      new Option("--on-conflict <rule>", "for keys that the target has")
        .choices(["keep", "overwrite", "fail"]).default("fail"),
    )
    .addOption(
      new Option("--on-damaged <rule>", "for entries that cannot be decoded")
        .choices(["skip", "fail"]).default("skip"),
    )
    .option("--dry-run", "only read and count")
    .option("--verify", "compare every entry afterwards")
    .addHelpText("after", EXAMPLES)
    .action(async (from: string, to: string, options, command: Command) => {
      const { signal } = terminal;
      const { table, keyPrefix, json } = globals(command);
      const { source, close } = await openSource(from, options);
      try {
        await using target = await openKv(to, {
          ...table === undefined ? {} : { tableName: table },
          ...keyPrefix === undefined ? {} : { keyPrefix },
        });
        const prefix = keyOfOption(options.prefix ?? "[]");
        // Whatever is wrong, the migration reports it better.
        const total = terminal.isTerminal
          ? await source.count?.(prefix, signal).catch(() => undefined)
          : undefined;
        let summary: MigrationSummary;
        {
          using progress = new Progress(terminal, "migrating", total);
          summary = await migrate(source, target, {
            prefix,
            exclude: (options.exclude ?? []).map(keyOfOption),
            onConflict: options.onConflict,
            onDamaged: options.onDamaged,
            dryRun: options.dryRun === true,
            verify: options.verify === true,
            onNote: (note) => terminal.writeError(`note: ${note}\n`),
            onProgress: ({ read }) => progress.update(read),
            onSkip: ({ key, reason }) =>
              terminal.writeError(`skipped: ${nameOf(key)}: ${reason}\n`),
            signal,
          });
        }
        terminal.line(
          json ? JSON.stringify(summary) : format(summary, options.dryRun),
        );
        const { different = [] } = summary;
        for (const { key, difference } of different) {
          terminal.writeError(`different (${difference}): ${formatKey(key)}\n`);
        }
        if (different.length > 0) {
          throw new Expected(`${different.length} entries differ`);
        }
      } finally {
        await close();
      }
    });
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

function keyOfOption(word: string): KvKey {
  return keyOfWords([word]) as unknown as KvKey;
}

function nameOf(key: readonly string[] | string): string {
  return typeof key === "string" ? key : formatKey(key);
}

function format(summary: MigrationSummary, isDryRun: boolean): string {
  const columns = ["read", "written", "expired", "kept", "skipped"] as const;
  const rows = [...summary.prefixes, { ...summary, prefix: undefined }];
  return formatTable([
    [
      ...columns.map((name) =>
        isDryRun && name === "written" ? "to write" : name
      ),
      "prefix",
    ],
    ...rows.map((row) => [
      ...columns.map((name) => `${row[name]}`),
      row.prefix === undefined ? "total" : formatKey(row.prefix),
    ]),
  ]);
}
