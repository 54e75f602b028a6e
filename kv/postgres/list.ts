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
import type { KvStoredEntry } from "../core/listing.ts";
import { KeyLimit } from "../core/long_key.ts";
import { idAfter, PAGE_BYTES } from "../core/paging.ts";
import type { KvKey } from "../store.ts";
import type { Answer, Query, Text } from "./client.ts";
import { UnexpectedAnswer } from "./errors.ts";
import { KEY_LIMIT, storedKeyOf } from "./operations.ts";
import type { PostgresStatements } from "./sql.ts";

const FIRST_PAGE = 100;
const MAX_PAGE = 1_000;

/**
 * The entries under a prefix, in key order. Each page is a separate statement
 * that starts after the last key, so nothing is held between two of them.
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
    const parameters = [start, `${limit}`, `${PAGE_BYTES}`, ...bounds];
    const time = Date.now();
    const { rows } = await query(statement, parameters);
    checkRows(rows, start, range.end);
    if (rows.length > 0) yield rows.map((row) => entryOf(row, time));
    let length = 1;
    for (const row of rows) length += row[1]!.length;
    // A unit of a string takes three bytes at most.
    if (rows.length < limit && length * 3 < PAGE_BYTES) return;
    const last = rows.at(-1);
    if (last === undefined) return;
    start = idAfter(last[0]!);
    // The bytes end most pages of large values, so the limit may be generous.
    const fitting = Math.ceil(2 * PAGE_BYTES * rows.length / length);
    limit = Math.min(MAX_PAGE, fitting);
  }
}

/** A key outside the range or out of order would belong to another prefix. */
function checkRows(
  rows: Answer["rows"],
  start: string,
  end: string | undefined,
): void {
  let least = start;
  for (const row of rows) {
    const key = row[0];
    if (
      row.length !== 4 || typeof key !== "string" ||
      typeof row[1] !== "string" || compareStrings(key, least) < 0 ||
      end !== undefined && compareStrings(key, end) >= 0
    ) throw new UnexpectedAnswer("the rows are not in key order, or too many");
    least = key;
  }
}

function entryOf(row: readonly Text[], time: number): KvStoredEntry<string> {
  const [stored, value, fullKey, left] = row as [string, string, Text, Text];
  const key = decodeKey(fullKey ?? stored);
  if (!isKeyOf(key, stored, fullKey)) {
    const error = new Error("no store writes such a key in the table");
    return { key, error };
  }
  return {
    key,
    value,
    expiry: left === null ? undefined : time + Number(left),
  };
}

/** Whether an entry is where `get` looks for it. */
function isKeyOf(key: KvKey, stored: string, fullKey: Text): boolean {
  const id = encodeKey(key);
  return id === (fullKey ?? stored) && storedKeyOf(key, id) === stored;
}
