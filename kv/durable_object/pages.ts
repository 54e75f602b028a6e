/**
 * Reading pages of a listing from the database of a Durable Object, in bounded
 * memory.
 *
 * @module
 */

import { type ChunkedEntries, sizeOf } from "./chunks.ts";
import type {
  ObjectFailure,
  ObjectPage,
  ObjectPageRequest,
  ObjectRow,
} from "./protocol.ts";
import { decodeKey, encodeKey } from "../core/key.ts";
import { idAfter } from "../core/paging.ts";
import { KvCorruptionError } from "../errors.ts";
import type { Statement } from "../sqlite/entries.ts";
import { expiryOf, valueOf } from "../sqlite/row.ts";

/** Larger values are read one by one. */
const SMALL_VALUE_BYTES = 4096;

/** The most entries that a page examines. */
const MAX_ROWS = 1024;

/** The statements that read pages. */
export class ObjectPages {
  readonly #chunked: ChunkedEntries;
  readonly #forward: Statement;
  readonly #backward: Statement;
  readonly #value: Statement;

  constructor(
    chunked: ChunkedEntries,
    prepare: (sql: string) => Statement,
    table: string,
  ) {
    const page = (order: string) =>
      prepare(
        "SELECT key, expires, octet_length(value), CASE WHEN " +
          `octet_length(value) <= ? THEN value END FROM ${table} ` +
          `WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`,
      );
    this.#chunked = chunked;
    this.#forward = page("ASC");
    this.#backward = page("DESC");
    this.#value = prepare(`SELECT value FROM ${table} WHERE key = ?`);
  }

  /** Reads the next entries of a range of encoded keys. */
  read(request: ObjectPageRequest): ObjectPage {
    const { start, end, reverse, keysOnly, bytes } = request;
    const limit = Math.min(request.limit, MAX_ROWS);
    const found = (reverse ? this.#backward : this.#forward).all(
      keysOnly ? -1 : SMALL_VALUE_BYTES,
      start,
      end ?? Uint8Array.of(0), // SQLite sorts a blob after every text.
      limit,
    );
    const rows: ObjectRow[] = [];
    const now = Date.now();
    let left = bytes;
    for (const [key, expires, octets, small] of found) {
      const id = key as string;
      let row: ObjectRow;
      try {
        const expiry = expiryOf(expires);
        if (expiry !== undefined && expiry <= now) continue;
        checkId(id);
        const life = expiry === undefined
          ? {}
          : { ttl: expiry - now, expires: expiry };
        left -= id.length;
        if (keysOnly) {
          row = { id, ...life };
        } else {
          const size = small === null
            ? octets as number
            : sizeOf(valueOf(small));
          left -= size;
          if (left < 0 && rows.length > 0) {
            return { rows, next: reverse ? idAfter(id) : id };
          }
          const value = size > bytes ? null : this.#read(id, small);
          row = { id, value, ...life };
        }
      } catch (error) {
        row = { id, ...failureOf(error) };
      }
      rows.push(row);
    }
    if (found.length < limit) return { rows, next: undefined };
    const last = found.at(-1)![0] as string;
    return { rows, next: reverse ? last : idAfter(last) };
  }

  #read(id: string, small: unknown) {
    const stored = valueOf(small ?? this.#value.get(id)?.[0]);
    return this.#chunked.whole(id, stored);
  }
}

/** Checks that `get` finds a row by its key. */
function checkId(id: string): void {
  if (encodeKey(decodeKey(id)) !== id) {
    throw new KvCorruptionError("the row has a key in a wrong form");
  }
}

/** The answer to a call that failed alone. */
export function failureOf(error: unknown): ObjectFailure {
  return {
    error: error instanceof Error ? error.message : String(error),
    isCorruption: error instanceof KvCorruptionError,
  };
}
