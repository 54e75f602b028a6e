/**
 * Comparing a target with the source of a migration.
 *
 * @module
 */

import { equalValues } from "../kv/core/equal.ts";
import { encodeKey } from "../kv/core/key.ts";
import { decodeValue, encodeValue } from "../kv/core/value.ts";
import type { KvExtendedStore, KvKey, KvSignal } from "../kv/store.ts";
import { readPages } from "./read.ts";
import type { MigrationSource, SourceEntry, SourceRequest } from "./source.ts";
import { Window } from "./window.ts";

/** How far two expiries may be apart, in milliseconds: they are rounded. */
const TOLERANCE = 2;

/** An entry that expires so soon may be gone on one side, in milliseconds. */
const SOON = 1_000;

/**
 * An entry that the target does not have as the source has it.
 *
 * @example Usage
 * ```ts
 * import type { DifferentEntry } from "@org/kv/migrate";
 *
 * const entry: DifferentEntry = { key: ["a"], difference: "missing" };
 * ```
 */
export interface DifferentEntry {
  /** The key. */
  readonly key: KvKey;
  /** Whether the target lacks it, or what is different. */
  readonly difference: "missing" | "value" | "expiry";
}

/** A value as a store returns it: without members that are `undefined`. */
export function asStored(value: unknown): unknown {
  const encoded = encodeValue(value);
  return encoded === undefined ? undefined : decodeValue(encoded);
}

/**
 * Compares every entry of a source with the target, except damaged ones.
 *
 * @param source The source.
 * @param target The target.
 * @param request Which entries to compare.
 * @param signal Ends the comparison.
 * @param isSkipped Whether an entry was left out.
 * @returns The entries that are different.
 */
export async function findDifferences(
  source: MigrationSource,
  target: KvExtendedStore,
  request: SourceRequest,
  isSkipped: (key: KvKey) => boolean,
  signal?: KvSignal,
): Promise<DifferentEntry[]> {
  const different: DifferentEntry[] = [];
  const expiries = new Map<string, number>();
  if (source.keepsExpiry) {
    for await (
      const { key, expires } of target.keys(request.prefix, { signal })
    ) {
      if (expires !== undefined) expiries.set(encodeKey(key), expires);
    }
  }

  async function compare(entry: Exclude<SourceEntry, { error: unknown }>) {
    const { key, value, expires = Infinity } = entry;
    const found = await target.get(key);
    // It may have expired on one side only by now.
    if (expires <= Date.now() + SOON) return;
    if (found === undefined) {
      different.push({ key, difference: "missing" });
    } else if (!equalValues(found, asStored(value))) {
      different.push({ key, difference: "value" });
    } else if (source.keepsExpiry) {
      const other = expiries.get(encodeKey(key)) ?? Infinity;
      if (expires !== other && !(Math.abs(expires - other) <= TOLERANCE)) {
        different.push({ key, difference: "expiry" });
      }
    }
  }

  const window = new Window();
  try {
    for await (const { entries } of readPages(source, request)) {
      for (const entry of entries) {
        signal?.throwIfAborted();
        if ("error" in entry || !request.wants(entry.key)) continue;
        if (isSkipped(entry.key)) continue;
        await window.start(() => compare(entry));
      }
      window.endPage();
    }
  } finally {
    await window.finish();
  }
  return different;
}
