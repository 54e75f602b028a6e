/**
 * What an error of mysql2 says about the statement that failed.
 *
 * @module
 */

/** The server answered something else than the statement asks for. */
export class UnexpectedAnswer extends Error {
  /** Creates the error. */
  constructor(reason = "the answer does not fit the statement") {
    super(reason);
  }
}

interface ClientError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly sqlState?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
}

/**
 * A deadlock, a lock that was not granted in time, and a row that changed since
 * it was read. Repeating the statement helps.
 */
const TRANSIENT = new Set<unknown>([1205, 1213, 1020]);

/**
 * Errors of a server that does not know itself whether it has committed: it is
 * shutting down, someone ended the connection, or the commit failed.
 */
const UNKNOWN = new Set<unknown>([1053, 1080, 1180, 1317, 1927, 3169]);

const NO_SUCH_TABLE = 1146;

/** The client could not connect. */
const NOT_CONNECTED = new Set<unknown>([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
]);

/** How mysql2 rejects statements without sending them. */
const NOT_SENT =
  /in closed state|^Pool is closed|^Queue limit reached|^No connections avail|^Bind parameters/;

/**
 * Whether the server rejected the statement and undid all of it, so that the
 * connection and the server are well.
 */
export function isServerError(error: unknown): boolean {
  const { errno, sqlState } = fieldsOf(error);
  return typeof errno === "number" && typeof sqlState === "string" &&
    !UNKNOWN.has(errno);
}

/** Whether a statement that is rejected like this may succeed if repeated. */
export function isTransient(error: unknown): boolean {
  return isServerError(error) && TRANSIENT.has(fieldsOf(error).errno);
}

/** Whether the table does not exist. */
export function isMissingTable(error: unknown): boolean {
  return isServerError(error) && fieldsOf(error).errno === NO_SUCH_TABLE;
}

/**
 * Whether the statement may have been executed nevertheless. That is so unless
 * the error proves the contrary.
 */
export function isUnknown(error: unknown): boolean {
  if (isServerError(error)) return false;
  const { code, syscall, message } = fieldsOf(error);
  return !NOT_CONNECTED.has(code) && syscall !== "connect" &&
    !NOT_SENT.test(String(message));
}

/** The fields that say what failed, but neither a statement nor a value. */
const SAFE_FIELDS = [
  "code",
  "errno",
  "sqlState",
  "syscall",
  "address",
  "port",
  "fatal",
];

/** What the server quotes of a value, up to the end of its message. */
const QUOTED_VALUE = /\b(value:?|entry:?|column value) '[\s\S]*'/i;

/**
 * A copy of a client's error that holds no values: the client's own one holds
 * the statement and its parameters, and the server may quote a value.
 */
export function redacted(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UnexpectedAnswer) {
    return error;
  }
  const { name, stack, message } = error;
  const source = error as unknown as Record<string, unknown>;
  // Node puts the errors of several addresses into one without a message.
  const text = message.replace(QUOTED_VALUE, "$1 (left out)") ||
    String(source["code"] ?? name);
  const copy = new Error(text);
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  // The stack starts with the message.
  const safeStack = stack?.replace(message, () => text);
  for (const [field, value] of Object.entries({ name, stack: safeStack })) {
    Object.defineProperty(copy, field, {
      value,
      configurable: true,
      writable: true,
    });
  }
  for (const field of SAFE_FIELDS) {
    const value = source[field];
    if (["string", "number", "boolean"].includes(typeof value)) {
      Object.assign(copy, { [field]: value });
    }
  }
  return copy;
}

function fieldsOf(error: unknown): ClientError {
  return typeof error === "object" && error !== null ? error : {};
}
