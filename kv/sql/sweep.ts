/**
 * When to delete rows that have expired, and how many.
 *
 * @module
 */

import { noteSwept } from "../core/trace.ts";
import type { KvStoreTraits } from "../store.ts";
import type { SqlTable } from "./table.ts";

/** How often to sweep, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/** How often to sweep from the start, in milliseconds. */
const FULL_SWEEP_INTERVAL = 60_000;

/** After how many writes to sweep again if there is more to sweep. */
const SWEEP_WRITES = 32;

/*
 * A sweep runs before a write: once a second, or after some writes if the last
 * sweep left rows that were due. As it deals with more rows than were written
 * since, entries with a TTL cannot be written faster than they are swept; and
 * most writes wait for no sweep, however much has expired.
 * The write waits for the sweep, because the client belongs to the caller, who
 * may end it as soon as the write is answered; postgres.js would leave timers and
 * the connection of an unanswered query behind.
 *
 * The index keeps a deleted row until the server cleans up, which it does not do
 * while any transaction is open that could see the row. A search from the start
 * steps over all of them, so a sweep starts where the last one stopped. The rows
 * that this leaves out (those that others held, and those of a clock that was set
 * back) wait for the next sweep from the start.
 */

/** Decides when to sweep, and sweeps. */
export class Sweeper {
  readonly #table: Pick<SqlTable<unknown>, "sweep">;
  readonly #maxRows: number;
  readonly #traits: KvStoreTraits;
  #nextSweep = -Infinity;
  #nextFullSweep = -Infinity;
  /** Whether the last sweep left rows that were due. */
  #isBehind = false;
  /** The number of writes since the last sweep. */
  #writes = 0;
  /** The time up to which all that was due is swept, in epoch milliseconds. */
  #swept: number | undefined;

  /**
   * @param table The table.
   * @param maxRows The most rows of a sweep, which takes some milliseconds then.
   * @param traits The traits of the store.
   */
  constructor(
    table: Pick<SqlTable<unknown>, "sweep">,
    maxRows: number,
    traits: KvStoreTraits,
  ) {
    this.#table = table;
    this.#maxRows = maxRows;
    this.#traits = traits;
  }

  /** Counts writes that are about to be made; returns whether to sweep. */
  isDue(writes: number): boolean {
    this.#writes += writes;
    return performance.now() >= this.#nextSweep ||
      this.#isBehind && this.#writes >= SWEEP_WRITES;
  }

  /** Deals with some rows that are due. */
  async sweep(): Promise<void> {
    const limit = Math.min(100 + 2 * this.#writes, this.#maxRows);
    this.#nextSweep = Infinity;
    this.#isBehind = false;
    this.#writes = 0;
    const now = performance.now();
    if (now >= this.#nextFullSweep) {
      this.#nextFullSweep = now + FULL_SWEEP_INTERVAL;
      this.#swept = undefined;
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
    this.#swept = undefined;
    let deleted: number;
    do {
      deleted = await this.#step(this.#maxRows);
    } while (deleted === 0 && this.#isBehind);
    return deleted;
  }

  async #step(limit: number): Promise<number> {
    const { deleted, isFull, last } = await this.#table.sweep(
      limit,
      this.#swept,
    );
    this.#isBehind = isFull;
    this.#swept = last ?? this.#swept;
    noteSwept(this.#traits, deleted);
    return deleted;
  }
}
