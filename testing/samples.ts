// The values that the cases store, and what must be returned.
/** A value that goes in, and the one that must come out. */
export interface Sample {
  readonly value: unknown;
  readonly expected: unknown;
}

/** Samples that come out as they went in. */
export function same(...values: unknown[]): Sample[] {
  return values.map((value) => ({ value, expected: value }));
}

/** What JSON holds. */
export const jsonSamples: Sample[] = same(
  true,
  false,
  0,
  1,
  -1,
  0.1,
  1e21,
  "",
  "a",
  [],
  {},
  [[]],
  [{}, []],
  [null, true, 1, "a", [1], { a: 1 }],
  { a: null, b: { c: [1, { d: "e" }] }, "10": 1, "9": 2 },
);

/** Strings that encodings lose, escape or mistake for something else. */
export const stringSamples: Sample[] = same(
  "\0",
  "a\0b",
  "\uD800",
  "\uDFFF",
  "a\uDC00\uD800b",
  "\uD83D😀",
  "\uFFFD",
  "\uFEFFa",
  "\u2028\u2029",
  "\x7F\x80\xFF",
  "\u{10FFFF}",
  "e\u0301 \u00E9",
  "'\"`\\\r\n\t",
  "null",
  "undefined",
  "NaN",
  "1",
  "1n",
  "[1]",
  '{"a":1}',
  '"a"',
  "2020-01-01T00:00:00.000Z",
  "\xD9\xD9\xF7\x01",
);

/** Member names that encodings or objects themselves trip over. */
export const memberSamples: Sample[] = same(
  JSON.parse('{"__proto__":{"a":1},"b":2}'),
  JSON.parse('{"__proto__":null}'),
  { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4, then: 5 },
  { "": 1, " ": 2, "\0": 3, "a.b": 4, "$set": 5, "[0]": 6 },
  JSON.parse('{"\\uD800":1,"\\uD801":2,"\\uFFFD":3}'),
  JSON.parse('{"\\uD83D":1,"\\uDE00":2,"\\uD83D\\uDE00":3}'),
  { "é": 1, "e\u0301": 2 },
  { toJSON: "a" },
  { type: "Map", value: [["a", 1]] },
  { $type: "Date", $date: 0, "@type": "bigint", __type: "Set" },
  { type: "Buffer", data: [1, 2] },
  { value: 1, expiry: 0, expires: 0, ttl: 0, key: ["a"] },
  { ["long ".repeat(100)]: 1 },
);

/** Numbers that JSON holds, at the limits of what a number is. */
export const numberSamples: Sample[] = same(
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.EPSILON,
  0.1 + 0.2,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 53,
  -(2 ** 53),
  2 ** 53 + 2,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  -(2 ** 64),
  2 ** 65,
  1e100,
);

/** Numbers that JSON cannot hold. */
export const notFiniteSamples: Sample[] = same(NaN, Infinity, -Infinity);

/** Integers of any size. */
export const bigintSamples: Sample[] = same(
  0n,
  1n,
  -1n,
  255n,
  2n ** 53n,
  2n ** 63n,
  -(2n ** 63n),
  2n ** 64n - 1n,
  2n ** 64n,
  -(2n ** 64n),
  -(2n ** 64n) - 1n,
  10n ** 400n,
  -(10n ** 400n),
);

/** Dates, the last ones that there are and the invalid one included. */
export const dateSamples: Sample[] = [
  ...same(
    new Date(0),
    new Date(1),
    new Date(-1),
    new Date(1_700_000_000_123),
    new Date(-62_198_755_200_001),
    new Date(8.64e15),
    new Date(8.64e15 - 1),
    new Date(-8.64e15),
    new Date(-8.64e15 + 1),
    new Date(NaN),
  ),
  { value: new class extends Date {}(5), expected: new Date(5) },
];

/** Maps and sets, with any keys and members, in their order. */
export const collectionSamples: Sample[] = same(
  new Map(),
  new Set(),
  new Map([["b", 1], ["a", 2], ["aa", 3], ["", 4]]),
  new Map<unknown, unknown>([[1, "number"], ["1", "string"], [1n, "bigint"]]),
  new Map<unknown, unknown>([[{ a: 1 }, "object"], [[1], "array"]]),
  new Map<unknown, unknown>([[NaN, 1], [null, 2], [true, 3]]),
  new Map([[new Date(1), new Map([[new Set([1]), new Set()]])]]),
  new Map([["__proto__", 1], ["constructor", 2]]),
  new Set(["b", "a", "aa", ""]),
  new Set([3, 1, 2, "1", 1n, NaN, null, true]),
  new Set([{ a: 1 }, { a: 1 }, [1], new Set([new Map()])]),
);

/** Bytes of every type, with their last values. */
export function byteSamples(): Sample[] {
  const types: (new (items?: number[]) => object)[] = [
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array],
    ...[Int32Array, Uint32Array, Float32Array, Float64Array],
  ];
  // Not every runtime has this one.
  if ("Float16Array" in globalThis) types.push(globalThis.Float16Array);
  return same(
    ...types.flatMap((Type) => [
      new Type(),
      new Type([0, 1, -1, 127, 128, 255, 256, 65_535, 2 ** 31]),
      new Type([0.5, -0.5, NaN, Infinity, -Infinity, -0]),
    ]),
    new BigInt64Array([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]),
    new BigUint64Array([0n, 1n, 2n ** 64n - 1n]),
    new ArrayBuffer(0),
    new Uint8Array([0, 1, 254, 255, 10, 13, 34, 92]).buffer,
    Uint8Array.from({ length: 256 }, (_, i) => i),
  );
}

/** Views of a part of a buffer, and subclasses as `Buffer` is one. */
export function viewSamples(): Sample[] {
  class Bytes extends Uint8Array {
    toJSON() {
      return { type: "Bytes", data: [...this] };
    }
  }
  const { buffer } = Uint8Array.from({ length: 64 }, (_, i) => i);
  return [
    {
      value: new Uint8Array(buffer, 3, 2),
      expected: new Uint8Array([3, 4]),
    },
    {
      value: new Uint16Array(buffer, 2, 3),
      expected: new Uint16Array(buffer.slice(2, 8)),
    },
    {
      value: new Float64Array(buffer, 8, 2),
      expected: new Float64Array(buffer.slice(8, 24)),
    },
    { value: new Uint8Array(buffer, 64), expected: new Uint8Array() },
    {
      value: new Bytes(buffer, 5, 3),
      expected: new Uint8Array([5, 6, 7]),
    },
  ];
}
