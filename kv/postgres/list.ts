/**
 * Listing a table of PostgreSQL page by page.
 *
 * @module
 */

import {
  compareStrings,
  decodeKey,
  encodeKey,
  type KeyRange,
  keyRange,
} from "../core/key.ts";
import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";
import { KeyLimit } from "../core/long_key.ts";
import { idAfter, PAGE_BYTES, PageSize } from "../core/paging.ts";
import type { KvKey } from "../store.ts";
import type { Answer, Query, Text } from "./query.ts";
import { UnexpectedAnswer } from "./errors.ts";
import { KEY_LIMIT, storedKeyOf } from "./operations.ts";
import type { Bound, PostgresStatements } from "./sql.ts";

const FIRST_PAGE = 250;
const MAX_PAGE = 1_000;

/** A range of stored keys, and one of the true keys of shortened ones. */
interface Range extends KeyRange {
  readonly fullKeys?: KeyRange;
}

/**
 * The entries under a prefix, in key order. Each page is a separate statement
 * that starts after the last key, so nothing is held between two of them.
 */
export async function* listPages(
  query: Query,
  statements: PostgresStatements,
  prefix: readonly string[],
  request: KvPageRequest,
): AsyncGenerator<KvStoredEntry<string>[]> {
  const ranges = rangesOf(prefix);
  for (const range of request.reverse ? ranges.reverse() : ranges) {
    yield* pagesIn(query, statements, rest(range, request), request);
  }
}

function rangesOf(prefix: readonly string[]): Range[] {
  const { whole, shortened } = KEY_LIMIT.ranges(prefix);
  const ranges: Range[] = whole === undefined ? [] : [keyRange(whole)];
  if (shortened !== undefined) {
    const { first, last } = KeyLimit.digests;
    ranges.push({
      start: encodeKey([...shortened, first]),
      end: encodeKey([...shortened, last]),
      fullKeys: keyRange(prefix),
    });
  }
  return ranges;
}

/** What is left of a range, if the listing continues after a key. */
function rest(range: Range, { after, reverse }: KvPageRequest): Range {
  if (after === undefined) return range;
  const key = storedKeyOf(after, encodeKey(after));
  return past(range, key, reverse);
}

/** What is left of a range past a stored key. */
function past(range: Range, key: string, reverse: boolean): Range {
  const { start, end } = range;
  if (!reverse) {
    const next = idAfter(key);
    return compareStrings(next, start) > 0 ? { ...range, start: next } : range;
  }
  return end === undefined || compareStrings(key, end) < 0
    ? { ...range, end: key }
    : range;
}

async function* pagesIn(
  query: Query,
  statements: PostgresStatements,
  range: Range,
  { reverse, limit, keysOnly }: KvPageRequest,
): AsyncGenerator<KvStoredEntry<string>[]> {
  const size = new PageSize(Math.min(limit, FIRST_PAGE), MAX_PAGE);
  while (
    range.end === undefined || compareStrings(range.start, range.end) < 0
  ) {
    const parameters = [`${size.limit}`];
    if (!keysOnly) parameters.push(`${PAGE_BYTES}`);
    const bounds: Bound[] = [];
    for (const [bound, value] of boundsOf(range)) {
      bounds.push(bound);
      parameters.push(value);
    }
    const statement = statements.page({ bounds, reverse, keysOnly });
    const time = Date.now();
    const { rows } = await query(statement, parameters);
    checkRows(rows, range, reverse, keysOnly);
    if (rows.length > 0) yield rows.map((row) => entryOf(row, time));
    let length = 0;
    for (const [key, value] of rows) {
      length += key!.length + (value?.length ?? 0);
    }
    // A unit of a string takes three bytes at most.
    if (rows.length < size.limit && length * 3 < PAGE_BYTES) return;
    const last = rows.at(-1);
    if (last === undefined) return;
    range = past(range, last[0]!, reverse);
    size.learn(rows.length, length);
  }
}

function* boundsOf(
  { start, end, fullKeys }: Range,
): Generator<[Bound, string]> {
  yield ["key >=", start];
  if (end !== undefined) yield ["key <", end];
  if (fullKeys !== undefined) {
    yield ["full_key >=", fullKeys.start];
    yield ["full_key <", fullKeys.end!];
  }
}

/** A key outside the range or out of order would belong to another prefix. */
function checkRows(
  rows: Answer["rows"],
  { start, end }: Range,
  reverse: boolean,
  keysOnly: boolean,
): void {
  let previous: Text | undefined;
  for (const row of rows) {
    const key = row[0];
    if (
      row.length !== 5 || typeof key !== "string" ||
      keysOnly !== (row[1] === null)
    ) throw new UnexpectedAnswer();
    if (
      previous !== undefined &&
      (compareStrings(key, previous!) > 0) === reverse
    ) throw new UnexpectedAnswer("the rows are not in key order");
    previous = key;
  }
  if (rows.length === 0) return;
  const keys = [rows[0]![0]!, previous!];
  const [least, greatest] = reverse ? keys.reverse() : keys;
  if (
    compareStrings(least!, start) < 0 ||
    end !== undefined && compareStrings(greatest!, end) >= 0
  ) throw new UnexpectedAnswer("rows are outside the range");
}

function entryOf(row: readonly Text[], time: number): KvStoredEntry<string> {
  const [stored, value, fullKey, expires, left] = row;
  const key = decodeKey(fullKey ?? stored!);
  if (!isKeyOf(key, stored!, fullKey!)) {
    const error = new Error("no store writes such a key in the table");
    return { key, error };
  }
  return left === null ? { key, value: value ?? undefined } : {
    key,
    value: value ?? undefined,
    expiry: time + Number(left),
    expires: Number(expires),
  };
}

/** Whether an entry is where `get` looks for it. */
function isKeyOf(key: KvKey, stored: string, fullKey: Text): boolean {
  const id = encodeKey(key);
  return id === (fullKey ?? stored) && storedKeyOf(key, id) === stored;
}
