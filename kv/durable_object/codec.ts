/**
 * The stored form of values in Durable Objects: JSON as text if it is short, and
 * as UTF-8 if it is long; CBOR as bytes.
 *
 * @module
 */

import { MAX_TEXT_LENGTH } from "./protocol.ts";
import type { KvCodec } from "../core/call.ts";
import { decodeValue, type EncodedValue, encodeValue } from "../core/value.ts";

const encoder = new TextEncoder();

/** The usual encoding, but long text is in UTF-8, so that it can be cut. */
export const codec: KvCodec<EncodedValue> = {
  encode(value) {
    const encoded = encodeValue(value);
    return typeof encoded === "string" && encoded.length > MAX_TEXT_LENGTH
      ? encoder.encode(encoded)
      : encoded;
  },
  decode: decodeValue,
  bytes: (stored) => stored.length,
};
