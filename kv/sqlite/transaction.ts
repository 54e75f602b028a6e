/**
 * The calls of a batch in one transaction: their own, or the caller's.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import type { EncodedValue } from "../core/value.ts";
import { KvCorruptionError } from "../errors.ts";
import { isInTransaction, type SqliteDatabase } from "./client.ts";
import { DamagedRowError, isMissingTable } from "./errors.ts";
import { isWorthWaiting } from "./lock.ts";
import type { OpenTable } from "./table.ts";

/**
 * Executes calls and settles them, each with its own result or error.
 *
 * @param db The database.
 * @param table The open table.
 * @param calls The calls, in order; those that are settled are left out.
 * @throws {Error} If a lock is in the way or the table is missing. The calls that
 * are not settled have changed nothing then.
 */
export function executeCalls(
  db: SqliteDatabase,
  table: OpenTable,
  calls: readonly KvCall[],
): void {
  if (calls.length === 1) {
    executeEach(db, table, calls);
    if (calls[0]!.kind !== "get" && !isInTransaction(db)) sweep(table, 1);
    return;
  }
  const waiting = calls.filter(({ settled }) => !settled);
  const isWrite = waiting.some(({ kind }) => kind !== "get");
  if (isInTransaction(db)) {
    executeInTransaction(db, table, waiting);
  } else if (table.autocommits) {
    executeEach(db, table, waiting);
    if (isWrite) sweep(table, waiting.length);
  } else {
    executeTogether(db, table, waiting, isWrite);
  }
}

/** Executes each call in its own transaction, or in the caller's. */
function executeEach(
  db: SqliteDatabase,
  { entries }: OpenTable,
  calls: readonly KvCall[],
): void {
  for (const call of calls) {
    let result: unknown;
    try {
      result = entries.carryOut(call);
    } catch (error) {
      if (isPassing(db, error)) throw error;
      result = new Failure(error);
    }
    settle(call, result);
  }
}

/**
 * Executes calls in the transaction that the caller began. Some errors, such as a
 * full disk, end it. Then the calls before have left nothing, and those after must
 * not be executed outside it.
 */
function executeInTransaction(
  db: SqliteDatabase,
  { entries }: OpenTable,
  calls: readonly KvCall[],
): void {
  const results: unknown[] = [];
  for (const call of calls) {
    try {
      results.push(entries.carryOut(call));
    } catch (error) {
      if (isPassing(db, error)) {
        settleAll(calls, results);
        throw error;
      }
      if (!isInTransaction(db)) {
        return settleAll(calls, calls.map(() => new Failure(error)));
      }
      results.push(new Failure(error));
    }
  }
  settleAll(calls, results);
}

/** Executes calls in their own transaction. */
function executeTogether(
  db: SqliteDatabase,
  table: OpenTable,
  calls: readonly KvCall[],
  isWrite: boolean,
): void {
  // Without the lock, what is read may be overwritten at any time.
  const now = isWrite ? undefined : Date.now();
  try {
    (isWrite ? table.beginImmediate : table.begin).run();
  } catch (error) {
    if (isPassing(db, error)) {
      // In WAL mode, a reader does not wait for a writer.
      readAhead(db, table, calls);
      throw error;
    }
    // The caller has a transaction or an iterator open, and the client does not
    // tell. Some of the calls may succeed.
    return executeEach(db, table, calls);
  }
  const results: unknown[] = [];
  try {
    for (const call of calls) {
      try {
        results.push(table.entries.carryOut(call, now));
      } catch (error) {
        if (!isOpen(db) || isPassing(db, error)) throw error;
        results.push(new Failure(error));
      }
    }
    if (isWrite) sweep(table, calls.length);
    table.commit.run();
  } catch (error) {
    rollBack(table);
    // Without WAL, a commit waits for readers, and no read waits for it.
    if (isPassing(db, error)) {
      readAhead(db, table, calls);
      throw error;
    }
    return executeEach(db, table, calls);
  }
  settleAll(calls, results);
}

/** Executes the reads that no write in the batch comes before, if it can. */
function readAhead(
  db: SqliteDatabase,
  table: OpenTable,
  calls: readonly KvCall[],
): void {
  const written = new Set<string>();
  for (const call of calls) {
    if (call.kind !== "get") {
      written.add(call.id);
    } else if (!written.has(call.id)) {
      try {
        executeEach(db, table, [call]);
      } catch {
        // They wait with the others.
        return;
      }
    }
  }
}

/** Whether our transaction is still open: some errors end it. */
function isOpen(db: SqliteDatabase): boolean {
  return (db.isTransaction ?? db.inTransaction) !== false;
}

/** Whether all that is not settled can be repeated. */
function isPassing(db: SqliteDatabase, error: unknown): boolean {
  return isWorthWaiting(db, error) || isMissingTable(error);
}

class Failure {
  constructor(readonly error: unknown) {}
}

/** Settles the first calls, as many as there are results. */
function settleAll(
  calls: readonly KvCall[],
  results: readonly unknown[],
): void {
  for (let i = 0; i < results.length; i++) settle(calls[i]!, results[i]);
}

function settle(call: KvCall, result: unknown): void {
  if (result instanceof Failure) rejectCall(call, result.error);
  else if (call.kind === "get") call.found(result as EncodedValue | undefined);
  else if (call.kind === "cas") call.resolve(result as boolean);
  else call.resolve();
}

/**
 * Rejects a call that changed nothing.
 *
 * @param call The call.
 * @param error The error of SQLite, or about a row.
 */
export function rejectCall(call: KvCall, error: unknown): void {
  call.reject(
    error,
    error instanceof DamagedRowError ? KvCorruptionError : undefined,
  );
}

function rollBack({ rollback }: OpenTable): void {
  try {
    rollback.run();
  } catch {
    // Some errors have rolled back already.
  }
}

/** The calls that a sweep rides on are done, whatever hinders it. */
function sweep({ entries }: OpenTable, calls: number): void {
  try {
    entries.sweep(calls);
  } catch {
    // The next write tries again.
  }
}
