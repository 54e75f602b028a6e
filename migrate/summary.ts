/**
 * What a migration did, in total and by prefix.
 *
 * @module
 */

import { compareStrings, encodeKey } from "../kv/core/key.ts";
import type { DifferentEntry } from "./verify.ts";

/** How many leading parts make a group. */
const GROUP_PARTS = 2;

/** How many groups there may be: entries of further ones count under `[]`. */
const MAX_GROUPS = 1_000;

/**
 * How many entries had which outcome.
 *
 * @example Usage
 * ```ts
 * import type { MigrationCounts } from "@org/kv/migrate";
 *
 * const onProgress = ({ read }: MigrationCounts) => console.log(`${read} entries`);
 * ```
 */
export interface MigrationCounts {
  /** Entries that were read from the source. */
  readonly read: number;
  /** Entries that were written to the target. */
  readonly written: number;
  /** Entries that had expired. */
  readonly expired: number;
  /** Entries that the target already had. */
  readonly kept: number;
  /** Entries that were left out because they are damaged. */
  readonly skipped: number;
}

/**
 * The counts of the entries under a prefix.
 *
 * @example Usage
 * ```ts
 * import type { PrefixCounts } from "@org/kv/migrate";
 *
 * const line = ({ prefix, written }: PrefixCounts) => `${prefix.join(" ")}: ${written}`;
 * ```
 */
export interface PrefixCounts extends MigrationCounts {
  /** The leading parts that the keys have in common. */
  readonly prefix: readonly string[];
}

/**
 * An entry that was left out.
 *
 * @example Usage
 * ```ts
 * import type { SkippedEntry } from "@org/kv/migrate";
 *
 * const line = ({ key, reason }: SkippedEntry) => `${JSON.stringify(key)}: ${reason}`;
 * ```
 */
export interface SkippedEntry {
  /** The key, or the name in the storage if it is not that of a key. */
  readonly key: readonly string[] | string;
  /** Why it was left out. */
  readonly reason: string;
}

/**
 * What a migration did.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { migrate, type MigrationSummary, storeSource } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 *
 * const from = new MemoryKvStore();
 * await from.set(["users", "alice"], 1);
 * const summary: MigrationSummary = await migrate(storeSource(from), new MemoryKvStore());
 * assertEquals(summary.prefixes, [{
 *   prefix: ["users"], read: 1, written: 1, expired: 0, kept: 0, skipped: 0,
 * }]);
 * ```
 */
export interface MigrationSummary extends MigrationCounts {
  /** The same counts by the first parts of the keys, in key order. */
  readonly prefixes: readonly PrefixCounts[];
  /** The entries that were left out. */
  readonly skippedEntries: readonly SkippedEntry[];
  /** The notes of the source: what could not be kept. */
  readonly notes: readonly string[];
  /** The entries that `verify` found different; without it, `undefined`. */
  readonly different: readonly DifferentEntry[] | undefined;
}

/** What happened to an entry. */
export type Outcome = "written" | "expired" | "kept" | "skipped";

type Mutable = { -readonly [name in keyof MigrationCounts]: number };

/** Counts the entries of a migration. */
export class Tally {
  readonly total: Mutable = zero();
  readonly #groups = new Map<string, { prefix: string[]; counts: Mutable }>();

  /** Notes that an entry was read. */
  read(key: readonly string[] | string): Mutable {
    const counts = this.#countsOf(key);
    this.total.read++;
    counts.read++;
    return counts;
  }

  /** Notes what happened to an entry of a group. */
  add(counts: Mutable, outcome: Outcome): void {
    this.total[outcome]++;
    counts[outcome]++;
  }

  /** The counts by prefix. */
  prefixes(): PrefixCounts[] {
    return [...this.#groups]
      .sort(([a], [b]) => compareStrings(a, b))
      .map(([, { prefix, counts }]) => ({ prefix, ...counts }));
  }

  #countsOf(key: readonly string[] | string): Mutable {
    let prefix = typeof key === "string"
      ? []
      : key.slice(0, Math.min(GROUP_PARTS, Math.max(key.length - 1, 0)));
    let id = groupId(prefix);
    if (!this.#groups.has(id) && this.#groups.size >= MAX_GROUPS) {
      prefix = [];
      id = groupId(prefix);
    }
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = { prefix, counts: zero() };
      this.#groups.set(id, group);
    }
    return group.counts;
  }
}

/** Different prefixes have different ones, and none is that of `[]`. */
function groupId(prefix: readonly string[]): string {
  return prefix.length === 0 ? "" : `=${encodeKey(prefix)}`;
}

function zero(): Mutable {
  return { read: 0, written: 0, expired: 0, kept: 0, skipped: 0 };
}
