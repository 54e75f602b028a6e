/**
 * The options of a migration.
 *
 * @module
 */

import { checkPrefix, describe } from "../kv/core/key.ts";
import { typeName } from "../kv/core/message.ts";
import { checkOptions, type OptionRule } from "../kv/core/options.ts";
import type { KvKey, KvSignal } from "../kv/store.ts";
import type { MigrationCounts, SkippedEntry } from "./summary.ts";

/**
 * What to do with a key that the target already has: leave its entry, overwrite
 * it, or end the migration unless the values are equal.
 *
 * @example Usage
 * ```ts
 * import type { ConflictRule } from "@org/kv/migrate";
 *
 * const rule: ConflictRule = "keep";
 * ```
 */
export type ConflictRule = "keep" | "overwrite" | "fail";

/**
 * Options of {@linkcode migrate}.
 *
 * @example Usage
 * ```ts
 * import type { MigrateOptions } from "@org/kv/migrate";
 *
 * const options: MigrateOptions = {
 *   exclude: [["_fedify", "remoteDocument"]],
 *   onConflict: "keep",
 *   verify: true,
 * };
 * ```
 */
export interface MigrateOptions {
  /**
   * The leading parts of the keys to copy.
   *
   * @default {[]}
   */
  readonly prefix?: KvKey | readonly [] | undefined;
  /**
   * The leading parts of keys to leave out.
   *
   * @default {[]}
   */
  readonly exclude?: readonly KvKey[] | undefined;
  /**
   * What to do with a key that the target already has.
   *
   * @default {"fail"}
   */
  readonly onConflict?: ConflictRule | undefined;
  /**
   * What to do with an entry that cannot be decoded, or that the target cannot
   * hold: leave it out and report it in the summary, or end the migration.
   *
   * @default {"skip"}
   */
  readonly onDamaged?: "skip" | "fail" | undefined;
  /**
   * Whether to only read and count: `written` then counts the entries that a
   * migration would write.
   *
   * @default {false}
   */
  readonly dryRun?: boolean | undefined;
  /**
   * Whether to compare every entry, by content and expiry, after the migration.
   * The keys of the target that have a TTL are held in memory for that.
   *
   * @default {false}
   */
  readonly verify?: boolean | undefined;
  /** The cursor to continue after, as `onCheckpoint` received it. */
  readonly after?: string | undefined;
  /**
   * Is called with a cursor when the target has all entries up to there. Keep the
   * last one to continue after a crash. Some sources have no cursor: run the
   * migration again from the start, which leaves equal entries as they are.
   */
  readonly onCheckpoint?:
    | ((cursor: string) => void | Promise<void>)
    | undefined;
  /** Is called before the migration starts, with each note of the source. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Is called after each page with the counts so far. */
  readonly onProgress?: ((counts: MigrationCounts) => void) | undefined;
  /** Is called with each entry that is left out because it is damaged. */
  readonly onSkip?: ((entry: SkippedEntry) => void) | undefined;
  /** Ends the migration, with the reason of the signal, once it is aborted. */
  readonly signal?: KvSignal | undefined;
}

/** The options with their defaults. */
export interface CheckedOptions extends MigrateOptions {
  readonly prefix: KvKey | readonly [];
  readonly exclude: readonly KvKey[];
  readonly onConflict: ConflictRule;
  readonly onDamaged: "skip" | "fail";
  readonly dryRun: boolean;
  readonly verify: boolean;
}

const FUNCTION: OptionRule = { type: "function", must: "be a function" };
const BOOLEAN: OptionRule = { type: "boolean", must: "be a boolean" };

const RULES: Readonly<Record<string, OptionRule>> = {
  prefix: { type: "object", must: "be an array of strings" },
  exclude: { type: "object", must: "be an array of prefixes" },
  onConflict: {
    type: "string",
    must: 'be "keep", "overwrite" or "fail"',
    accepts: (value) => ["keep", "overwrite", "fail"].includes(value as string),
  },
  onDamaged: {
    type: "string",
    must: 'be "skip" or "fail"',
    accepts: (value) => ["skip", "fail"].includes(value as string),
  },
  dryRun: BOOLEAN,
  verify: BOOLEAN,
  after: { type: "string", must: "be a cursor" },
  onCheckpoint: FUNCTION,
  onNote: FUNCTION,
  onProgress: FUNCTION,
  onSkip: FUNCTION,
  signal: { type: "object", must: "be an AbortSignal" },
};

/**
 * Checks the options and adds the defaults.
 *
 * @param options What the caller gave.
 * @throws {TypeError} If an option is unknown or has a wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkMigrateOptions(options: MigrateOptions): CheckedOptions {
  checkOptions("migrate", options, RULES);
  const { exclude = [], dryRun = false, verify = false } = options;
  if (!Array.isArray(exclude)) {
    throw new TypeError(
      "Cannot migrate: exclude must be an array of prefixes: " +
        `received ${typeName(exclude)}`,
    );
  }
  const prefix = checkPrefix(options.prefix, "migrate") as unknown as
    | KvKey
    | readonly [];
  const excluded = exclude.map((each) => {
    const parts = checkPrefix(each, "migrate without");
    if (parts.length > 0) return parts as unknown as KvKey;
    throw new TypeError(
      `Cannot migrate: exclude must not contain ${describe(each)}: ` +
        "it would leave out every entry",
    );
  });
  if (dryRun && verify) {
    throw new TypeError(
      "Cannot migrate: a dry run writes nothing to verify: " +
        "received dryRun and verify",
    );
  }
  return {
    ...options,
    prefix,
    exclude: excluded,
    onConflict: options.onConflict ?? "fail",
    onDamaged: options.onDamaged ?? "skip",
    dryRun,
    verify,
  };
}
