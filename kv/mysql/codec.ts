/**
 * The stored form of values in MySQL: JSON as UTF-8, or CBOR.
 *
 * @module
 */

import { Buffer } from "../core/builtin.ts";
import type { KvCodec } from "../core/call.ts";
import { decodeValue, encodeValue } from "../core/value.ts";

/**
 * The size past which a value is rejected. The server may have a lower limit,
 * its `max_allowed_packet`.
 */
export const MAX_VALUE_BYTES = 268_435_456;

/** Bytes, as they travel: the client writes a `Buffer` as binary data. */
export const mysqlCodec: KvCodec<Buffer> = {
  encode(value) {
    const encoded = encodeValue(value);
    if (encoded === undefined) return undefined;
    return typeof encoded === "string"
      ? Buffer.from(encoded)
      : Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  },
  decode: decodeValue,
  bytes: (stored) => stored.length,
};
