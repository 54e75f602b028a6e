// How CBOR of any origin is decoded: strictly, and in proportion to its size.

import {
  assert,
  assertEquals,
  assertFalse,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { decodeCbor, encodeCbor } from "../../kv/core/cbor.ts";
import { copyValue } from "../../kv/core/copy.ts";
import { equalValues } from "../../kv/core/equal.ts";
import { decodeValue, encodeValue } from "../../kv/core/value.ts";

const SELF_DESCRIBED = "d9d9f7";

function decodeHex(hex: string): unknown {
  return decodeValue(Uint8Array.fromHex(SELF_DESCRIBED + hex));
}

Deno.test("bytes are decoded from a Buffer that views a larger one", () => {
  const values = [new Uint8Array([1, 2]), new Uint8Array([3]).buffer, 4n];
  for (const value of values) {
    const encoded = encodeCbor(value);
    const larger = Buffer.concat([Buffer.from("before"), encoded]);
    const decoded = decodeCbor(larger.subarray("before".length));
    assertEquals(decoded, value);
    larger.fill(0);
    assertEquals(decoded, value, "it shares no memory");
  }
});

const wrong: [what: string, hex: string][] = [
  ["undefined at the top", "f7"],
  ["a member that is undefined", "a16161f7"],
  ["a member inside an array that is undefined", "81a2616101" + "6162f7"],
  ["a date of text", "c16131"],
  ["a date of null", "c1f6"],
  ["a date out of range", "c1fb7e37e43c8800759c"],
  ["an infinite date", "c1f97c00"],
  ["a date of a date", "c1c101"],
  ["a bigint of text", "c26131"],
  ["a bigint of a number", "c21903e8"],
  ["a bigint of an array", "c2820102"],
  ["a bigint of a typed array", "c2d8404101"],
  ["a negative bignum of a map", "c3a0"],
  ["bytes of a number", "d84019ffff"],
  ["bytes of an array", "d8408101"],
  ["bytes of a number as an array", "d84583010203"],
  ["16-bit numbers in three bytes", "d84543010203"],
  ["64-bit numbers in one byte", "d8474101"],
  ["a set of text", "d90102" + "6161"],
  ["a set of a map", "d90102a0"],
  ["a set of null", "d90102f6"],
  ["a set of undefined", "d90102f7"],
  ["a set with an item twice", "d90102820101"],
  ["a map of an array", "d9010380"],
  ["a map with a key twice", "d90103a201020103"],
  ["an object with a member twice", "a2616101616102"],
  ["an object with a number for a name", "a10102"],
  ["an ArrayBuffer of nothing", "d81b80"],
  ["an ArrayBuffer of text", "d81b826b" + hexOf("ArrayBuffer") + "6161"],
  ["an ArrayBuffer with more", "d81b836b" + hexOf("ArrayBuffer") + "4041ff"],
  ["another class", "d81b8263" + hexOf("Foo") + "40"],
  ["WTF-8 of text", "d901116161"],
  ["WTF-8 cut in a surrogate", "d9011142eda0"],
  ["WTF-8 with a broken surrogate", "d9011143eda041"],
  ["WTF-8 with a broken second byte", "d9011143edff80"],
  ["WTF-8 with an invalid byte", "d9011141ff"],
  ["text with an invalid byte", "61ff"],
  ["text cut in a character", "6162" + "6261c3"],
  ["long text with an invalid byte", "7828" + "61".repeat(39) + "ff"],
  ["a surrogate in text", "63eda080"],
  ["self-described inside", "81d9d9f701"],
  ["an unknown tag", "d9ffff00"],
  ["an indefinite array", "9f01ff"],
  ["an indefinite map", "bf616101ff"],
  ["a tag without content", "c2"],
  ["an array of 4 billion items", "9affffffff01"],
  ["bytes of 4 billion bytes", "5affffffff01"],
  ["text of 2 ** 53 bytes", "7b0020000000000000" + "61"],
  ["a second value", "0101"],
  ["a simple value", "e0"],
  ["a break", "ff"],
  ["1,001 arrays", "81".repeat(1001) + "01"],
  ["1,001 maps", "d90103a1".repeat(1001) + "01".repeat(1002)],
  ["a million arrays", "81".repeat(1_000_000) + "01"],
  ["a million self-descriptions", SELF_DESCRIBED.repeat(1_000_000) + "01"],
  ["a million tags", "c1".repeat(1_000_000) + "01"],
];

function hexOf(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

for (const [what, hex] of wrong) {
  Deno.test(`decodeValue() rejects CBOR with ${what}`, () => {
    assertThrows(() => decodeHex(hex), SyntaxError, "the stored value");
  });
}

Deno.test("decodeValue() reads text that cborg alone changes", () => {
  assertEquals(decodeHex("63efbbbf"), "\ufeff");
  assertEquals(decodeHex("66efbbbfefbfbd"), "\ufeff\ufffd");
  assertEquals(decodeHex("63efbfbd"), "\ufffd");
  assertEquals(
    decodeHex("7828" + "61".repeat(37) + "efbfbd"),
    "a".repeat(37) + "\ufffd",
  );
});

Deno.test("decodeValue() quotes nothing of what is stored in its messages", () => {
  const secret = "hunter2-s3cret";
  const text = new TextEncoder().encode(secret);
  const cbor = (suffix: string, prefix = "") =>
    Uint8Array.fromHex(
      SELF_DESCRIBED + prefix + (0x60 + text.length).toString(16) +
        text.toHex() + suffix,
    );
  const name = (0x60 + text.length).toString(16) + text.toHex();
  const stored: (string | Uint8Array)[] = [
    secret,
    `{"a":${secret}}`,
    `["${secret}",]`,
    text,
    new TextEncoder().encode(`{"${secret}":}`),
    cbor("01"),
    cbor("", "c1"),
    cbor("", "c2"),
    cbor(`01${name}02`, "a2"),
    cbor("40", "d81b82"),
    cbor("f7", "a1"),
  ];
  for (const encoded of stored) {
    const error = assertThrows(() => decodeValue(encoded), SyntaxError);
    for (const start of [0, 3, 8]) {
      assertFalse(Deno.inspect(error).includes(secret.slice(start, start + 5)));
    }
    assertStringIncludes(error.message, "the stored value");
  }
});

Deno.test("a value decoded from any bytes is one that can be stored", () => {
  const rich = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withUnicodeString: true,
  } as fc.ObjectConstraints);
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    to: fc.oneof(fc.nat(255), fc.constantFrom(0xc1, 0xc2, 0xd8, 0xf7, 0x9f)),
  });
  let decoded = 0;
  fc.assert(
    fc.property(rich, fc.array(change, { maxLength: 3 }), (value, changes) => {
      const bytes = encodeCbor([copyValue(value).value]);
      for (const { at, to } of changes) {
        bytes[3 + Math.floor(at * (bytes.length - 3))] = to;
      }
      let read: unknown;
      try {
        read = decodeCbor(bytes);
      } catch (error) {
        return assert(error instanceof SyntaxError, `${error}`);
      }
      decoded++;
      assert(equalValues(decodeValue(encodeValue(read)!), read));
    }),
    { numRuns: 3_000 },
  );
  assert(decoded > 300, `only ${decoded} decoded`);
});

