/**
 * Listing a table page by page.
 *
 * @module
 */

import { compareStrings, decodeKey, encodeKey } from "../core/key.ts";
import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";
import { PageSize } from "../core/paging.ts";
import { UnexpectedAnswer } from "./errors.ts";
import type { StoredKeys } from "./operations.ts";
import { past, type Range, rangesOf } from "./range.ts";
import type { Row, SqlTable } from "./table.ts";

const FIRST_PAGE = 250;
const MAX_PAGE = 1_000;

/** Attempts to read, more than once where that helps. */
type Reading = <T>(read: () => Promise<T>) => Promise<T>;

/**
 * The entries under a prefix, in key order. Each page is a separate statement
 * that starts after the last key, so nothing is held between two of them.
 */
export async function* listPages<Stored extends { readonly length: number }>(
  table: SqlTable<Stored>,
  reading: Reading,
  prefix: readonly string[],
  request: KvPageRequest,
): AsyncGenerator<KvStoredEntry<Stored>[]> {
  const { keys } = table.limits;
  const { after, reverse } = request;
  const ranges = rangesOf(prefix, keys.limit);
  for (const range of reverse ? ranges.reverse() : ranges) {
    const rest = after === undefined
      ? range
      : past(range, keys.of(after, encodeKey(after)), reverse);
    yield* pagesIn(table, reading, rest, request);
  }
}

async function* pagesIn<Stored extends { readonly length: number }>(
  table: SqlTable<Stored>,
  reading: Reading,
  range: Range,
  { reverse, keysOnly, limit: wanted }: KvPageRequest,
): AsyncGenerator<KvStoredEntry<Stored>[]> {
  const { keys } = table.limits;
  const size = new PageSize(Math.min(wanted, FIRST_PAGE), MAX_PAGE);
  while (
    range.end === undefined || compareStrings(range.start, range.end) < 0
  ) {
    const { limit } = size;
    const form = { range, reverse, keysOnly, limit };
    const time = Date.now();
    const { rows, isLast } = await reading(() => table.page(form));
    checkOrder(rows, range, reverse);
    let page: KvStoredEntry<Stored>[] = [];
    let length = 0;
    for (const row of rows) {
      const [key, value, fullKey] = row;
      length += key.length + (fullKey?.length ?? 0);
      if (value !== null || keysOnly) {
        length += value?.length ?? 0;
        page.push(entryOf(row, value ?? undefined, time, keys));
        continue;
      }
      // A large value comes alone.
      if (page.length > 0) yield page;
      page = [];
      const [large] = await reading(() => table.read([key]));
      // It may have been deleted, or have expired.
      if (large === undefined) continue;
      length += large.length;
      yield [entryOf(row, large, time, keys)];
    }
    if (page.length > 0) yield page;
    if (isLast) return;
    range = past(range, rows.at(-1)![0], reverse);
    size.learn(rows.length, length);
  }
}

/** A key outside the range or out of order would belong to another prefix. */
function checkOrder(
  rows: readonly Row<unknown>[],
  { start, end }: Range,
  reverse: boolean,
): void {
  if (rows.length === 0) return;
  for (let i = 1; i < rows.length; i++) {
    if ((compareStrings(rows[i]![0], rows[i - 1]![0]) > 0) === reverse) {
      throw new UnexpectedAnswer("the rows are not in key order");
    }
  }
  const keys = [rows[0]![0], rows.at(-1)![0]];
  const [least, greatest] = reverse ? keys.reverse() : keys;
  if (
    compareStrings(least!, start) < 0 ||
    end !== undefined && compareStrings(greatest!, end) >= 0
  ) throw new UnexpectedAnswer("rows are outside the range");
}

function entryOf<Stored>(
  [stored, , fullKey, expires, left]: Row<unknown>,
  value: Stored | undefined,
  time: number,
  keys: StoredKeys,
): KvStoredEntry<Stored> {
  const id = fullKey ?? stored;
  const key = decodeKey(id);
  // Whether the entry is where `get` looks for it.
  if (encodeKey(key) !== id || keys.of(key, id) !== stored) {
    const error = new Error("no store writes such a key in the table");
    return { key, error };
  }
  return left === null ? { key, value } : {
    key,
    value,
    expiry: time + Number(left),
    expires: Number(expires),
  };
}
