/**
 * Entries in the database of a Durable Object, whose rows hold 2 MB at most:
 * large values are kept in chunks in a table of their own.
 *
 * @module
 */

import { MAX_TEXT_LENGTH } from "./protocol.ts";
import type { EntryCall, SqliteEntries, Statement } from "../sqlite/entries.ts";
import type { EncodedValue } from "../core/value.ts";

/** How many bytes of a value a row holds. */
const CHUNK_BYTES = 1_048_576;

/** What a reference to chunks starts with, and no value does. */
const REFERENCE = 0;

/** With the first byte. */
const REFERENCE_BYTES = 17;

/**
 * The SQL that makes the table of chunks. Whatever replaces or deletes an entry,
 * its chunks go with it.
 */
export function chunkSchema(table: string): string[] {
  const gone =
    `WHEN typeof(OLD.value) = 'blob' AND substr(OLD.value, 1, 1) = x'00' ` +
    `BEGIN DELETE FROM ${table}_chunks WHERE reference = OLD.value; END`;
  return [
    `CREATE TABLE IF NOT EXISTS ${table}_chunks (reference BLOB NOT NULL, ` +
    "number INTEGER NOT NULL, data BLOB NOT NULL, " +
    "PRIMARY KEY (reference, number))",
    `CREATE TRIGGER IF NOT EXISTS ${table}_replaced ` +
    `AFTER UPDATE OF value ON ${table} ${gone}`,
    `CREATE TRIGGER IF NOT EXISTS ${table}_deleted ` +
    `AFTER DELETE ON ${table} ${gone}`,
  ];
}

/** The entries of a table with a table of chunks. */
export class ChunkedEntries {
  readonly #entries: SqliteEntries;
  readonly #insert: Statement;
  readonly #select: Statement;
  readonly #delete: Statement;

  constructor(
    entries: SqliteEntries,
    prepare: (sql: string) => Statement,
    table: string,
  ) {
    this.#entries = entries;
    this.#insert = prepare(`INSERT INTO ${table}_chunks VALUES (?, ?, ?)`);
    this.#select = prepare(
      `SELECT data FROM ${table}_chunks WHERE reference = ? ORDER BY number`,
    );
    this.#delete = prepare(`DELETE FROM ${table}_chunks WHERE reference = ?`);
  }

  /**
   * Carries out a call. If its value {@linkcode isLarge}, that is to be done in
   * a transaction.
   *
   * @returns What was found by a `get`, or whether a `cas` was made.
   */
  carryOut(call: EntryCall): EncodedValue | boolean | undefined {
    const { kind, id, value, expiry, expected } = call;
    const reference = isLarge(value) ? this.#keep(value) : undefined;
    const result = this.#entries.carryOut({
      kind,
      id,
      value: reference ?? value,
      expiry,
      // No row holds a large one.
      expected: isLarge(expected) ? undefined : expected,
      matches: (stored) => call.matches!(stored && this.whole(stored)),
    });
    if (reference !== undefined && result === false) {
      this.#delete.run(reference);
    }
    return typeof result === "object" ? this.whole(result) : result;
  }

  /** A stored value, put together if it is in chunks. */
  whole(stored: EncodedValue): EncodedValue {
    if (typeof stored === "string" || stored[0] !== REFERENCE) return stored;
    const chunks = this.#select.all(stored).map(([data]) => data as Uint8Array);
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const value = new Uint8Array(length);
    let end = 0;
    for (const chunk of chunks) {
      value.set(chunk, end);
      end += chunk.length;
    }
    return value;
  }

  #keep(value: Uint8Array): Uint8Array {
    const reference = crypto.getRandomValues(new Uint8Array(REFERENCE_BYTES));
    reference[0] = REFERENCE;
    for (let number = 0; number * CHUNK_BYTES < value.length; number++) {
      const start = number * CHUNK_BYTES;
      const chunk = value.slice(start, start + CHUNK_BYTES);
      this.#insert.run(reference, number, chunk);
    }
    return reference;
  }
}

/** Whether a value is to be kept in chunks: those that can be are bytes. */
export function isLarge(value: EncodedValue | undefined): value is Uint8Array {
  return typeof value === "object" && value.length > MAX_TEXT_LENGTH;
}
