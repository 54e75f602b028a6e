/**
 * What an error of a PostgreSQL client says about the statement that failed.
 *
 * @module
 */

import {
  type Trouble,
  UnexpectedAnswer as BaseUnexpectedAnswer,
  withoutValues,
} from "../sql/errors.ts";

/** The client could not connect, or was ended before. */
const NOT_SENT = new Set([
  "CONNECT_TIMEOUT",
  "CONNECTION_ENDED",
  "EAI_AGAIN",
  "ERR_POSTGRES_CONNECTION_REFUSED",
  "ECONNREFUSED",
  "ENOTFOUND",
]);

/** What pg says, without a code, of a query that it did not send. */
const NOT_SENT_BY_PG = new Set([
  "Cannot use a pool after calling end on the pool",
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
  "Connection terminated due to connection timeout",
  "timeout exceeded when trying to connect",
  "timeout expired",
]);

/** The server did not accept the connection. */
const NOT_CONNECTED = /^(28...|3D000|53300|57P03)$/;

/** The server itself does not know, or the connection failed. */
const UNKNOWN = /^(08...|40003)$/;

/**
 * What is no more than an error of the statement. pg knows the severity only in
 * the language of the server, so the code decides unless that is English.
 */
const REJECTED =
  /^(0A...|2[123]...|25006|25P02|26000|4[24]...|54...|55...|57014)$/;

/** A serialization failure or a deadlock. */
const RETRIED = /^40(001|P01)$/;

const NO_SUCH_TABLE = "42P01";

/** What a pooler causes that does not know the client's prepared statements. */
const BROKEN_STATEMENT = /^(08P01|26000|42P05)$/;

const POOLER = "A connection pooler such as PgBouncer may break prepared " +
  "statements: create the store with prepare: false";

/** The server answered something else than the statement asks for. */
export class UnexpectedAnswer extends BaseUnexpectedAnswer {
  /** Creates the error. */
  constructor() {
    super(`the answer does not fit the statement. ${POOLER}`);
  }
}

interface ClientError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly severity?: unknown;
  readonly message?: unknown;
}

/**
 * Tells what an error says about its statement. The statement may have been
 * executed unless the error proves the contrary: a client may give any of its own
 * errors to a statement that is under way.
 */
export function triage(error: unknown): Trouble {
  const { severity, message, code: given } = fieldsOf(error);
  const code = String(given);
  if (severity === undefined) {
    return NOT_SENT.has(code) || NOT_SENT_BY_PG.has(String(message))
      ? "not sent"
      : "unknown";
  }
  const isRejected = severity === "ERROR"
    ? !UNKNOWN.test(code)
    : severity !== "FATAL" && severity !== "PANIC" &&
      (REJECTED.test(code) || RETRIED.test(code));
  if (!isRejected) return NOT_CONNECTED.test(code) ? "not sent" : "unknown";
  if (code === NO_SUCH_TABLE) return "no table";
  return RETRIED.test(code) ? "transient" : "rejected";
}

/** The fields that say what failed, in the words of postgres.js, pg and PGlite. */
const SAFE_FIELDS = [
  "code",
  "severity",
  "severity_local",
  "hint",
  "position",
  "schema_name",
  "schema",
  "table_name",
  "table",
  "column_name",
  "column",
  "data type_name",
  "dataType",
  "constraint_name",
  "constraint",
  "file",
  "line",
  "routine",
  "errno",
  "syscall",
  "address",
  "port",
];

/** A copy of a client's error that holds no values. */
export function redacted(error: unknown): unknown {
  return withoutValues(
    error,
    SAFE_FIELDS,
    (message) =>
      BROKEN_STATEMENT.test(String(fieldsOf(error).code))
        ? `${message}. ${POOLER}`
        : message,
  );
}

function fieldsOf(error: unknown): ClientError {
  if (typeof error !== "object" || error === null) return {};
  const { code, errno, severity, message } = error as ClientError;
  // Bun has a code for all errors of servers, and puts the server's into `errno`.
  return code === "ERR_POSTGRES_SERVER_ERROR"
    ? { code: errno, severity, message }
    : error;
}
