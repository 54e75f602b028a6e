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

import { decode, encode, Token, Type } from "cborg";
import { mapDecoder, mapEncoder, setDecoder, setEncoder } from "cborg/taglib";
import {
  type TypedArray,
  type TypedArrayConstructor,
  typedArrays,
} from "./copy.ts";

/** Tag 55799, which starts no JSON text and no UTF-8. */
const SELF_DESCRIBED = [0xd9, 0xd9, 0xf7] as const;

const arrayTags: Record<string, number> = {
  Uint8Array: 64,
  Uint8ClampedArray: 68,
  Uint16Array: 69,
  Uint32Array: 70,
  BigUint64Array: 71,
  Int8Array: 72,
  Int16Array: 77,
  Int32Array: 78,
  BigInt64Array: 79,
  Float16Array: 84,
  Float32Array: 85,
  Float64Array: 86,
};

type Encode = NonNullable<
  NonNullable<Parameters<typeof encode>[1]>["typeEncoders"]
>;
type Decode = NonNullable<NonNullable<Parameters<typeof decode>[1]>["tags"]>;

function tagged(tag: number, bytes: Uint8Array): Token[] {
  return [new Token(Type.tag, tag), new Token(Type.bytes, bytes)];
}

const encoders: Encode = {
  // cborg's own takes time quadratic in the size of the number.
  bigint: (number: bigint) =>
    number < 0n
      ? tagged(3, encodeNatural(-1n - number))
      : tagged(2, encodeNatural(number)),
  // cborg's decoder drops a byte order mark at the start of a text string.
  string: (text: string) =>
    text.isWellFormed() && !text.startsWith("\ufeff")
      ? null
      : tagged(273, encodeWtf8(text)),
  Date: (date: Date) => [
    new Token(Type.tag, 1),
    new Token(Type.float, date.getTime() / 1000),
  ],
  Map: mapEncoder,
  Set: setEncoder,
  ArrayBuffer: (buffer: ArrayBuffer) => [
    new Token(Type.tag, 27),
    new Token(Type.array, 2),
    new Token(Type.string, "ArrayBuffer"),
    new Token(Type.bytes, new Uint8Array(buffer)),
  ],
};

const decoders: Decode = {
  1: (content) => decodeDate(content() as number),
  2: (content) => decodeNatural(content() as Uint8Array),
  3: (content) => -1n - decodeNatural(content() as Uint8Array),
  27: (content) => {
    const [name, bytes] = content() as [unknown, Uint8Array];
    if (name !== "ArrayBuffer") throw new TypeError(`unknown type ${name}`);
    return bytes.slice().buffer;
  },
  258: setDecoder,
  259: mapDecoder,
  273: (content) => decodeWtf8(content() as Uint8Array),
  55799: (content) => content(),
};

function encodeNatural(number: bigint): Uint8Array {
  const digits = number.toString(16);
  const hex = digits.length % 2 === 0 ? digits : `0${digits}`;
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

function decodeNatural(bytes: Uint8Array): bigint {
  let hex = "0x0";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return BigInt(hex);
}

function decodeDate(epochSeconds: number): Date {
  // In far-off years, multiplying the whole would round to the wrong side.
  const seconds = Math.floor(epochSeconds);
  return new Date(seconds * 1000 + Math.round((epochSeconds - seconds) * 1000));
}

for (const Type of typedArrays) {
  const tag = arrayTags[Type.name]!;
  const encodeArray = (array: TypedArray) =>
    tagged(tag, littleEndian(array, Type));
  encoders[Type.name] = encodeArray;
  decoders[tag] = (content) => {
    const bytes = (content() as Uint8Array).slice();
    return new Type(littleEndian(new Type(bytes.buffer), Type).buffer);
  };
  if (Type.name === "Float16Array") {
    // cborg takes the newest of them for a plain object.
    encoders.Object = (object: object) =>
      object instanceof Type ? encodeArray(object as TypedArray) : null;
  }
}

/** Members keep their order, as in JSON. */
const keepOrder = () => 0;

/**
 * Encodes a value that was checked and copied.
 *
 * @param value The value.
 * @returns Its CBOR, self-described.
 *
 * @example Usage
 * ```ts
 * import { decodeCbor, encodeCbor } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeCbor(encodeCbor(new Set([1n]))), new Set([1n]));
 * ```
 */
export function encodeCbor(value: unknown): Uint8Array {
  const body = encode(value, { typeEncoders: encoders, mapSorter: keepOrder });
  const bytes = new Uint8Array(SELF_DESCRIBED.length + body.length);
  bytes.set(SELF_DESCRIBED);
  bytes.set(body, SELF_DESCRIBED.length);
  return bytes;
}

/**
 * Decodes what {@linkcode encodeCbor} encoded.
 *
 * @param bytes The CBOR.
 * @returns The value.
 * @throws {Error} If the bytes are no CBOR, or have a tag that is not known.
 *
 * @example Usage
 * ```ts
 * import { decodeCbor, encodeCbor } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeCbor(encodeCbor([undefined])), [undefined]);
 * ```
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decode(bytes, { tags: decoders });
}

/**
 * Whether bytes are self-described CBOR, which no JSON text can be.
 *
 * @param bytes The bytes.
 * @returns Whether they start with tag 55799.
 *
 * @example Usage
 * ```ts
 * import { encodeCbor, isCbor } from "@org/kv/driver";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(isCbor(encodeCbor(1n)));
 * assertFalse(isCbor(new TextEncoder().encode("{}")));
 * ```
 */
export function isCbor(bytes: Uint8Array): boolean {
  return SELF_DESCRIBED.every((byte, i) => bytes[i] === byte);
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes of a typed array in little-endian order, and back. */
function littleEndian(
  array: TypedArray,
  Type: TypedArrayConstructor,
): Uint8Array {
  const bytes = new Uint8Array(
    array.buffer,
    array.byteOffset,
    array.byteLength,
  );
  if (isLittleEndian) return bytes;
  const swapped = bytes.slice();
  for (let i = 0; i < swapped.length; i += Type.BYTES_PER_ELEMENT) {
    swapped.subarray(i, i + Type.BYTES_PER_ELEMENT).reverse();
  }
  return swapped;
}

/** WTF-8 (https://simonsapin.github.io/wtf-8/): UTF-8 that has surrogates. */
function encodeWtf8(text: string): Uint8Array {
  const encoder = new TextEncoder();
  const runs: Uint8Array[] = [];
  let start = 0;
  for (const { index } of text.matchAll(/\p{Surrogate}/gu)) {
    const unit = text.charCodeAt(index);
    runs.push(
      encoder.encode(text.slice(start, index)),
      Uint8Array.of(0xed, 0x80 | unit >> 6 & 0x3f, 0x80 | unit & 0x3f),
    );
    start = index + 1;
  }
  runs.push(encoder.encode(text.slice(start)));
  const bytes = new Uint8Array(runs.reduce((sum, run) => sum + run.length, 0));
  let end = 0;
  for (const run of runs) {
    bytes.set(run, end);
    end += run.length;
  }
  return bytes;
}

function decodeWtf8(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let start = 0;
  for (let i = 0; i < bytes.length; i++) {
    // ED A0 to ED BF is a surrogate, which UTF-8 cannot have.
    if (bytes[i] === 0xed && bytes[i + 1]! >= 0xa0) {
      text += decoder.decode(bytes.subarray(start, i)) + String.fromCharCode(
        0xd000 | (bytes[i + 1]! & 0x3f) << 6 | bytes[i + 2]! & 0x3f,
      );
      start = i + 3;
    }
  }
  return text + decoder.decode(bytes.subarray(start));
}
