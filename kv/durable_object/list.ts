/**
 * Listing the entries of all objects of a store.
 *
 * @module
 */

import type { RemoteObject } from "./client.ts";
import { isFailure, type ObjectFailure, type ObjectRow } from "./protocol.ts";
import { mergePages } from "./shards.ts";
import { decodeKey, keyRange } from "../core/key.ts";
import type { KvStoredEntry } from "../core/listing.ts";
import type { EncodedValue } from "../core/value.ts";

/** About how many bytes the pages of all objects take together. */
const PAGE_BYTES = 4_194_304;

/** About how many bytes the page of an object takes at least. */
const MIN_PAGE_BYTES = 32_768;

/** The number of entries in the first page of an object, and in later ones. */
const FIRST_LIMIT = 32;
const MAX_LIMIT = 1024;

/**
 * Lists entries in key order.
 *
 * @param objects The objects of the store.
 * @param prefix The parts of the prefix.
 * @param alive Is called for every answer of an object.
 */
export async function* listObjects(
  objects: readonly RemoteObject[],
  prefix: readonly string[],
  alive: () => void,
): AsyncGenerator<KvStoredEntry[]> {
  const bytes = Math.max(PAGE_BYTES / objects.length, MIN_PAGE_BYTES);
  const listings = objects.map((object) =>
    listObject(object, prefix, bytes, alive)
  );
  for await (const rows of mergePages(listings)) {
    let page: KvStoredEntry[] = [];
    for (const row of rows) {
      if (!isTooLarge(row)) {
        page.push(entryOf(row));
        continue;
      }
      // A large value is alone in memory.
      yield page;
      page = [];
      yield await readLarge(row);
    }
    yield page;
  }
}

/** A row, and what it takes to turn it into an entry. */
type ListedRow = ObjectRow & {
  readonly object: RemoteObject;
  /** When the page was requested, in epoch milliseconds. */
  readonly time: number;
};

type LargeRow = ListedRow & { readonly value: null };

async function* listObject(
  object: RemoteObject,
  prefix: readonly string[],
  bytes: number,
  alive: () => void,
): AsyncGenerator<ListedRow[]> {
  const { start, end } = keyRange(prefix);
  let limit = FIRST_LIMIT;
  for (let next: string | undefined = start; next !== undefined;) {
    const time = Date.now();
    const page = await object.page(next, end, limit, bytes);
    alive();
    next = page.next;
    limit = Math.min(4 * limit, MAX_LIMIT);
    yield page.rows.map((row) => ({ ...row, object, time }));
  }
}

function isTooLarge(row: ListedRow): row is LargeRow {
  return !isFailure(row) && row.value === null;
}

function entryOf(row: ListedRow): KvStoredEntry {
  const key = decodeKey(row.id);
  if (isFailure(row)) return { key, error: errorOf(row) };
  const expiry = row.ttl === undefined ? undefined : row.time + row.ttl;
  return { key, value: row.value!, expiry };
}

/** Reads an entry that was too large for a page, unless it is gone. */
async function readLarge(row: LargeRow): Promise<KvStoredEntry[]> {
  const [answer] = await row.object.read([{ kind: "get", id: row.id }]);
  if (answer === undefined) return [];
  const key = decodeKey(row.id);
  if (isFailure(answer)) return [{ key, error: errorOf(answer) }];
  return [entryOf({ ...row, value: answer as EncodedValue })];
}

/** The error of a damaged entry; any other error ends the listing. */
function errorOf(failure: ObjectFailure): Error {
  const error = new Error(failure.error);
  if (!failure.isCorruption) throw error;
  return error;
}
