/**
 * What a migration reads from.
 *
 * @module
 */

import type { KvKey, KvSignal } from "../kv/store.ts";

/**
 * An entry of a source, or why it cannot be read.
 *
 * @example Usage
 * ```ts
 * import type { SourceEntry } from "@org/kv/migrate";
 *
 * const entry: SourceEntry = { key: ["a"], value: 1, expires: 1_800_000_000_000 };
 * const damaged: SourceEntry = { key: "[", error: new Error("not JSON") };
 * ```
 */
export type SourceEntry =
  | {
    /** The key. */
    readonly key: KvKey;
    /** The value. */
    readonly value: unknown;
    /** When it expires, in epoch milliseconds; without it, never. */
    readonly expires?: number | undefined;
  }
  | {
    /** The key, or the name in the storage if it is not that of a key. */
    readonly key: readonly string[] | string;
    /** Why the entry cannot be read. */
    readonly error: unknown;
  };

/**
 * Some entries of a source.
 *
 * @example Usage
 * ```ts
 * import type { SourcePage } from "@org/kv/migrate";
 *
 * const page: SourcePage = { entries: [{ key: ["a"], value: 1 }], cursor: "a" };
 * ```
 */
export interface SourcePage {
  /** The entries. */
  readonly entries: readonly SourceEntry[];
  /** Where to continue after these entries, if the source can continue. */
  readonly cursor?: string | undefined;
}

/**
 * What a migration wants of a source.
 *
 * @example Usage
 * ```ts
 * import type { SourceRequest } from "@org/kv/migrate";
 *
 * const everything: SourceRequest = { prefix: [], after: undefined, wants: () => true };
 * ```
 */
export interface SourceRequest {
  /** The leading parts of the keys. */
  readonly prefix: KvKey | readonly [];
  /** The cursor of the page to continue after. */
  readonly after: string | undefined;
  /** Whether an entry is part of the migration: others need not be read. */
  wants(key: readonly string[]): boolean;
}

/**
 * Where entries come from. The functions of this module create sources; write an
 * object with these members to migrate from somewhere else.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { migrate, type MigrationSource } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 *
 * const source: MigrationSource = {
 *   name: "a list",
 *   notes: [],
 *   keepsExpiry: true,
 *   async *pages() {
 *     yield { entries: [{ key: ["a"], value: 1 }] };
 *   },
 * };
 * assertEquals((await migrate(source, new MemoryKvStore())).written, 1);
 * ```
 */
export interface MigrationSource {
  /** What it is, for messages, such as `the table "fedify_kv"`. */
  readonly name: string;
  /** What cannot be kept, and what to know before the migration starts. */
  readonly notes: readonly string[];
  /** Whether the source tells when its entries expire. */
  readonly keepsExpiry: boolean;
  /**
   * Counts the entries, expired ones included.
   *
   * @param prefix The leading parts of the keys.
   * @param signal Ends the count.
   */
  count?(
    prefix: KvKey | readonly [],
    signal?: KvSignal,
  ): Promise<number | undefined>;
  /**
   * Reads the entries.
   *
   * @param request Which entries, and where to start.
   */
  pages(request: SourceRequest): AsyncIterable<SourcePage>;
}
