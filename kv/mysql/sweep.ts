/**
 * Sweeping a MySQL store: deleting rows that have expired.
 *
 * @module
 */

import type { Column, Query } from "./client.ts";
import type { MysqlStatements } from "./sql.ts";

/** How often to sweep, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/** How often to sweep from the start, in milliseconds. */
const FULL_SWEEP_INTERVAL = 60_000;

/** After how many writes to sweep again if there is more to sweep. */
const SWEEP_WRITES = 32;

/** The most rows of a sweep, which takes some milliseconds then. */
const MAX_SWEEP_ROWS = 128;

/*
 * A sweep runs before a write: once a second, or after some writes if the last
 * sweep left rows that were due. As it deals with more rows than were written
 * since, entries with a TTL cannot be written faster than they are swept; and
 * most writes wait for no sweep, however much has expired.
 *
 * It reads the keys that are due, without locks, and then deletes those rows by
 * their keys. A deletion by the index would lock the gaps between its entries,
 * into which others insert.
 *
 * The index keeps a deleted row until the server purges it. A search from the
 * start steps over all of them, so a sweep starts where the last one stopped.
 * The rows that this leaves out (those of a clock that was set back) wait for
 * the next sweep from the start.
 */

/** Decides when to sweep, and sweeps. */
export class Sweeper {
  readonly #query: Query;
  readonly #statements: MysqlStatements;
  #nextSweep = -Infinity;
  /** Whether the last sweep left rows that were due. */
  #isBehind = false;
  /** The number of writes since the last sweep. */
  #writes = 0;
  /** The time up to which all that was due is swept, in epoch milliseconds. */
  #swept = 0;
  #nextFullSweep = -Infinity;

  constructor(query: Query, statements: MysqlStatements) {
    this.#query = query;
    this.#statements = statements;
  }

  /** Counts writes that are about to be made; returns whether to sweep. */
  isDue(writes: number): boolean {
    this.#writes += writes;
    return performance.now() >= this.#nextSweep ||
      this.#isBehind && this.#writes >= SWEEP_WRITES;
  }

  /** Deals with some rows that are due. */
  async sweep(): Promise<void> {
    const limit = this.#writes < MAX_SWEEP_ROWS / 4
      ? MAX_SWEEP_ROWS / 2
      : MAX_SWEEP_ROWS;
    this.#nextSweep = Infinity;
    this.#isBehind = false;
    this.#writes = 0;
    const now = performance.now();
    if (now >= this.#nextFullSweep) {
      this.#nextFullSweep = now + FULL_SWEEP_INTERVAL;
      this.#swept = 0;
    }
    try {
      await this.#step(limit);
    } catch {
      // If something is wrong, the write reports it.
    } finally {
      this.#nextSweep = performance.now() + SWEEP_INTERVAL;
    }
  }

  /**
   * Deletes some expired rows, from the first one on.
   *
   * @returns How many; 0 if none are left.
   */
  async reclaim(): Promise<number> {
    this.#swept = 0;
    let deleted: number;
    do {
      deleted = await this.#step(MAX_SWEEP_ROWS);
    } while (deleted === 0 && this.#isBehind);
    return deleted;
  }

  async #step(limit: number): Promise<number> {
    const { rows } = await this.#query(
      this.#statements.due(limit),
      [this.#swept],
    );
    const [expired, others] = [[], []] as [Column[], Column[]];
    for (const [key, , isExpired] of rows) {
      (String(isExpired) === "1" ? expired : others).push(key!);
    }
    const deleted = await this.#apply("sweep", expired);
    await this.#apply("postpone", others);
    this.#isBehind = rows.length === limit;
    this.#swept = Number(rows.at(-1)?.[1] ?? this.#swept);
    return deleted;
  }

  async #apply(name: "sweep" | "postpone", keys: Column[]): Promise<number> {
    if (keys.length === 0) return 0;
    const length = 2 ** Math.ceil(Math.log2(keys.length));
    const { affectedRows } = await this.#query(
      this.#statements.of(name, length),
      [...keys, ...Array<Column>(length - keys.length).fill(keys[0]!)],
    );
    return affectedRows;
  }
}
