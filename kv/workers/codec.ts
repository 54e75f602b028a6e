/**
 * The stored form of values in Workers KV: JSON as text, CBOR as bytes.
 *
 * @module
 */

import type { KvCodec } from "../core/call.ts";
import { decodeCbor, encodeCbor } from "../core/cbor.ts";
import { utf8Length } from "../core/key.ts";
import type { KvKey } from "../store.ts";
import { decodeValue, type EncodedValue, encodeValue } from "../core/value.ts";

/** The largest value that Workers KV takes: 25 MiB. */
export const MAX_VALUE_BYTES = 26_214_400;

/** A stored value, or one that was found together with its key. */
export type WorkersValue = EncodedValue | KeyedValue;

/** The usual encoding; values under a digest are decoded with their keys. */
export const workersCodec: KvCodec<WorkersValue> = {
  encode: encodeValue,
  decode: (stored) => isKeyed(stored) ? stored.value : decodeValue(stored),
  bytes: (stored) => isKeyed(stored) ? 0 : stored.length,
};

function isKeyed(stored: WorkersValue): stored is KeyedValue {
  return typeof stored === "object" && !(stored instanceof Uint8Array);
}

/**
 * Checks that Workers KV can hold a value.
 *
 * @throws {RangeError} If it cannot.
 */
export function checkSize(encoded: EncodedValue): void {
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  if (encoded.length * 3 <= MAX_VALUE_BYTES) return;
  const bytes = typeof encoded === "string"
    ? utf8Length(encoded)
    : encoded.length;
  if (bytes > MAX_VALUE_BYTES) {
    throw new RangeError(
      `value must take at most ${MAX_VALUE_BYTES} bytes: received ${bytes}`,
    );
  }
}

/** A value together with its key, as it is stored under a shortened one. */
export interface KeyedValue {
  readonly key: KvKey;
  readonly value: unknown;
}

/** Puts the true key beside an encoded value. */
export function encodeKeyed(key: KvKey, value: EncodedValue): EncodedValue {
  return typeof value === "string"
    ? `{"key":${JSON.stringify(key)},"value":${value}}`
    : encodeCbor({ key, value: decodeCbor(value) });
}

/**
 * Decodes what {@linkcode encodeKeyed} encoded.
 *
 * @throws {Error} If it is something else.
 */
export function decodeKeyed(stored: EncodedValue): KeyedValue {
  const keyed = decodeValue(stored) as KeyedValue | null;
  if (!Array.isArray(keyed?.key) || keyed.value === undefined) {
    throw new TypeError("a key and a value are expected under a digest");
  }
  return keyed;
}
