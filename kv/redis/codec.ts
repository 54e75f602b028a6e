/**
 * Values and replies as Redis takes and returns them.
 *
 * @module
 */

import { Buffer, isAscii } from "../core/builtin.ts";
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

/**
 * Checks the reply to a command that reads a value.
 *
 * @throws {Error} If it is something else.
 */
export function readValue(reply: unknown): Buffer | null {
  if (reply === null) return null;
  if (!Buffer.isBuffer(reply) || isStatus(reply, "QUEUED")) {
    throw unexpected(reply);
  }
  return reply;
}

/**
 * Checks the reply to a command that reads several values.
 *
 * @throws {Error} If it is something else.
 */
export function readValues(reply: unknown, count: number): (Buffer | null)[] {
  if (!Array.isArray(reply) || reply.length !== count) throw unexpected(reply);
  for (const value of reply) {
    if (value !== null && !Buffer.isBuffer(value)) throw unexpected(value);
  }
  return reply;
}

/**
 * Checks the reply to a command that writes an entry, or deletes some.
 *
 * @throws {Error} If it is something else.
 */
export function assertWritten(reply: unknown, isDelete: boolean): void {
  const isExpected = isDelete ? readNumber(reply) >= 0 : isStatus(reply, "OK");
  if (!isExpected) throw unexpected(reply);
}

/**
 * Checks a number, which is text with ioredis's option `stringNumbers`.
 *
 * @throws {Error} If it is something else.
 */
export function readNumber(reply: unknown): number {
  const number = typeof reply === "string" ? Number(reply) : reply;
  if (typeof number !== "number" || Number.isNaN(number)) {
    throw unexpected(reply);
  }
  return number;
}

/** The error for a reply that no server gives to a command. */
export function unexpected(reply: unknown): Error {
  if (isStatus(reply, "QUEUED")) {
    return new Error("the connection is inside a transaction (MULTI)");
  }
  const what = Buffer.isBuffer(reply)
    ? `a string of ${reply.length} bytes`
    : Array.isArray(reply)
    ? `an array of length ${reply.length}`
    : `${reply}`;
  return new Error(`the server sent an unexpected reply: received ${what}`);
}

function isStatus(reply: unknown, status: string): boolean {
  return Buffer.isBuffer(reply) && reply.length === status.length &&
    reply.toString("latin1") === status;
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
