/**
 * Messages: what failed, why, and what was received.
 *
 * @module
 */

import { KvError, KvOutcomeUnknownError } from "../errors.ts";
import { describe } from "./key.ts";
import type { KvKey } from "../store.ts";

/** The class of an error that a call rejects with. */
export type KvErrorType = new (
  message: string,
  options?: ErrorOptions,
) => KvError;

/**
 * An error that says what failed, and why.
 *
 * @param action What failed, such as `get ["a"]`.
 * @param cause The client's own error, or the reason.
 * @param Type The class of the error.
 * @returns The error, not thrown.
 */
export function failure(
  action: string,
  cause: unknown,
  Type: KvErrorType = KvError,
): KvError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = Type === KvOutcomeUnknownError
    ? `Cannot confirm ${action}, which may have been applied: ${reason}`
    : `Cannot ${action}: ${reason}`;
  return new Type(message, cause instanceof Error ? { cause } : {});
}

/**
 * Puts the call in front of the message of an error about its arguments.
 *
 * @param action What the caller wanted to do.
 * @param key The key.
 * @param error What the check threw.
 * @returns The same error, not thrown.
 */
export function rejection(action: string, key: KvKey, error: unknown): unknown {
  if (error instanceof TypeError || error instanceof RangeError) {
    error.message = `Cannot ${action} ${describe(key)}: ${error.message}`;
  }
  return error;
}

/**
 * What a value is, for a message: its type, never its content.
 *
 * @param value What was received.
 * @returns Such as `null`, `an array` or `a number`.
 */
export function typeName(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}
