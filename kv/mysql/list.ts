/**
 * Listing a table of MySQL page by page.
 *
 * @module
 */

import { Buffer } from "../core/builtin.ts";
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
import { type Column, type Query, queryTwice } from "./client.ts";
import { UnexpectedAnswer } from "./errors.ts";
import { storedKeyOf } from "./operations.ts";
import type { Bound, MysqlStatements } from "./sql.ts";

const FIRST_PAGE = 64;
const MAX_PAGE = 1_024;

type Entry = KvStoredEntry<Buffer>;

/** A range of stored keys, and one of the true keys of shortened ones. */
interface Range extends KeyRange {
  readonly fullKeys?: KeyRange;
}

/** What pages are read from. */
export interface Source {
  readonly query: Query;
  readonly statements: MysqlStatements;
  readonly keyBytes: number;
}

/**
 * The entries under a prefix, in key order. Each page is a separate statement
 * that starts after the last key, so nothing is held between two of them.
 */
export async function* listPages(
  source: Source,
  prefix: readonly string[],
  request: KvPageRequest,
): AsyncGenerator<Entry[]> {
  const { after, reverse } = request;
  const ranges = rangesOf(prefix, source.keyBytes);
  for (const range of reverse ? ranges.reverse() : ranges) {
    const rest = after === undefined ? range : past(
      range,
      storedKeyOf(after, encodeKey(after), source.keyBytes),
      reverse,
    );
    yield* pagesIn(source, rest, request);
  }
}

function rangesOf(prefix: readonly string[], keyBytes: number): Range[] {
  const { whole, shortened } = new KeyLimit(keyBytes).ranges(prefix);
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
  source: Source,
  range: Range,
  { reverse, limit: wanted, keysOnly }: KvPageRequest,
): AsyncGenerator<Entry[]> {
  const { query, statements } = source;
  const size = new PageSize(Math.min(wanted, FIRST_PAGE), MAX_PAGE);
  while (
    range.end === undefined || compareStrings(range.start, range.end) < 0
  ) {
    // Few different statements; what is larger than its share comes alone.
    const limit = 2 ** Math.ceil(Math.log2(size.limit));
    const maxBytes = keysOnly ? 0 : Math.floor(PAGE_BYTES / limit);
    const bounds = [...boundsOf(range)];
    const form = {
      bounds: bounds.map(([bound]) => bound),
      reverse,
      maxBytes,
      limit,
    };
    const time = Date.now();
    const { rows } = await queryTwice(
      query,
      statements.page(form),
      bounds.map(([, value]) => Buffer.from(value)),
    );
    checkRows(rows, range, reverse);
    let page: Entry[] = [];
    let length = 0;
    for (const row of rows) {
      const [key, value] = row;
      length += key!.length + (value?.length ?? maxBytes);
      if (value !== null || keysOnly) {
        page.push(entryOf(row, value!, time, source.keyBytes));
        continue;
      }
      if (page.length > 0) yield page;
      page = [];
      const found = await queryTwice(query, statements.of("read", 1), [key!]);
      const large = found.rows[0]?.[1];
      // It may have been deleted, or have expired.
      if (large) yield [entryOf(row, large, time, source.keyBytes)];
    }
    if (page.length > 0) yield page;
    if (rows.length < limit) return;
    range = past(range, rows.at(-1)![0]!.toString(), reverse);
    size.learn(rows.length, length);
  }
}

function* boundsOf(
  { start, end, fullKeys }: Range,
): Generator<[Bound, string]> {
  yield ["`key` >=", start];
  if (end !== undefined) yield ["`key` <", end];
  if (fullKeys !== undefined) {
    yield ["full_key >=", fullKeys.start];
    yield ["full_key <", fullKeys.end!];
  }
}

/** A key outside the range or out of order would belong to another prefix. */
function checkRows(
  rows: readonly (readonly Column[])[],
  { start, end }: Range,
  reverse: boolean,
): void {
  let previous: string | undefined;
  for (const row of rows) {
    if (row.length !== 5 || row[0] === null) throw new UnexpectedAnswer();
    const key = row[0]!.toString();
    if (
      compareStrings(key, start) < 0 ||
      end !== undefined && compareStrings(key, end) >= 0 ||
      previous !== undefined && (compareStrings(key, previous) > 0) === reverse
    ) throw new UnexpectedAnswer("the rows are not in key order, or too many");
    previous = key;
  }
}

function entryOf(
  row: readonly Column[],
  value: Column,
  time: number,
  keyBytes: number,
): Entry {
  const [stored, , fullKey, expires, left] = row.map((column, i) =>
    i === 1 ? null : column?.toString() ?? null
  );
  const id = fullKey ?? stored!;
  const key = decodeKey(id);
  // Whether the entry is where `get` looks for it.
  if (encodeKey(key) !== id || storedKeyOf(key, id, keyBytes) !== stored) {
    const error = new Error("no store writes such a key in the table");
    return { key, error };
  }
  const entry = { key, value: value ?? undefined };
  return left === null ? entry : {
    ...entry,
    expiry: time + Number(left),
    expires: Number(expires),
  };
}
