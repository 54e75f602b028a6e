/**
 * The errors of SQLite, as each client reports them, and those about rows.
 *
 * @module
 */

import { KvCorruptionError } from "../errors.ts";

/**
 * A row that no store wrote, or that was damaged since. The message says what
 * is wrong, without the key and without the value.
 */
export class DamagedRowError extends KvCorruptionError {}

/**
 * Other connections changed the row between all attempts of a swap, which wrote
 * nothing. It may be tried again after a pause.
 */
export class ContendedRowError extends Error {
  /** Creates the error. */
  constructor() {
    super("other connections keep changing the entry");
  }
}

const SQLITE_BUSY_SNAPSHOT = 517;

interface SqliteError {
  readonly errcode?: number; // node:sqlite
  readonly errno?: number; // bun:sqlite
  readonly code?: string | number; // better-sqlite3, libsql, @db/sqlite
  readonly rawCode?: number; // libsql
  readonly message?: string;
}

/** Whether a lock of another connection is in the way, or its writes are. */
export function isBusy(error: unknown): boolean {
  if (error instanceof ContendedRowError) return true;
  const { errcode, errno, code, rawCode, message = "" } = error as SqliteError;
  return [errcode, errno, code, rawCode].some((code) =>
    typeof code === "number" && ((code & 0xff) === 5 || (code & 0xff) === 6)
  ) || /^SQLITE_(BUSY|LOCKED)/.test(String(code)) ||
    /database( table| schema)? is locked/.test(message);
}

/** Whether others wrote since the transaction began to read. */
export function isStale(error: unknown): boolean {
  const { errcode, errno, code, rawCode } = error as SqliteError;
  return [errcode, errno, code, rawCode].includes(SQLITE_BUSY_SNAPSHOT) ||
    code === "SQLITE_BUSY_SNAPSHOT";
}

/** Whether the table is missing. */
export function isMissingTable(error: unknown): boolean {
  return /no such table/.test((error as SqliteError).message ?? "");
}
