/**
 * What can go wrong with Deno KV.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import type { DenoValue } from "./codec.ts";
import { KvCorruptionError, KvOutcomeUnknownError } from "../errors.ts";

/** A commit failed, and nobody can tell whether it was carried out. */
export class LostCommit extends Error {
  override name = "LostCommit";
}

/** What was found under a key is none of what we write. */
export class DamagedEntry extends Error {
  override name = "DamagedEntry";
}

/** Rejects a call with what its caller may want to catch. */
export function fail(call: KvCall<DenoValue>, error: unknown): void {
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

/**
 * Whether an error of a commit says for sure that nothing was changed: what the
 * client, or SQLite within it, refused. `fetch` has `TypeError`s of its own.
 */
export function wasRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, message } = error;
  return name === "TypeError" && !NETWORK.test(message) ||
    ["RangeError", "BadResource", "NotCapable"].includes(name);
}

const NETWORK = /fetch|network|connect|request|response|socket/i;
