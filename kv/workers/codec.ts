/**
 * The stored form of values in Workers KV: JSON as text, CBOR as bytes. Under a
 * digest, the true key is stored with the value: `{ key, value }`.
 *
 * @module
 */

import type { KvCodec } from "../core/call.ts";
import { decodeCbor, encodeCbor } from "../core/cbor.ts";
import { decodeValue, type EncodedValue, encodeValue } from "../core/value.ts";
import type { KvKey } from "../store.ts";

/** The largest value that Workers KV takes: 25 MiB. */
export const MAX_VALUE_BYTES = 26_214_400;

/** A stored value, or one that is stored with its key. */
export type WorkersValue = EncodedValue | KeyedValue;

/** A value that is stored with its key, under the digest of the key. */
export class KeyedValue {
  readonly #stored: EncodedValue;
  readonly #isKey: (key: KvKey) => boolean;

  /** Takes what is stored, and a check of the key that it must contain. */
  constructor(stored: EncodedValue, isKey: (key: KvKey) => boolean) {
    this.#stored = stored;
    this.#isKey = isKey;
  }

  /** About how many bytes it takes. */
  get length(): number {
    return this.#stored.length;
  }

  /**
   * Decodes the key and the value.
   *
   * @throws {Error} If it is something else, or belongs to another key.
   */
  decode(): { key: KvKey; value: unknown } {
    const { key, value } = Object(decodeValue(this.#stored));
    if (!Array.isArray(key) || !key.every(isPart) || value === undefined) {
      throw new TypeError("a key and a value are expected under a digest");
    }
    if (!this.#isKey(key as unknown as KvKey)) {
      throw new TypeError("the value under a digest belongs to another key");
    }
    return { key: key as unknown as KvKey, value };
  }
}

/** The usual encoding, and the values that are stored with their keys. */
export const workersCodec: KvCodec<WorkersValue> = {
  encode: encodeValue,
  decode: (stored) =>
    stored instanceof KeyedValue ? stored.decode().value : decodeValue(stored),
  bytes: (stored) => stored.length,
};

/** Encodes a key with its encoded value. */
export function encodeKeyed(key: KvKey, value: EncodedValue): EncodedValue {
  return typeof value === "string"
    ? `{"key":${JSON.stringify(key)},"value":${value}}`
    : encodeCbor({ key, value: decodeCbor(value) });
}

function isPart(part: unknown): boolean {
  return typeof part === "string" && part.isWellFormed();
}
