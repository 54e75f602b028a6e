/**
 * Migrating: from the pages of a source to the entries of a target.
 *
 * @module
 */

import { KvCorruptionError, KvError } from "../kv/errors.ts";
import { equalValues } from "../kv/core/equal.ts";
import { assertKey, describe, encodeKey, startsWith } from "../kv/core/key.ts";
import { failure, typeName } from "../kv/core/message.ts";
import { encodeValue } from "../kv/core/value.ts";
import type { KvExtendedStore, KvKey, KvStoreSetOptions } from "../kv/store.ts";
import {
  type CheckedOptions,
  checkMigrateOptions,
  type MigrateOptions,
} from "./options.ts";
import { readPages } from "./read.ts";
import type { MigrationSource, SourceEntry, SourceRequest } from "./source.ts";
import {
  type MigrationSummary,
  type Outcome,
  type SkippedEntry,
  Tally,
} from "./summary.ts";
import { asStored, findDifferences } from "./verify.ts";
import { Window } from "./window.ts";

/**
 * Copies the entries of a source into a store.
 *
 * The source is only read. It may be written to meanwhile: a second migration with
 * `onConflict: "overwrite"` copies the entries that changed after they were read.
 * It cannot know which entries were deleted; those stay in the target.
 *
 * After a crash, migrate again with the same options: equal entries are left as
 * they are. With `after`, the second migration continues at a checkpoint.
 *
 * @param source Where the entries come from.
 * @param target The store that receives them.
 * @param options What to copy, and how.
 * @returns What the migration did.
 * @throws {TypeError} If an argument or an option is wrong.
 * @throws {KvError} If the source cannot be read or the target not be written, or
 * if the target has another value under a key and `onConflict` is `"fail"`.
 * @throws {KvCorruptionError} If an entry is damaged and `onDamaged` is `"fail"`.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { migrate, storeSource } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 *
 * const from = new MemoryKvStore();
 * await from.set(["users", "alice"], 1);
 * await from.set(["cache", "x"], 2);
 *
 * const to = new MemoryKvStore();
 * const { written, different } = await migrate(storeSource(from), to, {
 *   exclude: [["cache"]],
 *   verify: true,
 * });
 * assertEquals([written, different], [1, []]);
 * ```
 */
export async function migrate(
  source: MigrationSource,
  target: KvExtendedStore,
  options: MigrateOptions = {},
): Promise<MigrationSummary> {
  const checked = checkMigrateOptions(options);
  if (typeof source?.pages !== "function") {
    throw new TypeError(
      "Cannot migrate: source must be what a function such as fedifySqlite() " +
        `or storeSource() returns: received ${typeName(source)}`,
    );
  }
  if (typeof target?.set !== "function" || typeof target.keys !== "function") {
    throw new TypeError(
      "Cannot migrate: target must be a store of this module: " +
        `received ${typeName(target)}`,
    );
  }
  return await new Migration(source, target, checked).run();
}

class Migration {
  readonly #source: MigrationSource;
  readonly #target: KvExtendedStore;
  readonly #options: CheckedOptions;
  readonly #request: SourceRequest;
  readonly #tally = new Tally();
  readonly #skipped: SkippedEntry[] = [];

  constructor(
    source: MigrationSource,
    target: KvExtendedStore,
    options: CheckedOptions,
  ) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    const { prefix, exclude, after } = options;
    this.#request = {
      prefix,
      after,
      wants: (key) =>
        startsWith(key, prefix) &&
        !exclude.some((each) => startsWith(key, each)),
    };
  }

  async run(): Promise<MigrationSummary> {
    const { signal, verify, onNote, onProgress } = this.#options;
    signal?.throwIfAborted();
    for (const note of this.#source.notes) onNote?.(note);
    const window = new Window();
    try {
      for await (const page of readPages(this.#source, this.#request)) {
        for (const entry of page.entries) {
          signal?.throwIfAborted();
          await this.#start(entry, window);
        }
        const { cursor } = page;
        const { onCheckpoint } = this.#options;
        window.endPage(
          cursor === undefined ? undefined : () => onCheckpoint?.(cursor),
        );
        onProgress?.({ ...this.#tally.total });
        signal?.throwIfAborted();
      }
    } finally {
      // Even if it fails, the caller learns how far it came.
      await window.finish().finally(() =>
        onProgress?.({ ...this.#tally.total })
      );
    }
    const different = verify ? await this.#verify() : undefined;
    return {
      ...this.#tally.total,
      prefixes: this.#tally.prefixes(),
      skippedEntries: this.#skipped,
      notes: this.#source.notes,
      different,
    };
  }

  async #start(entry: SourceEntry, window: Window): Promise<void> {
    const { key } = entry;
    // What is no key cannot be under the prefix that the caller wants.
    const isWanted = typeof key === "string"
      ? this.#request.prefix.length === 0
      : this.#request.wants(key);
    if (!isWanted) return;
    const counts = this.#tally.read(key);
    if ("error" in entry) {
      this.#skip(key, entry.error);
      this.#tally.add(counts, "skipped");
      return;
    }
    await window.start(async () => {
      this.#tally.add(counts, await this.#copy(entry.key, entry));
    });
  }

  async #copy(
    key: KvKey,
    { value, expires }: { value: unknown; expires?: number | undefined },
  ): Promise<Outcome> {
    if (expires !== undefined && expires <= Date.now()) return "expired";
    try {
      return await this.#write(key, value, {
        expires: expires === Infinity ? undefined : expires,
      });
    } catch (error) {
      // The target cannot hold such a key or value.
      if (!(error instanceof TypeError || error instanceof RangeError)) {
        throw error;
      }
      this.#skip(key, error);
      return "skipped";
    }
  }

  async #write(
    key: KvKey,
    value: unknown,
    options: KvStoreSetOptions,
  ): Promise<Outcome> {
    if (value === undefined) throw new TypeError("its value is undefined");
    const { onConflict, dryRun } = this.#options;
    const target = this.#target;
    if (dryRun) {
      assertKey(key, "migrate");
      encodeValue(value);
    }
    if (onConflict === "overwrite") {
      if (!dryRun) await target.set(key, value, options);
      return "written";
    }
    if (target.cas !== undefined && !dryRun) {
      if (await target.cas(key, undefined, value, options)) return "written";
      if (onConflict === "keep") return "kept";
    }
    const found = await target.get(key);
    if (found === undefined) {
      if (!dryRun) await target.set(key, value, options);
      return "written";
    }
    if (onConflict === "fail" && !equalValues(found, asStored(value))) {
      throw new KvError(
        `Cannot migrate ${describe(key)}: the target has another value under ` +
          'this key: set onConflict to "keep" or "overwrite"',
      );
    }
    return "kept";
  }

  #skip(key: readonly string[] | string, error: unknown): void {
    if (this.#options.onDamaged === "fail") {
      throw failure(`migrate ${describe(key)}`, error, KvCorruptionError);
    }
    const reason = error instanceof Error ? error.message : String(error);
    const entry = { key, reason };
    this.#skipped.push(entry);
    this.#options.onSkip?.(entry);
  }

  #verify() {
    const skipped = new Set(
      this.#skipped.map(({ key }) =>
        typeof key === "string" ? key : encodeKey(key)
      ),
    );
    return findDifferences(
      this.#source,
      this.#target,
      { ...this.#request, after: undefined },
      (key) => skipped.size > 0 && skipped.has(encodeKey(key)),
      this.#options.signal,
    );
  }
}
