/**
 * The tags of CBOR that values need; see `cbor.ts`.
 *
 * @module
 */

import { type decode, type encode, Token, Type } from "cborg";
import { mapEncoder, setEncoder } from "cborg/taglib";
import { decodeNatural, encodeNatural } from "./bigint.ts";
import { littleEndian, type TypedArray, typedArrays } from "./typed_arrays.ts";
import { decodeWtf8, encodeWtf8 } from "./wtf8.ts";

type Encode = NonNullable<
  NonNullable<Parameters<typeof encode>[1]>["typeEncoders"]
>;
type Decode = NonNullable<NonNullable<Parameters<typeof decode>[1]>["tags"]>;

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

function tagged(tag: number, bytes: Uint8Array): Token[] {
  return [new Token(Type.tag, tag), new Token(Type.bytes, bytes)];
}

/** How cborg encodes each type that CBOR itself lacks. */
export const encoders: Encode = {
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

/**
 * How cborg decodes the content of each tag. The tokenizer has checked the
 * content's own type, so it is cast here, but not the types inside.
 */
export const decoders: Decode = {
  1: (content) => decodeDate(content() as number | bigint),
  2: (content) => decodeNatural(content() as Uint8Array),
  3: (content) => -1n - decodeNatural(content() as Uint8Array),
  27: (content) => decodeBuffer(content() as unknown[]),
  258: (content) => decodeSet(content() as unknown[]),
  259: (content) => decodeMap(content.entries()),
  273: (content) => decodeWtf8(content() as Uint8Array),
  55799: (content) => content(),
};

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

function decodeDate(epochSeconds: number | bigint): Date {
  const number = Number(epochSeconds);
  // In far-off years, multiplying the whole would round to the wrong side.
  const seconds = Math.floor(number);
  const date = new Date(
    seconds * 1000 + Math.round((number - seconds) * 1000),
  );
  // Only an invalid date is stored as NaN.
  if (Number.isNaN(date.getTime()) && !Number.isNaN(number)) {
    throw new SyntaxError("a date is out of range");
  }
  return date;
}

function decodeBuffer(content: unknown[]): ArrayBuffer {
  const [name, bytes] = content;
  if (
    content.length !== 2 || name !== "ArrayBuffer" ||
    !(bytes instanceof Uint8Array)
  ) throw new SyntaxError("tag 27 holds no ArrayBuffer");
  return bytes.slice().buffer;
}

function decodeSet(items: unknown[]): Set<unknown> {
  const set = new Set(items);
  if (set.size !== items.length) throw new SyntaxError("a set repeats an item");
  return set;
}

function decodeMap(entries: [unknown, unknown][]): Map<unknown, unknown> {
  const map = new Map(entries);
  if (map.size !== entries.length) throw new SyntaxError("a map repeats a key");
  return map;
}
