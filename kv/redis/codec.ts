/**
 * Values as Redis takes and returns them.
 *
 * @module
 */

import { Buffer, isAscii } from "node:buffer";
import type { KvCodec } from "../core/call.ts";
import { isCbor } from "../core/cbor.ts";
import { decodeValue, type EncodedValue, encodeValue } from "../core/value.ts";

/** The longest string that Redis takes as it is usually set up. */
export const MAX_VALUE_BYTES = 536_870_912;

/** JSON or CBOR, as long as Redis takes it. */
export const codec: KvCodec<EncodedValue> = {
  encode: encodeValue,
  decode: decodeValue,
  bytes: (stored) => stored.length,
};

/** What ioredis takes for bytes is a buffer; it shares the memory. */
export function argument(value: EncodedValue): string | Buffer {
  if (typeof value === "string" || Buffer.isBuffer(value)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** A value as it came, as text where it is text. */
export function stored(reply: Buffer): EncodedValue {
  // Decoding UTF-8 takes six times as long.
  if (isAscii(reply)) return reply.toString("latin1");
  if (isCbor(reply)) return reply;
  const text = reply.toString();
  // Where bytes may have been lost, decoding has to find out.
  return text.includes("\ufffd") ? reply : text;
}

/** Whether a value found in a listing can have been written by a store. */
export function isOurs(reply: Buffer): boolean {
  if (isCbor(reply)) return true;
  try {
    decodeValue(stored(reply));
    return true;
  } catch {
    return false;
  }
}
