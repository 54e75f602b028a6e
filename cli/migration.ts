/** What `kv copy` and `kv migrate` have in common. */

import { type Command, Option } from "commander";
import type { KvExtendedStore, KvKey } from "../kv/store.ts";
import {
  migrate,
  type MigrationSource,
  type MigrationSummary,
} from "../migrate/mod.ts";
import { Expected } from "./errors.ts";
import { formatEntries, formatKey, formatTable } from "./format.ts";
import { collect } from "./options.ts";
import { Progress } from "./progress.ts";
import { globals, keyOfWords } from "./store.ts";
import type { Terminal } from "./terminal.ts";

/** Adds the options of a migration to a command. */
export function withMigrationOptions(command: Command): Command {
  return command
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
    .option("--verify", "compare every entry afterwards");
}

/** A key that is the value of an option: one word, or a JSON array. */
export function keyOfOption(word: string): KvKey {
  return keyOfWords([word]) as unknown as KvKey;
}

/** Migrates, and prints what was done. */
export async function runMigration(
  terminal: Terminal,
  command: Command,
  source: MigrationSource,
  target: KvExtendedStore,
  prefix: KvKey | readonly [],
): Promise<void> {
  const { signal } = terminal;
  const options = command.opts();
  // Whatever is wrong, the migration reports it better.
  const total = terminal.isTerminal
    ? await source.count?.(prefix, signal).catch(() => undefined)
    : undefined;
  let summary: MigrationSummary;
  let done = 0;
  {
    using progress = new Progress(terminal, "copying", total);
    summary = await migrate(source, target, {
      prefix,
      exclude: (options.exclude ?? []).map(keyOfOption),
      onConflict: options.onConflict,
      onDamaged: options.onDamaged,
      dryRun: options.dryRun === true,
      verify: options.verify === true,
      onNote: (note) => terminal.writeError(`note: ${note}\n`),
      onProgress({ read, written }) {
        done = written;
        progress.update(read);
      },
      onSkip: ({ key, reason }) =>
        terminal.writeError(`skipped: ${nameOf(key)}: ${reason}\n`),
      signal,
    }).catch((error) => {
      terminal.writeError(`Wrote ${formatEntries(done)} before it failed.\n`);
      throw error;
    });
  }
  terminal.line(
    globals(command).json
      ? JSON.stringify(summary)
      : format(summary, options.dryRun),
  );
  const { different = [] } = summary;
  for (const { key, difference } of different) {
    terminal.writeError(`different (${difference}): ${formatKey(key)}\n`);
  }
  if (different.length > 0) {
    throw new Expected(`${different.length} entries differ`);
  }
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
