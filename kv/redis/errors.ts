/**
 * The errors of clients: what they mean, and what they must not reveal.
 *
 * @module
 */

import { KvError } from "../errors.ts";
import { redacted } from "./redact.ts";

/** Whether a server answered a command with an error, and so rejected it. */
export function isServerError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error.name === "ReplyError") return true;
  // The classes of node-redis.
  for (let at: object | null = error; at; at = Object.getPrototypeOf(at)) {
    if (at.constructor.name === "ErrorReply") return true;
  }
  return false;
}

/** Whether the server, or every node in turn, rejected a command. */
export function isRejection(error: unknown): boolean {
  return isServerError(error) ||
    messageOf(error).startsWith("Too many Cluster redirections") &&
      !messageOf(error).includes(ABORTED);
}

/** The message of ioredis when the connection breaks before the answer. */
export const ABORTED = "Command aborted due to connection close";

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

/** Whether the server does not know an argument of a command, or of a script's. */
export function isSyntaxError(error: unknown): boolean {
  return isServerError(error) && error.message.includes("ERR syntax error");
}

/** Whether the user of the connection may not use a command. */
export function isForbidden(error: unknown): boolean {
  return /^(NOPERM|ERR unknown command)/.test(messageOf(error));
}

/**
 * The error to report for an error of ioredis: one that says what happened, and
 * reveals no values.
 *
 * @param error The error.
 * @returns A redacted copy, or a clearer error with the copy as its `cause`.
 */
export function reasonOf(error: unknown): unknown {
  if (error instanceof KvError) return error;
  const cause = redacted(error);
  return isAborted(error)
    ? new Error("the connection broke before the answer", { cause })
    : cause;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
