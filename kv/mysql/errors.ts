/**
 * What an error of mysql2 says about the statement that failed.
 *
 * @module
 */

import { type Trouble, withoutValues } from "../sql/errors.ts";

/**
 * A deadlock, a lock that was not granted in time, and a row that changed since
 * it was read. Repeating the statement helps.
 */
const TRANSIENT: readonly unknown[] = [1205, 1213, 1020];

/**
 * Errors of a server that does not know itself whether it has committed: it is
 * shutting down, someone ended the connection, or the commit failed.
 */
const UNKNOWN: readonly unknown[] = [1053, 1080, 1180, 1317, 1927, 3169];

const NO_SUCH_TABLE = 1146;

/** The client could not connect. */
const NOT_CONNECTED: readonly unknown[] = [
  ...["EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"],
];

/** How mysql2 rejects statements without sending them. */
const NOT_SENT =
  /in closed state|^Pool is closed|^Queue limit reached|^No connections avail|^Bind parameters/;

/** Tells what an error says about its statement. */
export function triage(error: unknown): Trouble {
  const { errno, sqlState, code, syscall, message } = (error ?? {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof errno === "number" && typeof sqlState === "string") {
    if (UNKNOWN.includes(errno)) return "unknown";
    if (errno === NO_SUCH_TABLE) return "no table";
    return TRANSIENT.includes(errno) ? "transient" : "rejected";
  }
  // The statement may have been executed unless the error proves the contrary.
  return NOT_CONNECTED.includes(code) || syscall === "connect" ||
      NOT_SENT.test(String(message))
    ? "not sent"
    : "unknown";
}

/** The fields that say what failed, but neither a statement nor a value. */
const SAFE_FIELDS = [
  ...["code", "errno", "sqlState", "fatal"],
  ...["syscall", "address", "port"],
];

/** What the server quotes of a value, up to the end of its message. */
const QUOTED_VALUE = /\b(value:?|entry:?|column value) '[\s\S]*'/i;

/** A copy of a client's error that holds no values. */
export function redacted(error: unknown): unknown {
  return withoutValues(
    error,
    SAFE_FIELDS,
    (message) => message.replace(QUOTED_VALUE, "$1 (left out)"),
  );
}
