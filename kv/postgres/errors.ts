/**
 * What an error of a PostgreSQL client says about the statement that failed.
 *
 * @module
 */

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

/** What a pooler causes that does not know the client's prepared statements. */
const BROKEN_STATEMENT = /^(08P01|26000|42P05)$/;

const POOLER = "A connection pooler such as PgBouncer may break prepared " +
  "statements: create the store with prepare: false";

/** The server answered something else than the statement asks for. */
export class UnexpectedAnswer extends Error {
  /** Creates the error. */
  constructor(reason = `the answer does not fit the statement. ${POOLER}`) {
    super(reason);
  }
}

interface ClientError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly severity?: unknown;
  readonly message?: unknown;
}

/**
 * Whether the server rejected the statement and undid all of it, so that the
 * connection and the server are well.
 */
export function isServerError(error: unknown): boolean {
  const { code, severity } = fieldsOf(error);
  return severity === "ERROR"
    ? !UNKNOWN.test(String(code))
    : severity !== undefined && severity !== "FATAL" && severity !== "PANIC" &&
      (REJECTED.test(String(code)) || RETRIED.test(String(code)));
}

/** Whether a statement that is rejected like this may succeed if repeated. */
export function isTransient(error: unknown): boolean {
  const { code } = fieldsOf(error);
  return isServerError(error) && RETRIED.test(String(code));
}

/** Whether the table does not exist. */
export function isMissingTable(error: unknown): boolean {
  return isServerError(error) && fieldsOf(error).code === "42P01";
}

/**
 * Whether the statement may have been executed nevertheless. That is so unless
 * the error proves the contrary: a client may give any of its own errors to a
 * statement that is under way.
 */
export function isUnknown(error: unknown): boolean {
  if (isServerError(error)) return false;
  const { code, severity, message } = fieldsOf(error);
  return severity === undefined
    ? !NOT_SENT.has(String(code)) && !NOT_SENT_BY_PG.has(String(message))
    : !NOT_CONNECTED.test(String(code));
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

/**
 * A copy of a client's error that holds no values: the client's own one may hold
 * the statement's parameters and the row that failed.
 */
export function redacted(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UnexpectedAnswer) {
    return error;
  }
  const { name, stack } = error;
  const copy = new Error(messageOf(error));
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  const fields: Record<string, unknown> = { name, stack };
  for (const field of SAFE_FIELDS) {
    const value = (error as unknown as Record<string, unknown>)[field];
    if (typeof value === "string" || typeof value === "number") {
      fields[field] = value;
    }
  }
  for (const [field, value] of Object.entries(fields)) {
    Object.defineProperty(copy, field, {
      value,
      enumerable: field !== "name" && field !== "stack",
      configurable: true,
      writable: true,
    });
  }
  return copy;
}

function messageOf(error: Error): string {
  const { code } = fieldsOf(error);
  // Node puts the errors of several addresses into one without a message.
  const message = error.message || String(code ?? error.name);
  return BROKEN_STATEMENT.test(String(code))
    ? `${message}. ${POOLER}`
    : message;
}

function fieldsOf(error: unknown): ClientError {
  if (typeof error !== "object" || error === null) return {};
  const { code, errno, severity, message } = error as ClientError;
  // Bun has a code for all errors of servers, and puts the server's into `errno`.
  return code === "ERR_POSTGRES_SERVER_ERROR"
    ? { code: errno, severity, message }
    : error;
}
