/**
 * Listing by ranges of the key, in bounded memory, with pauses for the event
 * loop.
 *
 * @module
 */

import { decodeKey, encodeKey, keyRange, utf8Length } from "../core/key.ts";
import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";
import { idAfter, PAGE_BYTES } from "../core/paging.ts";
import { turn, TURN_BUDGET } from "../core/turn.ts";
import type { KvKey } from "../store.ts";
import type { Statement } from "./entries.ts";
import { DamagedRowError } from "./errors.ts";
import { expiryOf, valueOf } from "./row.ts";
import { qualify } from "./schema.ts";

/** The number of rows in the first page, and in the largest. */
const FIRST_ROWS = 32;
const MAX_ROWS = 256;

/** The bytes of the largest value that is read together with others. */
const SMALL_BYTES = 16_384;

type WhenFree = <T>(
  attempt: (table: { readonly listing: SqliteListing }) => T,
) => T | Promise<T>;

/** The encoded keys that are left to list: from `start` on, before `end`. */
interface Range {
  readonly start: string;
  /** `undefined` if the range has no end. */
  readonly end: string | undefined;
}

interface Page {
  readonly entries: KvStoredEntry[];
  /** What is left, or `undefined` at the end. */
  readonly rest: Range | undefined;
}

/** In which order to list, and what. */
type Order = Pick<KvPageRequest, "reverse" | "keysOnly">;

/**
 * Lists entries in key order. Between pages, the event loop gets its turn when a
 * few milliseconds have passed.
 *
 * @param prefix The parts of the prefix.
 * @param request What else the core wants.
 * @param whenFree Makes an attempt when no lock is in the way.
 */
export async function* listPages(
  prefix: readonly string[],
  request: KvPageRequest,
  whenFree: WhenFree,
): AsyncGenerator<KvStoredEntry[]> {
  let rest: Range | undefined = rangeOf(prefix, request);
  let limit = Math.min(FIRST_ROWS, request.limit);
  let lastTurn = performance.now();
  while (rest !== undefined) {
    const range: Range = rest;
    const size = limit;
    const page: Page = await whenFree(({ listing }) =>
      listing.page(range, size, request)
    );
    rest = page.rest;
    limit = Math.min(4 * limit, MAX_ROWS);
    if (page.entries.length > 0) yield page.entries;
    if (performance.now() - lastTurn > TURN_BUDGET) {
      await turn();
      lastTurn = performance.now();
    }
  }
}

function rangeOf(
  prefix: readonly string[],
  { after, reverse }: KvPageRequest,
): Range {
  const { start, end } = keyRange(prefix);
  if (after === undefined) return { start, end };
  const id = encodeKey(after);
  return reverse ? { start, end: id } : { start: idAfter(id), end };
}

/** The statements of a listing. */
export class SqliteListing {
  readonly #forward: Statement;
  readonly #backward: Statement;
  readonly #keysForward: Statement;
  readonly #keysBackward: Statement;
  readonly #select: Statement;

  /**
   * Prepares the statements.
   *
   * @param prepare Prepares a statement.
   * @param tableName The name of the table.
   */
  constructor(prepare: (sql: string) => Statement, tableName: string) {
    const table = qualify(tableName);
    const bytes = byteLength(prepare);
    const page = (columns: string, order: string) =>
      prepare(
        `SELECT key, ${bytes("key")}, expires${columns} FROM ${table} ` +
          `WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`,
      );
    const values = `, CASE WHEN ${
      bytes("value")
    } <= ${SMALL_BYTES} THEN value END`;
    this.#forward = page(values, "ASC");
    this.#backward = page(values, "DESC");
    this.#keysForward = page("", "ASC");
    this.#keysBackward = page("", "DESC");
    this.#select = prepare(`SELECT expires, value FROM ${table} WHERE key = ?`);
  }

  /**
   * Reads the next entries. Large values are read one by one, so that a page ends
   * soon after its number of bytes, whatever the order of sizes.
   *
   * @param range The encoded keys that are left.
   * @param limit The largest number of rows to read.
   * @param order In which order to list, and what.
   * @returns The entries that are alive or damaged, and what is left then.
   */
  page(range: Range, limit: number, order: Order): Page {
    const { start, end } = range;
    const rows = this.#statement(order).all(start, end ?? AFTER_TEXT, limit);
    const restAfter = (row: readonly unknown[]): Range => {
      const id = String(row[0]);
      return order.reverse ? { start, end: id } : { start: idAfter(id), end };
    };
    const entries: KvStoredEntry[] = [];
    const now = Date.now();
    let bytes = 0;
    for (const row of rows) {
      const entry = this.#entry(row, now, order.keysOnly);
      if (entry === undefined) continue;
      entries.push(entry);
      if ("value" in entry) bytes += entry.value?.length ?? 0;
      if (bytes > PAGE_BYTES) return { entries, rest: restAfter(row) };
    }
    const rest = rows.length < limit ? undefined : restAfter(rows.at(-1)!);
    return { entries, rest };
  }

  #statement({ reverse, keysOnly }: Order): Statement {
    if (keysOnly) return reverse ? this.#keysBackward : this.#keysForward;
    return reverse ? this.#backward : this.#forward;
  }

  #entry(
    [column, idBytes, expires, value]: readonly unknown[],
    now: number,
    keysOnly: boolean,
  ): KvStoredEntry | undefined {
    const id = String(column);
    const key = decodeKey(id);
    try {
      if (
        typeof column !== "string" || !this.#isKey(id, key, Number(idBytes))
      ) {
        throw new DamagedRowError(
          'the column "key" holds what is not an encoded key',
        );
      }
      if (value === null) return this.#large(id, key, now);
      const expiry = expiryOf(expires);
      if (expiry !== undefined && expiry <= now) return undefined;
      return keysOnly
        ? { key, expiry }
        : { key, value: valueOf(value), expiry };
    } catch (error) {
      if (error instanceof DamagedRowError) {
        return { key, error: error.message };
      }
      throw error;
    }
  }

  #large(id: string, key: KvKey, now: number): KvStoredEntry | undefined {
    const row = this.#select.get(id);
    if (row === undefined) return undefined; // deleted in between
    const expiry = expiryOf(row[0]);
    if (expiry !== undefined && expiry <= now) return undefined;
    return { key, value: valueOf(row[1]), expiry };
  }

  /** Whether `get` finds the row by its key. */
  #isKey(id: string, key: readonly string[], bytes: number): boolean {
    // A client may cut text at a NUL.
    if (bytes !== id.length && bytes !== utf8Length(id)) return false;
    if (!SUSPECT.test(id)) return true;
    return encodeKey(key) === id &&
      (!id.includes("\ufffd") || this.#select.get(id) !== undefined);
  }
}

/** Makes SQL for the number of bytes of a column. */
function byteLength(
  prepare: (sql: string) => Statement,
): (column: string) => string {
  try {
    prepare("SELECT octet_length('')");
    return (column) => `octet_length(${column})`;
  } catch {
    // Before SQLite 3.43: it reads a large value to know its length.
    return (column) => `length(CAST(${column} AS BLOB))`;
  }
}

/** What an encoded key escapes, and what a client reads for invalid UTF-8. */
const SUSPECT = /[\0- "\ufffd]/;

/** A blob, which SQLite sorts after every text. */
const AFTER_TEXT = Uint8Array.of(0);
