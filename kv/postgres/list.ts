/**
 * Listing a table of PostgreSQL page by page.
 *
 * @module
 */

import { decodeKey, encodeKey, type KeyRange, keyRange } from "../core/key.ts";
import { idAfter } from "../core/paging.ts";
import { KeyLimit } from "../core/long_key.ts";
import { type Query, queryTwice } from "./client.ts";
import type { PostgresStatements } from "./sql.ts";
import { KEY_LIMIT } from "./operations.ts";
import type { KvStoredEntry } from "../core/listing.ts";

const FIRST_PAGE = 100;
const MAX_PAGE = 1_000;
/** About how large a page may become, if its values are like the last one's. */
const PAGE_BYTES = 1_048_576;

/**
 * The entries under a prefix, in key order. Each page is a statement of its own
 * that starts behind the last key, so nothing is held between two of them.
 */
export async function* listPages(
  query: Query,
  statements: PostgresStatements,
  prefix: readonly string[],
): AsyncGenerator<KvStoredEntry<string>[]> {
  const { whole, shortened } = KEY_LIMIT.ranges(prefix);
  if (whole !== undefined) {
    yield* pagesIn(query, statements, keyRange(whole));
  }
  if (shortened !== undefined) {
    const { first, last } = KeyLimit.digests;
    const range = {
      start: encodeKey([...shortened, first]),
      end: encodeKey([...shortened, last]),
    };
    yield* pagesIn(query, statements, range, keyRange(prefix));
  }
}

async function* pagesIn(
  query: Query,
  statements: PostgresStatements,
  range: KeyRange,
  fullKeys?: KeyRange,
): AsyncGenerator<KvStoredEntry<string>[]> {
  const bounds: string[] = [];
  if (range.end !== undefined) bounds.push(range.end);
  if (fullKeys !== undefined) bounds.push(fullKeys.start, fullKeys.end!);
  const statement = statements.page({
    end: range.end !== undefined,
    fullKey: fullKeys !== undefined,
  });
  let { start } = range;
  let limit = FIRST_PAGE;
  while (true) {
    const time = Date.now();
    const rows = await queryTwice(query, statement, [start, limit, ...bounds]);
    yield rows.map((row) => entryOf(row, time));
    if (rows.length < limit) return;
    start = idAfter(rows.at(-1)![0] as string);
    limit = nextLimit(rows);
  }
}

function entryOf(row: unknown[], time: number): KvStoredEntry<string> {
  const [stored, value, fullKey, left] = row as [
    string,
    string,
    string | null,
    number | null,
  ];
  return {
    key: decodeKey(fullKey ?? stored),
    value,
    expiry: left === null ? undefined : time + left,
  };
}

/** Larger pages save round trips, as long as they hold small values. */
function nextLimit(rows: unknown[][]): number {
  let bytes = 1;
  for (const row of rows) bytes += (row[1] as string).length;
  const fitting = Math.floor(PAGE_BYTES * rows.length / bytes);
  return Math.max(1, Math.min(fitting, MAX_PAGE));
}
