/**
 * The entries of a store in one SQLite table: the statements, and what they mean.
 * It knows neither batches nor clients.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { noteSwept } from "../core/trace.ts";
import type { EncodedValue } from "../core/value.ts";
import { ContendedRowError, DamagedRowError } from "./errors.ts";
import { expiryOf, isSame, valueOf } from "./row.ts";
import { qualify, quote } from "./schema.ts";

/** A prepared statement, the same for every client. */
export interface Statement {
  /** The first row as an array of its columns, or `undefined`. */
  get(...parameters: readonly unknown[]): readonly unknown[] | undefined;
  /** All rows, each as an array of its columns. */
  all(...parameters: readonly unknown[]): readonly (readonly unknown[])[];
  /** Runs the statement and returns how many rows it changed. */
  run(...parameters: readonly unknown[]): number;
}

/** What executing a call needs. */
export interface EntryCall {
  readonly kind: KvCall["kind"];
  readonly id: string;
  readonly value: EncodedValue | undefined;
  readonly expiry: number | undefined;
  readonly expected: EncodedValue | undefined;
  /** For a swap: whether what is stored equals what is expected. */
  matches?(stored: EncodedValue | undefined): boolean;
}

type Matcher = Required<Pick<EntryCall, "matches">>;

/** Past this number of expired rows, a step of a sweep is over. */
const MAX_SWEEP_ROWS = 4096;

/** Past this number of milliseconds too. */
const MAX_SWEEP_TIME = 5;

/** How many rows a statement of a sweep handles. */
const STEP_ROWS = 256;

/** How many expired rows a sweep may delete for each call that it rides on. */
const SWEEP_ROWS_PER_CALL = 8;

/** How long to rest when nothing more is expired, in milliseconds. */
const SWEEP_INTERVAL = 500;

/** How often a swap starts over because the row changed in between. */
const MAX_SWAP_ATTEMPTS = 4;

/** The entries in a table that exists. */
export class SqliteEntries {
  readonly #select: Statement;
  readonly #compare: Statement;
  readonly #set: Statement;
  readonly #setLater: Statement;
  readonly #setDue: Statement;
  readonly #create: Statement;
  readonly #update: Statement;
  readonly #updateDue: Statement;
  readonly #delete: Statement;
  readonly #deleteEqual: Statement;
  readonly #sweep: Statement;
  readonly #tableName: string;
  readonly #postpone: Statement;
  /**
   * Whether a swap reads before it writes. Those that fail, or whose value is
   * stored in another form, are cheaper so, and come in a row.
   */
  #readsFirst = false;
  #nextSweep = 0;

