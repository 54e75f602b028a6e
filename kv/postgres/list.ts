/**
 * Listing a table of PostgreSQL page by page.
 *
 * @module
 */

import { failure } from "../core/call.ts";
import { KvCorruptionError } from "../errors.ts";
import {
  decodeKey,
  describe,
  encodeKey,
  type KeyRange,
  keyRange,
} from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import { type Query, queryTwice } from "./client.ts";
import { postgresCodec } from "./codec.ts";
import type { PostgresStatements } from "./sql.ts";
import { KEY_LIMIT } from "./operations.ts";
import type { KvStoreListEntry } from "../store.ts";

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
): AsyncGenerator<KvStoreListEntry[]> {
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
): AsyncGenerator<KvStoreListEntry[]> {
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
    const asked = performance.now();
    const rows = await queryTwice(query, statement, [start, limit, ...bounds]);
    yield* aliveEntries(rows, asked);
    if (rows.length < limit) return;
    // No key holds a space, and none is smaller than the characters of keys:
    // this is the first text past the last key.
    start = `${rows.at(-1)![0]} `;
    limit = nextLimit(rows);
  }
}

/** The entries of a page. Whether one has expired is found out when it is due. */
function* aliveEntries(
  rows: unknown[][],
  asked: number,
): Generator<KvStoreListEntry[]> {
  let permanent: KvStoreListEntry[] = [];
  for (const row of rows) {
    const left = row[3] as number | null;
    if (left === null) {
      permanent.push(entryOf(row));
      continue;
    }
    if (permanent.length > 0) yield permanent;
    permanent = [];
    if (performance.now() < asked + left) yield [entryOf(row)];
  }
  if (permanent.length > 0) yield permanent;
}

function entryOf(row: unknown[]): KvStoreListEntry {
  const [stored, value, fullKey] = row as [string, string, string | null];
  const key = decodeKey(fullKey ?? stored);
  try {
    return { key, value: postgresCodec.decode(value) };
  } catch (error) {
    throw failure(`list ${describe(key)}`, error, KvCorruptionError);
  }
}

/** Larger pages save round trips, as long as they hold small values. */
function nextLimit(rows: unknown[][]): number {
  let bytes = 1;
  for (const row of rows) bytes += (row[1] as string).length;
  const fitting = Math.floor(PAGE_BYTES * rows.length / bytes);
  return Math.max(1, Math.min(fitting, MAX_PAGE));
}
