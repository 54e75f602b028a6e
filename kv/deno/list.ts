/**
 * Reading entries of Deno KV: out of their envelopes, and together with their
 * chunks.
 *
 * @module
 */

import type { KvStoredEntry } from "../core/listing.ts";
import { readChunks } from "./chunks.ts";
import type { DenoKvEntry, DenoKvKey } from "./client.ts";
import type { DenoDatabase } from "./database.ts";
import { DamagedEntry } from "./errors.ts";
import { isOfStrings, isShortened, keyLimit, rangeOf } from "./key.ts";
import { chunksOf, type DenoValue, isChunks, open } from "./codec.ts";
import { startsWith } from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import type { KvKey } from "../store.ts";

/** How often to read a value that is overwritten while it is being read. */
const MAX_READINGS = 100;

/** An entry with its whole value. */
export interface Loaded {
  /** The entry: that found first, or a later one. */
  readonly entry: DenoKvEntry;
  /** Its value; `undefined` if there is none, or none any more. */
  readonly stored: DenoValue | undefined;
}

/**
 * Completes an entry with its chunks. If they are not whole, the entry may have
 * been overwritten meanwhile, and is read again.
 *
 * @param db Where to read.
 * @param entry The entry, as it was found.
 * @param trueKey The true key, if it is known.
 * @returns The entry and its value.
 * @throws {DamagedEntry} If it cannot be understood.
 */
export async function load(
  db: DenoDatabase,
  entry: DenoKvEntry,
  trueKey?: KvKey,
): Promise<Loaded> {
  for (let i = 0; i < MAX_READINGS; i++) {
    const { stored } = open(entry, trueKey);
    if (!isChunks(stored)) return { entry, stored };
    try {
      return { entry, stored: { data: await readChunks(db, stored) } };
    } catch (error) {
      if (!(error instanceof DamagedEntry)) throw error;
      const { versionstamp } = entry;
      entry = await db.get(entry.key as DenoKvKey);
      if (entry.versionstamp === versionstamp) throw error;
    }
  }
  throw new Error(
    `it was overwritten ${MAX_READINGS} times while it was being read`,
  );
}

/**
 * Lists the entries under a prefix.
 *
 * @param db Where to read.
 * @param prefix The parts of the prefix.
 * @returns The entries, in pages.
 */
export async function* listPages(
  db: DenoDatabase,
  prefix: readonly string[],
): AsyncGenerator<KvStoredEntry<DenoValue>[]> {
  const { whole, shortened } = keyLimit.ranges(prefix);
  if (whole !== undefined) {
    const { start, end } = rangeOf(whole);
    yield* listRange(db, start, end, prefix, false);
  }
  if (shortened !== undefined) {
    const { first, last } = KeyLimit.digests;
    const [start, end] = [[...shortened, first], [...shortened, last]];
    yield* listRange(db, start, end, prefix, true);
  }
}

async function* listRange(
  db: DenoDatabase,
  start: DenoKvKey,
  end: DenoKvKey,
  prefix: readonly string[],
  onlyShortened: boolean,
): AsyncGenerator<KvStoredEntry<DenoValue>[]> {
  for await (const entries of db.pages(start, end)) {
    let page: KvStoredEntry<DenoValue>[] = [];
    for (const entry of entries) {
      if (!isOfStrings(entry.key)) continue;
      const shortened = isShortened(entry.key);
      if (onlyShortened && !shortened) continue;
      if (chunksOf(entry.value) !== undefined && page.length > 0) {
        // A large value is read when its turn has come, not for a whole page.
        yield page;
        page = [];
      }
      try {
        const opened = open(entry);
        const key = shortened ? opened.key : entry.key;
        if (key === undefined || !startsWith(key, prefix)) continue;
        const stored = isChunks(opened.stored)
          ? (await load(db, entry)).stored
          : opened.stored;
        if (stored === undefined) continue;
        page.push({ key, value: stored, expiry: opened.expires });
      } catch (error) {
        if (!(error instanceof DamagedEntry)) throw error;
        page.push({ key: entry.key, error });
      }
    }
    if (page.length > 0) yield page;
  }
}