  constructor(prepare: (sql: string) => Statement, tableName: string) {
    this.#tableName = tableName;
    const table = qualify(tableName);
    const name = quote(tableName);
    const upsert = (changes: string) =>
      prepare(
        `INSERT INTO ${table} (key, value, expires, due) ` +
          "VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE " +
          `SET value = excluded.value, expires = excluded.expires${changes}`,
      );
    const due =
      `(SELECT rowid FROM ${table} WHERE due <= ? ORDER BY due LIMIT ?)`;
    this.#select = prepare(`SELECT value, expires FROM ${table} WHERE key = ?`);
    this.#compare = prepare(
      `SELECT value, expires, value = ? AS same FROM ${table} WHERE key = ?`,
    );
    this.#set = prepare(
      `INSERT INTO ${table} (key, value) VALUES (?, ?) ` +
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = NULL",
    );
    this.#setLater = upsert(` WHERE ${name}.due <= excluded.due`);
    this.#setDue = upsert(", due = excluded.due");
    this.#create = upsert(
      `, due = excluded.due WHERE ${name}.expires <= ?`,
    );
    // Text and blobs are greater than any number.
    const isEqual = "WHERE key = ? AND value = ? AND " +
      "(expires IS NULL OR expires > ? AND expires <= 9e999)";
    this.#update = prepare(
      `UPDATE ${table} SET value = ?, expires = NULL ${isEqual}`,
    );
    this.#updateDue = prepare(
      `UPDATE ${table} SET value = ?, expires = ?, due = ? ${isEqual}`,
    );
    this.#delete = prepare(`DELETE FROM ${table} WHERE key = ?`);
    this.#deleteEqual = prepare(`DELETE FROM ${table} ${isEqual}`);
    this.#sweep = prepare(
      `DELETE FROM ${table} WHERE rowid IN ${due} AND expires <= ?`,
    );
    this.#postpone = prepare(
      `UPDATE ${table} SET due = expires WHERE rowid IN ${due} ` +
        "AND (expires > ? OR expires IS NULL)",
    );
  }

  /**
   * Carries out a call.
   *
   * @param call The call.
   * @param now A time before a `get` reads. By a later clock an entry may have
   * expired that was overwritten after it was read: there was never no entry.
   * @returns What was found by a `get`, or whether a `cas` was made.
   */
  carryOut(call: EntryCall, now?: number): EncodedValue | boolean | undefined {
    switch (call.kind) {
      case "get":
        return this.#read(call.id, now);
      case "set":
        this.#write(call.id, call.value, call.expiry);
        return;
      case "delete":
        this.#delete.run(call.id);
        return;
      case "cas":
        return this.#swap(call as EntryCall & Matcher);
    }
  }

  #read(id: string, now: number = Date.now()): EncodedValue | undefined {
    const row = this.#select.get(id);
    return row === undefined ? undefined : alive(row, now);
  }

  #write(
    id: string,
    value: EncodedValue | undefined,
    expiry: number | undefined,
  ): void {
    const changes = expiry === undefined
      ? this.#set.run(id, value)
      : this.#setLater.run(id, value, expiry, expiry) ||
        this.#setDue.run(id, value, expiry, expiry);
    if (changes === 0) {
      throw new Error("a trigger of the table stops the write");
    }
  }

  #swap(call: EntryCall & Matcher): boolean {
    const { id, value, expected } = call;
    if (expected !== undefined && !this.#readsFirst) {
      if (this.#replace(call, expected)) return true;
    }
    // Another connection may change the row between two statements. Then the
    // second one changes nothing, and the row is read again.
    let current = this.#read(id);
    if (expected !== undefined) this.#readsFirst = current !== expected;
    for (let attempt = 0; attempt < MAX_SWAP_ATTEMPTS; attempt++) {
      if (!call.matches(current)) return false;
      if (current === undefined) {
        if (value === undefined || this.#makeNew(call)) return true;
        current = this.#read(id);
      } else {
        if (this.#replace(call, current)) return true;
        current = this.#readAfter(current, id);
      }
    }
    throw new ContendedRowError();
  }

  /**
   * Reads a row again that was not replaced. One statement compares and reads:
   * if SQLite calls values different that read the same, such as text that is
   * not UTF-8, then no other connection is the reason.
   */
  #readAfter(current: EncodedValue, id: string): EncodedValue | undefined {
    const now = Date.now();
    const row = this.#compare.get(current, id);
    if (row === undefined) return undefined;
    const value = alive(row, now);
    if (value !== undefined && isSame(value, current) && !row[2]) {
      throw new DamagedRowError(
        'the column "value" holds text that is not well-formed UTF-8, or a NUL',
      );
    }
    return value;
  }

  /** Makes an entry, unless there is one that is alive. */
  #makeNew({ id, value, expiry }: EntryCall): boolean {
    const expires = expiry ?? null;
    return this.#create.run(id, value, expires, expires, Date.now()) > 0;
  }

  /** Writes or deletes an entry, if its value is as it was found or expected. */
  #replace({ id, value, expiry }: EntryCall, current: EncodedValue): boolean {
    const now = Date.now();
    const changes = value === undefined
      ? this.#deleteEqual.run(id, current, now)
      : expiry === undefined
      ? this.#update.run(value, id, current, now)
      : this.#updateDue.run(value, expiry, expiry, id, current, now);
    return changes > 0;
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
      const limit = Math.min(left, STEP_ROWS);
      if (this.#step(now, limit) < limit) {
        this.#nextSweep = now + SWEEP_INTERVAL;
        return;
      }
      if (performance.now() > deadline) return;
      left -= limit;
    }
  }

  /**
   * Deletes expired rows for a few milliseconds.
   *
   * @returns How many; 0 if none are left.
   */
  reclaim(): number {
    const now = Date.now();
    const deadline = performance.now() + MAX_SWEEP_TIME;
    let deleted = 0;
    while (deleted === 0 || performance.now() < deadline) {
      const left = this.#deleteDue(now, STEP_ROWS);
      deleted += left;
      if (left < STEP_ROWS && this.#postpone.run(now, STEP_ROWS, now) === 0) {
        break;
      }
    }
    return deleted;
  }

  /** Handles the first rows that are due. Returns how many there were. */
  #step(now: number, limit: number): number {
    const deleted = this.#deleteDue(now, limit);
    return deleted === limit
      ? deleted
      : deleted + this.#postpone.run(now, limit, now);
  }

  #deleteDue(now: number, limit: number): number {
    const deleted = this.#sweep.run(now, limit, now);
    noteSwept({ driver: "sqlite", collection: this.#tableName }, deleted);
    return deleted;
  }
}

/** The value of a row, unless it is expired. */
function alive(
  [value, expires]: readonly unknown[],
  now: number,
): EncodedValue | undefined {
  const expiry = expiryOf(expires);
  return expiry === undefined || expiry > now ? valueOf(value) : undefined;
}
