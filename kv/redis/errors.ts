/**
 * The errors of ioredis: what they mean, and what they must not reveal.
 *
 * @module
 */

/** Whether a server answered a command with an error, and so rejected it. */
export function isServerError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether the server, or every node in turn, rejected a command. */
export function isRejection(error: unknown): boolean {
  return isServerError(error) ||
    messageOf(error).startsWith("Too many Cluster redirections") &&
      !messageOf(error).includes(ABORTED);
}

const ABORTED = "Command aborted due to connection close";

/** Whether the connection broke after a command was sent, before its answer. */
export function isAborted(error: unknown): boolean {
  return messageOf(error) === ABORTED;
}

/** Whether the value under a name is not a string. */
export function isWrongType(error: unknown): boolean {
  return isServerError(error) && error.message.startsWith("WRONGTYPE");
}

/** Whether the server does not know a script. */
export function isNoScript(error: unknown): boolean {
  return messageOf(error).startsWith("NOSCRIPT");
}

/** Whether the user of the connection may not use a command. */
export function isForbidden(error: unknown): boolean {
  return /^(NOPERM|ERR unknown command)/.test(messageOf(error));
}

/**
 * The error to report for an error of ioredis: one that says what happened.
 *
 * @param error The error.
 * @returns The same one, or a clearer one with it as its `cause`.
 */
export function reasonOf(error: unknown): unknown {
  return isAborted(error)
    ? new Error("the connection broke before the answer", { cause: error })
    : error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
