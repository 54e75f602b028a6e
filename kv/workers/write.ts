/**
 * Writing entries of Workers KV, one by one.
 *
 * @module
 */

import type { WorkersKvNamespace } from "./client.ts";
import { encodeKeyed, MAX_VALUE_BYTES, type WorkersValue } from "./codec.ts";
import { retryKv } from "./errors.ts";
import { LARGE_BYTES, type WorkersMetadata } from "./metadata.ts";
import type { WorkersNames } from "./names.ts";
import type { KvDeleteCall, KvSetCall } from "../core/call.ts";
import { utf8Length } from "../core/key.ts";
import type { EncodedValue } from "../core/value.ts";
import { KvOutcomeUnknownError } from "../errors.ts";

/** The shortest life that Workers KV gives a value, in seconds. */
const MIN_EXPIRATION_TTL = 60;

/** The longest one that the runtime takes, in seconds: some 68 years. */
const MAX_EXPIRATION_TTL = 2_147_483_647;

/**
 * Writes or deletes an entry, and settles the call.
 *
 * @param namespace The namespace to write.
 * @param names The names of the store.
 * @param call The call.
 */
export async function writeEntry(
  namespace: WorkersKvNamespace,
  names: WorkersNames,
  call: KvSetCall<WorkersValue> | KvDeleteCall,
): Promise<void> {
  const { name, isShortened } = names.of(call.key);
  let value = call.value as EncodedValue | undefined;
  if (value !== undefined && isShortened) {
    value = encodeKeyed(call.key, value);
    const bytes = byteLength(value);
    if (bytes > MAX_VALUE_BYTES) {
      return call.rejectValue(
        new RangeError(
          `value and key must take at most ${MAX_VALUE_BYTES} bytes: ` +
            `received ${bytes}`,
        ),
      );
    }
  }
  let isUnknown = false;
  try {
    await retryKv(
      () =>
        value === undefined
          ? namespace.delete(name)
          : namespace.put(name, value, optionsOf(value, call.expiry)),
      () => isUnknown = true,
    );
  } catch (error) {
    return call.reject(error, isUnknown ? KvOutcomeUnknownError : undefined);
  }
  call.resolve();
}

/** The metadata, and when the platform may delete the value. */
function optionsOf(
  value: EncodedValue,
  expires: number | undefined,
): { metadata?: WorkersMetadata; expirationTtl?: number } {
  // Text takes up to two bytes a character in memory.
  const memory = typeof value === "string" ? 2 * value.length : value.length;
  const metadata = {
    ...expires === undefined ? {} : { expires },
    ...memory < LARGE_BYTES ? {} : { bytes: memory },
  };
  const options = Object.keys(metadata).length > 0 ? { metadata } : {};
  if (expires === undefined) return options;
  const seconds = Math.ceil((expires - Date.now()) / 1000);
  return seconds > MAX_EXPIRATION_TTL
    ? options
    : { ...options, expirationTtl: Math.max(seconds, MIN_EXPIRATION_TTL) };
}

function byteLength(value: EncodedValue): number {
  return typeof value === "string" ? utf8Length(value) : value.length;
}
