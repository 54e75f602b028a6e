/**
 * Reading entries of Deno KV: out of their envelopes, and together with their
 * chunks.
 *
 * @module
 */

import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";
import { readChunks } from "./chunks.ts";
import type { DenoKvEntry, DenoKvKey } from "./client.ts";
import { type DenoDatabase, PAGE } from "./database.ts";
import { DamagedEntry } from "./errors.ts";
import {
  isOfStrings,
  isSameKey,
  isShortened,
  rangesOf,
  storedKey,
} from "./key.ts";
import { type DenoValue, isChunks, open } from "./codec.ts";
import { startsWith } from "../core/key.ts";
import type { KvKey } from "../store.ts";

/** How often to read a value that is overwritten while it is being read. */
const MAX_READINGS = 100;

/** An entry with its whole value. */
export interface Loaded {
  /** The entry: that found first, or a later one. */
  readonly entry: DenoKvEntry;
  /** Its value; `undefined` if the entry is missing or expired. */
  readonly stored: DenoValue | undefined;
  /** When it expires, in epoch milliseconds. */
  readonly expires: number | undefined;
}

/**
 * Completes an entry with its chunks. If they are not whole, the entry may have
 * been overwritten meanwhile, and is read again.
 *
 * @param db Where to read.
 * @param entry The entry, as it was found.
 * @param now A time before it was found.
 * @param trueKey The true key, if it is known.
 * @returns The entry and its value.
 * @throws {DamagedEntry} If it cannot be understood.
 */
export async function load(
  db: DenoDatabase,
  entry: DenoKvEntry,
  now: number,
  trueKey?: KvKey,
): Promise<Loaded> {
  for (let i = 0; i < MAX_READINGS; i++) {
    const { stored, expires } = open(entry, now, trueKey);
    if (!isChunks(stored)) return { entry, stored, expires };
    try {
      const data = await readChunks(db, stored);
      return { entry, stored: { data }, expires };
    } catch (error) {
      if (!(error instanceof DamagedEntry)) throw error;
      const { versionstamp } = entry;
      now = Date.now();
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
 * @param request What else the core wants.
 * @returns The entries, in pages.
 */
export async function* listPages(
  db: DenoDatabase,
  prefix: readonly string[],
  request: KvPageRequest,
): AsyncGenerator<KvStoredEntry<DenoValue>[]> {
  const { after, reverse, limit } = request;
  // The key to continue after may be among the entries.
  const size = Math.min(PAGE, limit + 1);
  try {
    for (const range of rangesOf(prefix, after, reverse)) {
      const pages = db.pages({ ...range, reverse }, size, request.alive);
      let now = Date.now();
      for await (const entries of pages) {
        yield* openAll(db, entries, now, prefix, range.onlyShortened, request);
        now = Date.now();
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedEntry)) throw error;
    // The client does not tell the key of a value that it cannot decode.
    yield [{ key: prefix, error }];
  }
}

async function* openAll(
  db: DenoDatabase,
  entries: readonly DenoKvEntry[],
  now: number,
  prefix: readonly string[],
  onlyShortened: boolean,
  { after, keysOnly }: KvPageRequest,
): AsyncGenerator<KvStoredEntry<DenoValue>[]> {
  const bound = after === undefined ? undefined : storedKey(after);
  let page: KvStoredEntry<DenoValue>[] = [];
  for (const entry of entries) {
    if (!isOfStrings(entry.key)) continue;
    const shortened = isShortened(entry.key);
    if (onlyShortened && !shortened) continue;
    if (bound !== undefined && isSameKey(entry.key, bound)) continue;
    try {
      const { stored, key = entry.key, expires: expiry } = open(entry, now);
      if (stored === undefined || !startsWith(key, prefix)) continue;
      if (!isChunks(stored)) {
        page.push({ key, value: stored, expiry });
      } else if (keysOnly) {
        page.push({ key, expiry });
      } else {
        // A large value is read when the caller reaches it.
        if (page.length > 0) yield page;
        page = [];
        const { stored: value, expires: expiry } = await load(db, entry, now);
        if (value !== undefined) yield [{ key, value, expiry }];
      }
    } catch (error) {
      if (!(error instanceof DamagedEntry)) throw error;
      page.push({ key: entry.key, error });
    }
  }
  if (page.length > 0) yield page;
}
