/**
 * What an error of a PostgreSQL client says about the statement that failed.
 *
 * @module
 */

/** The client could not connect, or was told to end before. */
const NOT_SENT = new Set([
  "CONNECT_TIMEOUT",
  "CONNECTION_ENDED",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ENOTFOUND",
]);

/** The server did not take the connection. */
const NOT_CONNECTED = /^(28...|3D000|53300|57P03)$/;

/** The server itself does not know, or the connection failed. */
const UNKNOWN = /^(08...|40003)$/;

interface ClientError {
  readonly code?: unknown;
  readonly severity?: unknown;
}

/**
 * Whether the server refused the statement and undid all of it, so that the
 * connection and the server are well.
 */
export function isServerError(error: unknown): boolean {
  const { code, severity } = fieldsOf(error);
  return severity === "ERROR" && !UNKNOWN.test(String(code));
}

/** Whether a statement that is refused like this may succeed if repeated. */
export function isTransient(error: unknown): boolean {
  const { code } = fieldsOf(error);
  return isServerError(error) && (code === "40001" || code === "40P01");
}

/**
 * Whether the statement may have been carried out nevertheless. That is so
 * unless the error proves the contrary: a client may hand any of its own errors
 * to a statement that is under way.
 */
export function isUnknown(error: unknown): boolean {
  if (isServerError(error)) return false;
  const { code, severity } = fieldsOf(error);
  return severity === undefined
    ? !NOT_SENT.has(String(code))
    : !NOT_CONNECTED.test(String(code));
}

function fieldsOf(error: unknown): ClientError {
  return typeof error === "object" && error !== null ? error : {};
}
