/**
 * What can go wrong with Deno KV.
 *
 * @module
 */

import type { KvCallBase } from "../core/call.ts";
import { KvCorruptionError, KvOutcomeUnknownError } from "../errors.ts";

/** A commit failed, and may have been applied. */
export class LostCommit extends Error {
  override name = "LostCommit";
}

/** What was found under a key is not what this module writes. */
export class DamagedEntry extends Error {
  override name = "DamagedEntry";
}

/** Stands for a value that this runtime cannot decode. */
export const UNDECODABLE = Symbol("undecodable");
/** Why an entry with such a value is damaged. */
export const CANNOT_DECODE = "this runtime cannot decode its value";

/** Rejects a call with what its caller may want to catch. */
export function fail(call: KvCallBase, error: unknown): void {
  if (error instanceof LostCommit) {
    call.reject(error.cause, KvOutcomeUnknownError);
  } else if (error instanceof DamagedEntry) {
    call.reject(error, KvCorruptionError);
  } else {
    call.reject(error);
  }
}

/** Whether an error says that another process holds the lock of the file. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}

/** Whether an error says that this runtime cannot decode a stored value. */
export function isUndecodable(error: unknown): boolean {
  return error instanceof Error && /\bdeserialize\b/.test(error.message);
}

/**
 * Whether an error of a commit says for sure that nothing was changed: the
 * client, or SQLite within it, rejected the commit. `fetch` has `TypeError`s of
 * its own.
 */
export function wasRejected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, message } = error;
  return isLocked(error) ||
    name === "TypeError" && !NETWORK.test(message) ||
    ["RangeError", "BadResource", "NotCapable"].includes(name) ||
    isNative(error) || CLOSED.test(message);
}

const NETWORK = /fetch|network|connect|request|response|socket/i;
/** What `@deno/kv` says. */
const CLOSED = /^Cannot call '\.\w+' after '\.close' is called$/;

/** Whether an error is one of the native part of `@deno/kv`, a local database. */
function isNative(error: Error): boolean {
  return (error as { code?: unknown }).code === "GenericFailure";
}

/** The error, without the stack that the native part of `@deno/kv` adds. */
export function withoutStack(error: unknown): unknown {
  if (!(error instanceof Error) || !isNative(error)) return error;
  const end = error.message.indexOf("\n\nStack backtrace:");
  return end < 0
    ? error
    : new Error(error.message.slice(0, end), { cause: error });
}
