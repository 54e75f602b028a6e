/**
 * The entries of a store in one SQLite table: the statements, and what they mean.
 * It knows neither batches nor clients.
 *
 * @module
 */

import type { KvCall } from "../call.ts";
import type { EncodedValue } from "../value.ts";

/** A prepared statement, the same for every client. */
export interface Statement {
  /** The first row as an array of its columns, or `undefined`. */
  get(...parameters: readonly unknown[]): readonly unknown[] | undefined;
  /** All rows, each as an array of its columns. */
  all(...parameters: readonly unknown[]): readonly (readonly unknown[])[];
  /** Runs the statement and returns how many rows it changed. */
  run(...parameters: readonly unknown[]): number;
}

/** An entry as it is read for a listing. */
export interface Row {
  /** The encoded key. */
  readonly id: string;
  /** The stored value. */
  readonly value: EncodedValue;
  /** When it expires, in epoch milliseconds; `undefined` for never. */
  readonly expiry: number | undefined;
}

/** What it takes to carry out a call. */
export type EntryCall = Pick<
  KvCall,
  "kind" | "id" | "value" | "expiry" | "matches"
>;

/** Past this number of expired rows, a step of a sweep is over. */
const MAX_SWEEP_ROWS = 4096;

/** Past this number of milliseconds too. */
const MAX_SWEEP_TIME = 5;

/** How many expired rows a sweep may delete for each call that it rides on. */
const SWEEP_ROWS_PER_CALL = 16;

/** How long to rest when nothing more is expired, in milliseconds. */
const SWEEP_INTERVAL = 500;

/**
 * The SQL that makes the table and its index, if they are missing.
 *
 * The key is text, as SQLite compares text by bytes of UTF-8. The value has no
 * declared type: JSON is text, CBOR a blob. The expiry is a REAL, since not
 * every client reads integers of more than 32 bits.
 */
export function schema(table: string): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${quote(table)} ` +
    "(key TEXT PRIMARY KEY NOT NULL, value NOT NULL, expires REAL)",
    `CREATE INDEX IF NOT EXISTS ${quote(indexName(table))} ` +
    `ON ${quote(table)} (expires) WHERE expires IS NOT NULL`,
  ];
}

/** The name of the index by expiry. */
export function indexName(table: string): string {
  return `${table}_expires`;
}

/** Quotes an identifier. */
function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The entries in a table that exists. */
export class SqliteEntries {
  readonly #select: Statement;
  readonly #upsert: Statement;
  readonly #create: Statement;
  readonly #update: Statement;
  readonly #delete: Statement;
  readonly #deleteEqual: Statement;
  readonly #page: Statement;
  readonly #sweep: Statement;
  #nextSweep = 0;

  constructor(prepare: (sql: string) => Statement, tableName: string) {
    const table = quote(tableName);
    const upsert = `INSERT INTO ${table} (key, value, expires) ` +
      "VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE " +
      "SET value = excluded.value, expires = excluded.expires";
    this.#select = prepare(`SELECT value, expires FROM ${table} WHERE key = ?`);
    this.#upsert = prepare(upsert);
    this.#create = prepare(`${upsert} WHERE ${table}.expires <= ?`);
    this.#update = prepare(
      `UPDATE ${table} SET value = ?, expires = ? WHERE key = ? AND value = ?`,
    );
    this.#delete = prepare(`DELETE FROM ${table} WHERE key = ?`);
    this.#deleteEqual = prepare(
      `DELETE FROM ${table} WHERE key = ? AND value = ?`,
    );
    this.#page = prepare(
      `SELECT key, value, expires FROM ${table} ` +
        "WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
    );
    this.#sweep = prepare(
      `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} ` +
        "WHERE expires <= ? ORDER BY expires LIMIT ?)",
    );
  }

  /**
   * Carries out a call.
   *
   * @returns What was found by a `get`, or whether a `cas` was made.
   */
  carryOut(call: EntryCall): EncodedValue | boolean | undefined {
    switch (call.kind) {
      case "get":
        return this.#read(call.id);
      case "set":
        this.#upsert.run(call.id, call.value, call.expiry ?? null);
        return;
      case "delete":
        this.#delete.run(call.id);
        return;
      case "cas":
        return this.#swap(call);
    }
  }

  #read(id: string): EncodedValue | undefined {
    const row = this.#select.get(id);
    if (row === undefined) return undefined;
    const expires = row[1];
    return expires === null || expires as number > Date.now()
      ? row[0] as EncodedValue
      : undefined;
  }

  #swap(call: EntryCall): boolean {
    const { id, value, expiry = null } = call;
    // Only another process can come between the two statements. The second one
    // then changes nothing, and the first is repeated.
    while (true) {
      const current = this.#read(id);
      if (!call.matches(current)) return false;
      let changes: number;
      if (value !== undefined) {
        changes = current === undefined
          ? this.#create.run(id, value, expiry, Date.now())
          : this.#update.run(value, expiry, id, current);
      } else if (current !== undefined) {
        changes = this.#deleteEqual.run(id, current);
      } else {
        return true;
      }
      if (changes > 0) return true;
    }
  }

  /**
   * Reads the next entries of a range of encoded keys.
   *
   * @param start The first encoded key that may be meant.
   * @param end The first one past the range, or `undefined` if it has no end.
   * @param limit How many rows to read at most.
   * @returns The entries that are alive, and where to go on, or `undefined` at
   * the end.
   */
  page(
    start: string,
    end: string | undefined,
    limit: number,
  ): { rows: Row[]; next: string | undefined } {
    const now = Date.now();
    const rows: Row[] = [];
    const all = this.#page.all(start, end ?? AFTER_ALL_TEXT, limit);
    for (const [id, value, expires] of all) {
      const expiry = expires === null ? undefined : expires as number;
      if (expiry === undefined || expiry > now) {
        rows.push({ id: id as string, value: value as EncodedValue, expiry });
      }
    }
    // No character of an encoded key is as small as a space.
    const next = all.length < limit ? undefined : `${all.at(-1)![0]} `;
    return { rows, next };
  }

  /**
   * Deletes some expired rows, in time bounded by the number of calls that it
   * rides on and by a few milliseconds.
   *
   * @param calls The number of calls.
   */
  sweep(calls: number): void {
    const now = Date.now();
    if (now < this.#nextSweep && now > this.#nextSweep - 2 * SWEEP_INTERVAL) {
      return;
    }
    let left = Math.min(calls * SWEEP_ROWS_PER_CALL, MAX_SWEEP_ROWS);
    const deadline = performance.now() + MAX_SWEEP_TIME;
    while (left > 0) {
      const limit = Math.min(left, 256);
      if (this.#sweep.run(now, limit) < limit) {
        this.#nextSweep = now + SWEEP_INTERVAL;
        return;
      }
      if (performance.now() > deadline) return;
      left -= limit;
    }
  }
}

/** A blob, which SQLite sorts behind every text. */
const AFTER_ALL_TEXT = Uint8Array.of(0);
