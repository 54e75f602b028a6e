/**
 * The deletion of expired rows of a PostgreSQL store.
 *
 * @module
 */

import type { Query } from "./client.ts";
import type { PostgresStatements } from "./sql.ts";

/** How often to sweep, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/** How often to sweep from the start, in milliseconds. */
const FULL_SWEEP_INTERVAL = 60_000;

/** After how many writes to sweep again if there is more to sweep. */
const SWEEP_WRITES = 32;

/** How many rows a sweep deletes at most: some milliseconds' worth. */
const MAX_SWEEP_ROWS = 512;

/*
 * A sweep goes before a write, once a second, or as soon as there were some
 * writes if the last one had to leave expired rows behind. As it deletes more
 * than was written since, what is written with a TTL cannot outrun what is
 * swept; and most writes wait for none, however much has expired.
 * The write waits for the sweep, because the client is the caller's: it may be
 * ended as soon as the write is answered, and postgres.js leaves timers and the
 * connection of an unanswered query behind.
 *
 * The index keeps a deleted row until a vacuum, and none takes it away while any
 * transaction is open that could see it. A search from the start steps over all
 * of them, so a sweep starts where the last one stopped. What that leaves out
 * (rows that others held, those of a clock that was put back) waits for a sweep
 * from the start.
 */

/** Decides when to sweep, and does it. */
export class Sweeper {
  readonly #query: Query;
  readonly #statements: PostgresStatements;
  #nextSweep = -Infinity;
  /** Whether the last sweep left expired rows. */
  #isBehind = false;
  /** The number of writes since the last sweep. */
  #writes = 0;
  /** The expiry up to which all is swept, in epoch milliseconds. */
  #swept: string | undefined;
  #nextFullSweep = -Infinity;

  constructor(query: Query, statements: PostgresStatements) {
    this.#query = query;
    this.#statements = statements;
  }

  /** Counts writes that are about to be made, and tells whether to sweep. */
  isDue(writes: number): boolean {
    this.#writes += writes;
    return performance.now() >= this.#nextSweep ||
      this.#isBehind && this.#writes >= SWEEP_WRITES;
  }

  /** Deletes some expired rows. */
  async sweep(): Promise<void> {
    const limit = Math.min(100 + 2 * this.#writes, MAX_SWEEP_ROWS);
    this.#nextSweep = Infinity;
    this.#isBehind = false;
    this.#writes = 0;
    const now = performance.now();
    if (now >= this.#nextFullSweep) {
      this.#nextFullSweep = now + FULL_SWEEP_INTERVAL;
      this.#swept = undefined;
    }
    try {
      const statement = this.#statements.sweep(limit, this.#swept);
      const [row] = await this.#query(statement, []);
      const [deleted, last] = row as [number, string | null];
      this.#isBehind = deleted === limit;
      this.#swept = last ?? this.#swept;
    } catch {
      // Whatever it is, the write will tell.
    } finally {
      this.#nextSweep = performance.now() + SWEEP_INTERVAL;
    }
  }
}