Deno.test("a value nested 1,000 levels deep in maps is decoded", () => {
  let value: unknown = 1n;
  for (let i = 0; i < 1_000; i++) value = new Map([[i, value]]);
  assert(equalValues(decodeValue(encodeValue(value)!), value));
});

Deno.test("a bigint of 40 MB is encoded and decoded", () => {
  const number = (1n << 320_000_000n) - 0xabcdefn;
  for (const value of [number, -number]) {
    assert(decodeValue(encodeValue(value)!) === value);
  }
});

Deno.test("bigints of any length survive", () => {
  for (const bytes of [1, 2, 7, 8, 9, 4095, 4096]) {
    for (
      const number of [
        1n << BigInt(8 * bytes - 1),
        (1n << BigInt(8 * bytes)) - 1n,
      ]
    ) {
      assert(decodeValue(encodeValue(number)!) === number);
      assert(decodeValue(encodeValue(-number)!) === -number);
    }
  }
  assertEquals(decodeHex("c240"), 0n);
  assertEquals(decodeHex("c2420001"), 1n);
});

Deno.test("a million lone surrogates survive", () => {
  for (
    const text of ["\ud800".repeat(1_000_000), "a\udfff😀é€".repeat(200_000)]
  ) {
    assertEquals((decodeValue(encodeValue([text, 1n])!) as string[])[0], text);
  }
});
