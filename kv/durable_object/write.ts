/**
 * Executing calls in one object.
 *
 * @module
 */

import type { RemoteObject } from "./client.ts";
import { isTransient, isUnknown, rejectCall } from "./errors.ts";
import { isFailure, type ObjectAnswer, type ObjectCall } from "./protocol.ts";
import type { KvCall } from "../core/call.ts";
import type { EncodedValue } from "../core/value.ts";
import { KvOutcomeUnknownError } from "../errors.ts";

/**
 * Lets an object execute calls, and settles them. Reads are repeated once if
 * the connection to the object breaks.
 *
 * @param object The object that has the keys of the calls.
 * @param calls The calls, in order.
 */
export async function executeCalls(
  object: RemoteObject,
  calls: readonly KvCall[],
): Promise<void> {
  let waiting = calls;
  let isRetried = false;
  while (waiting.length > 0) {
    let answers: readonly ObjectAnswer[];
    try {
      answers = await object.execute(waiting.map(message));
    } catch (error) {
      const isRepeated = !isRetried && isTransient(error);
      isRetried = true;
      waiting = waiting.filter((call) => {
        if (call.kind === "get" && isRepeated) return true;
        const isOpen = call.kind !== "get" && isUnknown(error);
        call.reject(error, isOpen ? KvOutcomeUnknownError : undefined);
        return false;
      });
      continue;
    }
    waiting = waiting.filter((call, i) => !settle(call, answers[i]));
  }
}

/** Settles a call, unless it must be repeated. */
function settle(call: KvCall, answer: ObjectAnswer): boolean {
  if (answer === null) return false;
  if (isFailure(answer)) rejectCall(call, answer);
  else if (call.kind === "get") call.found(answer as EncodedValue | undefined);
  else if (call.kind === "cas") call.resolve(answer as boolean);
  else call.resolve();
  return true;
}

function message(call: KvCall): ObjectCall {
  const { kind, id, value, expected, expires, expiry } = call;
  return {
    kind,
    id,
    value,
    expected,
    expires,
    ttl: expiry === undefined ? undefined : expiry - Date.now(),
  };
}
