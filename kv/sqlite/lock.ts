/**
 * Waiting for the locks of other connections.
 *
 * @module
 */

import { retry } from "../core/retry.ts";
import { isInTransaction, prepare, type SqliteDatabase } from "./client.ts";
import { isBusy, isStale } from "./errors.ts";

/** The longest pause between two attempts, in milliseconds. */
const MAX_PAUSE = 25;

/**
 * Repeats an attempt that failed until no other connection holds a lock. The
 * event loop goes on in between.
 *
 * @param db The database.
 * @param timeout How long to wait, in milliseconds.
 * @param attempt What to do. It has changed nothing if it throws such an error.
 * @param error What the attempt threw.
 * @returns What a later attempt returns.
 * @throws The error, at once, if waiting is useless.
 */
export function waitForLock<T>(
  db: SqliteDatabase,
  timeout: number,
  attempt: () => T,
  error: unknown,
): Promise<T> {
  if (!isWorthWaiting(db, error)) throw error;
  let isFirst = true;
  return retry(() => {
    if (!isFirst) return withoutWaiting(db, attempt);
    isFirst = false;
    throw error;
  }, {
    isTransient: (error) => isWorthWaiting(db, error),
    timeout,
    maxPause: MAX_PAUSE,
  });
}

/**
 * Whether an error may pass: not if the caller's transaction reads from a
 * snapshot that others have replaced, which only its end can change.
 *
 * @param db The database.
 * @param error What an attempt threw.
 * @returns Whether it may.
 */
export function isWorthWaiting(db: SqliteDatabase, error: unknown): boolean {
  return isBusy(error) && !(isStale(error) && isInTransaction(db));
}

/**
 * Makes an attempt without the client's own waiting for locks, which would hold
 * up the event loop: better-sqlite3 waits for 5 seconds unless told otherwise.
 */
function withoutWaiting<T>(db: SqliteDatabase, attempt: () => T): T {
  const timeout = Number(prepare(db, "PRAGMA busy_timeout").get()![0]);
  if (timeout === 0) return attempt();
  prepare(db, "PRAGMA busy_timeout = 0").get();
  try {
    return attempt();
  } finally {
    prepare(db, `PRAGMA busy_timeout = ${timeout}`).get();
  }
}
