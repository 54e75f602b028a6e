/**
 * Large values in the database of a Durable Object, whose rows hold at most
 * 2 MB: they are kept in chunks in their own table.
 *
 * The row of the entry holds a reference: a zero byte, with which no value
 * starts, 16 random bytes, and the length and the checksum of the value, each in
 * 4 bytes. A chunk is stored under the key, the reference and its number, so
 * that no row of another key reaches it.
 *
 * @module
 */

import { crc32 } from "./checksum.ts";
import { MAX_TEXT_LENGTH, MAX_VALUE_BYTES } from "./protocol.ts";
import type { EncodedValue } from "../core/value.ts";
import { KvCorruptionError } from "../errors.ts";
import type { EntryCall, SqliteEntries, Statement } from "../sqlite/entries.ts";

/** How many bytes of a value a row holds. */
const CHUNK_BYTES = 1_048_576;

/** What a reference starts with. */
const REFERENCE = 0;
const REFERENCE_BYTES = 25;
const LENGTH_OFFSET = 17;
const CHECKSUM_OFFSET = 21;

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
    this.#insert = prepare(`INSERT INTO ${table}_chunks VALUES (?, ?, ?, ?)`);
    this.#select = prepare(
      `SELECT number, data FROM ${table}_chunks ` +
        "WHERE key = ? AND reference = ? ORDER BY number LIMIT ?",
    );
    this.#delete = prepare(
      `DELETE FROM ${table}_chunks WHERE key = ? AND reference = ?`,
    );
  }

  /**
   * Executes a call. One whose value {@linkcode isLarge} needs a transaction.
   *
   * @returns What a `get` found, or whether a `cas` was made.
   */
  execute(call: EntryCall): EncodedValue | boolean | undefined {
    const { kind, id, value, expiry, expected } = call;
    const reference = isLarge(value) ? this.#keep(id, value) : undefined;
    const result = this.#entries.carryOut({
      kind,
      id,
      value: reference ?? value,
      expiry,
      // No row holds a large one.
      expected: isLarge(expected) ? undefined : expected,
      matches: (stored) => call.matches!(stored && this.whole(id, stored)),
    });
    if (reference !== undefined && result === false) {
      this.#delete.run(id, reference);
    }
    return typeof result === "object" ? this.whole(id, result) : result;
  }

  /**
   * The value that a row stands for: its own, or that of its chunks.
   *
   * @param id The encoded key.
   * @param stored What the row holds.
   * @returns The whole value.
   * @throws {KvCorruptionError} If a chunk is missing or damaged.
   */
  whole(id: string, stored: EncodedValue): EncodedValue {
    if (typeof stored === "string" || stored[0] !== REFERENCE) return stored;
    const length = lengthOf(stored);
    const count = Math.ceil(length / CHUNK_BYTES);
    const chunks = this.#select.all(id, stored, count + 1);
    if (chunks.length !== count) {
      throw damaged(`${count} chunks of the value are expected`);
    }
    const value = new Uint8Array(length);
    for (let i = 0; i < count; i++) {
      const [number, data] = chunks[i]!;
      const start = i * CHUNK_BYTES;
      const size = Math.min(CHUNK_BYTES, length - start);
      if (
        number !== i || !(data instanceof Uint8Array) || data.length !== size
      ) {
        throw damaged(`chunk ${i} of the value is missing or damaged`);
      }
      value.set(data, start);
    }
    if (crc32(value) !== viewOf(stored).getUint32(CHECKSUM_OFFSET)) {
      throw damaged("the chunks do not match the checksum of the value");
    }
    return value;
  }

  #keep(id: string, value: Uint8Array): Uint8Array {
    const reference = crypto.getRandomValues(new Uint8Array(REFERENCE_BYTES));
    const view = viewOf(reference);
    view.setUint8(0, REFERENCE);
    view.setUint32(LENGTH_OFFSET, value.length);
    view.setUint32(CHECKSUM_OFFSET, crc32(value));
    for (let number = 0; number * CHUNK_BYTES < value.length; number++) {
      const start = number * CHUNK_BYTES;
      const chunk = value.slice(start, start + CHUNK_BYTES);
      this.#insert.run(id, reference, number, chunk);
    }
    return reference;
  }
}

/** Whether a value is kept in chunks: those that can be are bytes. */
export function isLarge(value: EncodedValue | undefined): value is Uint8Array {
  return typeof value === "object" && value.length > MAX_TEXT_LENGTH;
}

/**
 * About how much memory the value takes that a row stands for.
 *
 * @param stored What the row holds.
 * @returns The number of bytes.
 * @throws {KvCorruptionError} If it is a reference of a wrong form.
 */
export function sizeOf(stored: EncodedValue): number {
  if (typeof stored === "string") return 2 * stored.length;
  return stored[0] === REFERENCE ? lengthOf(stored) : stored.length;
}

function lengthOf(reference: Uint8Array): number {
  const length = reference.length === REFERENCE_BYTES
    ? viewOf(reference).getUint32(LENGTH_OFFSET)
    : 0;
  if (length <= MAX_TEXT_LENGTH || length > MAX_VALUE_BYTES) {
    throw damaged("the row refers to a value in a wrong form");
  }
  return length;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(reason: string): KvCorruptionError {
  return new KvCorruptionError(reason);
}
