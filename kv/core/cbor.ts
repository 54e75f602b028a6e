/**
 * The encoding of values that JSON cannot hold: CBOR (RFC 8949), with the tag
 * for self-described CBOR in front and registered tags for what CBOR itself has
 * no type for.
 *
 * | what | tag |
 * | --- | --- |
 * | `Date` | 1, epoch seconds |
 * | `BigInt` | 2 and 3 |
 * | `ArrayBuffer` | 27, `["ArrayBuffer", bytes]` |
 * | typed arrays | 64 to 86, little-endian (RFC 8746) |
 * | `Set` | 258 |
 * | `Map` | 259 |
 * | a string with a lone surrogate, or a byte order mark in front | 273 (WTF-8) |
 *
 * @module
 */

import { decode, encode } from "cborg";
import { decoders, encoders } from "./cbor_tags.ts";
import { StrictTokenizer } from "./cbor_tokenizer.ts";

/** Tag 55799, which starts no JSON text and no UTF-8. */
const SELF_DESCRIBED = [0xd9, 0xd9, 0xf7] as const;

/** Members keep their order, as in JSON. */
const keepOrder = () => 0;

/**
 * Encodes a value that was checked and copied.
 *
 * @param value The value.
 * @returns Its CBOR, self-described.
 */
export function encodeCbor(value: unknown): Uint8Array {
  const body = encode(value, { typeEncoders: encoders, mapSorter: keepOrder });
  const bytes = new Uint8Array(SELF_DESCRIBED.length + body.length);
  bytes.set(SELF_DESCRIBED);
  bytes.set(body, SELF_DESCRIBED.length);
  return bytes;
}

/**
 * Decodes what {@linkcode encodeCbor} encoded. It takes time and memory
 * proportional to the size.
 *
 * @param bytes The CBOR.
 * @returns The value.
 * @throws {SyntaxError} If the bytes are not valid CBOR, have an unknown tag or
 * one with the wrong content, are nested too deep, or decode to `undefined`.
 * The message tells nothing of the content.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const options = {
    tags: decoders,
    allowIndefinite: false,
    rejectDuplicateMapKeys: true,
  };
  // The slice() of a Buffer, as clients return, shares memory instead of copying.
  const { buffer, byteOffset, byteLength } = bytes;
  const plain = new Uint8Array(buffer, byteOffset, byteLength);
  const tokenizer = new StrictTokenizer(plain, options);
  let value: unknown;
  try {
    value = decode(plain, { ...options, tokenizer });
  } catch (error) {
    // cborg's own messages may quote content, ours are SyntaxErrors.
    const reason = error instanceof SyntaxError ? `: ${error.message}` : "";
    throw new SyntaxError(`the stored value is not valid CBOR${reason}`);
  }
  if (value === undefined) {
    throw new SyntaxError("the stored value decodes to undefined");
  }
  return value;
}

/**
 * Whether bytes are self-described CBOR, which no JSON text can be.
 *
 * @param bytes The bytes.
 * @returns Whether they start with tag 55799.
 */
export function isCbor(bytes: Uint8Array): boolean {
  return SELF_DESCRIBED.every((byte, i) => bytes[i] === byte);
}
