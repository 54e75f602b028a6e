/**
 * The stored form of values: plain JSON where that keeps them, CBOR otherwise.
 *
 * @module
 */

import { decodeCbor, encodeCbor, isCbor } from "./cbor.ts";
import { copyValue } from "./copy.ts";
import { isPlain } from "./plain.ts";

/**
 * A value as it is stored: JSON text, or the bytes of self-described CBOR.
 *
 * @example Usage
 * ```ts
 * import { type EncodedValue, encodeValue } from "@org/kv/driver";
 *
 * const encoded: EncodedValue | undefined = encodeValue({ a: 1 });
 * ```
 */
export type EncodedValue = string | Uint8Array;

/**
 * Checks and encodes a value.
 *
 * @param value What the caller gave.
 * @returns JSON text if the value is plain JSON, CBOR if it needs more, or
 * `undefined` if it is `undefined`.
 * @throws {TypeError} If it holds what cannot be stored; see
 * {@linkcode copyValue}.
 * @throws {RangeError} If it is nested deeper than 1,000 levels, or too large.
 *
 * @example Usage
 * ```ts
 * import { encodeValue } from "@org/kv/driver";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * assertEquals(encodeValue({ a: 1 }), '{"a":1}');
 * assertInstanceOf(encodeValue({ a: 1n }), Uint8Array);
 * ```
 */
export function encodeValue(value: unknown): EncodedValue | undefined {
  if (isPlain(value)) return stringify(value);
  const copy = copyValue(value);
  if (copy.value === undefined) return undefined;
  return copy.plain ? stringify(copy.value) : encodeCbor(copy.value);
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(
      `value is too much: its JSON must fit into a string: received more`,
    );
  }
}

/**
 * Decodes a stored value.
 *
 * @param encoded JSON text, as a string or in UTF-8, or CBOR.
 * @returns The value.
 * @throws {SyntaxError} If it is neither, or decodes to `undefined`. The message
 * tells nothing of the content.
 *
 * @example Usage
 * ```ts
 * import { decodeValue, encodeValue } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeValue('{"a":1}'), { a: 1 });
 * assertEquals(decodeValue(encodeValue(new Date(0))!), new Date(0));
 * ```
 */
export function decodeValue(encoded: EncodedValue): unknown {
  if (typeof encoded === "string") return parse(encoded);
  if (isCbor(encoded)) return decodeCbor(encoded);
  let text: string;
  try {
    text = decoder.decode(encoded);
  } catch {
    throw new SyntaxError("the stored value is neither CBOR nor UTF-8");
  }
  return parse(text);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The message of JSON.parse() quotes the text.
    throw new SyntaxError("the stored value is not valid JSON");
  }
}
