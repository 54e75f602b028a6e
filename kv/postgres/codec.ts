/**
 * The stored form of values in PostgreSQL: always text.
 *
 * @module
 */

import type { KvCodec } from "../core/call.ts";
import { decodeCbor } from "../core/cbor.ts";
import { encodeValue } from "../core/value.ts";

/**
 * The size past which a value is refused. The server could hold four times as
 * much, but no JavaScript string that long can be read back, and a
 * compare-and-swap sends two values at once.
 */
export const MAX_VALUE_BYTES = 268_435_456;

/** What no JSON starts with. */
const CBOR = "cbor:";

/**
 * JSON as it is, CBOR in Base64. `JSON.stringify` escapes what `text` refuses,
 * NUL and lone surrogates, and all other control characters; so no stored form
 * that this codec makes holds a newline.
 */
export const postgresCodec: KvCodec<string> = {
  encode(value) {
    const encoded = encodeValue(value);
    if (encoded === undefined) return undefined;
    const stored = typeof encoded === "string"
      ? encoded
      : CBOR + toBase64(encoded);
    return stored;
  },
  decode(stored) {
    return stored.startsWith(CBOR)
      ? decodeCbor(fromBase64(stored.slice(CBOR.length)))
      : JSON.parse(stored);
  },
  bytes: (stored) => stored.length,
};

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // The arguments of a call have to fit on the stack.
  for (let i = 0; i < bytes.length; i += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  }
  return btoa(binary);
}

function fromBase64(base64: string): Uint8Array {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
