/**
 * The errors of calls to a Durable Object.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { KvCorruptionError } from "../errors.ts";
import type { ObjectFailure } from "./protocol.ts";

interface StubError {
  /** The object threw it; otherwise it arose on the way there. */
  readonly remote?: boolean;
  /** The object has more to do than it can. */
  readonly overloaded?: boolean;
  /** The object was stopped, wherever it was. */
  readonly durableObjectReset?: boolean;
}

/** Whether a write that failed like this may have been applied. */
export function isUnknown(error: unknown): boolean {
  const { remote, durableObjectReset } = Object(error) as StubError;
  return !remote || durableObjectReset === true;
}

/** Whether a read that failed like this may succeed the next time. */
export function isTransient(error: unknown): boolean {
  return isUnknown(error) && !(Object(error) as StubError).overloaded;
}

/** Rejects a call that failed alone in the object, without a change. */
export function rejectCall(call: KvCall, failure: ObjectFailure): void {
  const { error, isCorruption } = failure;
  call.reject(new Error(error), isCorruption ? KvCorruptionError : undefined);
}
