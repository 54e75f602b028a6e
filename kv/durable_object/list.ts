/**
 * Listing the entries of all objects of a store.
 *
 * @module
 */

import type { RemoteObject } from "./client.ts";
import { isFailure, type ObjectFailure, type ObjectRow } from "./protocol.ts";
import { mergePages } from "./shards.ts";
import { decodeKey, encodeKey, keyRange } from "../core/key.ts";
import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";
import { idAfter } from "../core/paging.ts";
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
 * @param request What else the core wants.
 */
export async function* listObjects(
  objects: readonly RemoteObject[],
  prefix: readonly string[],
  request: KvPageRequest,
): AsyncGenerator<KvStoredEntry[]> {
  const bytes = Math.max(PAGE_BYTES / objects.length, MIN_PAGE_BYTES);
  const listings = objects.map((object) =>
    listObject(object, prefix, request, bytes)
  );
  for await (const rows of mergePages(listings, request.reverse)) {
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
  request: KvPageRequest,
  bytes: number,
): AsyncGenerator<ListedRow[]> {
  const { reverse, keysOnly } = request;
  let { start, end } = rangeOf(prefix, request);
  let limit = Math.min(FIRST_LIMIT, request.limit);
  while (true) {
    const time = Date.now();
    const { rows, next } = await object.page(
      { start, end, reverse, keysOnly, limit, bytes },
    );
    request.alive();
    yield rows.map((row) => ({ ...row, object, time }));
    if (next === undefined) return;
    if (reverse) end = next;
    else start = next;
    limit = Math.min(4 * limit, MAX_LIMIT);
  }
}

function rangeOf(
  prefix: readonly string[],
  { after, reverse }: KvPageRequest,
): { start: string; end: string | undefined } {
  const { start, end } = keyRange(prefix);
  if (after === undefined) return { start, end };
  const id = encodeKey(after);
  return reverse ? { start, end: id } : { start: idAfter(id), end };
}

function isTooLarge(row: ListedRow): row is LargeRow {
  return !isFailure(row) && row.value === null;
}

function entryOf(row: ListedRow): KvStoredEntry {
  const key = decodeKey(row.id);
  if (isFailure(row)) return { key, error: errorOf(row) };
  const { ttl, expires } = row;
  const expiry = ttl === undefined ? undefined : row.time + ttl;
  // Without a value, only keys were wanted.
  return { key, value: row.value ?? undefined, expiry, expires };
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
