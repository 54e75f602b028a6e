// How keys are checked and encoded.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkKey,
  compareStrings,
  decodeKey,
  encodeKey,
  keyRange,
  startsWith,
} from "../../kv/core/key.ts";
import { keyOf } from "../../kv/key_of.ts";
import { KeyLimit } from "../../kv/core/long_key.ts";
import type { KvKey } from "../../kv/store.ts";

const part = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom(
      ...'\0\x01 !"#%:/*a\u{10ffff}\u{ffff}\u{e000}\u{1f600}',
    ),
    maxLength: 4,
  }),
);
const key = fc.array(part, { minLength: 1, maxLength: 4 }) as fc.Arbitrary<
  unknown
> as fc.Arbitrary<KvKey>;

/** The order of the contract, written down a second time. */
function compareKeys(a: KvKey, b: KvKey): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [[...a[i]!], [...b[i]!]];
    for (let j = 0; j < Math.min(x.length, y.length); j++) {
      const difference = x[j]!.codePointAt(0)! - y[j]!.codePointAt(0)!;
      if (difference !== 0) return difference;
    }
    if (x.length !== y.length) return x.length - y.length;
  }
  return a.length - b.length;
}

function compareBytes(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => new TextEncoder().encode(text));
  for (let i = 0; i < Math.min(x!.length, y!.length); i++) {
    if (x![i] !== y![i]) return x![i]! - y![i]!;
  }
  return x!.length - y!.length;
}

Deno.test("decodeKey() returns the key that encodeKey() was given", () => {
  fc.assert(fc.property(key, (key) => {
    assertEquals(decodeKey(encodeKey(key)), key);
  }));
});

Deno.test("encodeKey() joins many parts, runs of empty ones included, as it joins few", () => {
  const parts = fc.array(
    fc.oneof(fc.constantFrom("", "", "a", "!", '"', "\ud83d\ude00"), part),
    { minLength: 17, maxLength: 40 },
  );
  fc.assert(fc.property(parts, (key) => {
    assertEquals(
      encodeKey(key),
      key.map((part) => encodeKey([part])).join("!"),
    );
  }));
});

Deno.test("encodeKey() keeps the order of keys, by bytes and by compareStrings()", () => {
  fc.assert(fc.property(key, key, (a, b) => {
    const order = Math.sign(compareKeys(a, b));
    const [x, y] = [encodeKey(a), encodeKey(b)];
    assertEquals(Math.sign(compareBytes(x, y)), order);
    assertEquals(Math.sign(compareStrings(x, y)), order);
  }));
});

Deno.test("encodeKey() writes no control character and no space", () => {
  fc.assert(fc.property(key, (key) => {
    assert(/^[!-\uffff]*$/.test(encodeKey(key)));
  }));
});

Deno.test("keyRange() holds a key if, and only if, it starts with the prefix", () => {
  fc.assert(fc.property(key, key, fc.nat(3), (a, b, length) => {
    const prefix = b.slice(0, length);
    for (const key of [a, b, [...b, ...a] as unknown as KvKey]) {
      const { start, end } = keyRange(prefix);
      const id = encodeKey(key);
      const inRange = compareBytes(start, id) <= 0 &&
        (end === undefined || compareBytes(id, end) < 0);
      assertEquals(inRange, startsWith(key, prefix));
    }
  }));
});

Deno.test("checkKey() refuses what is no key, and names it", () => {
  const bad: [unknown, string][] = [
    [
      undefined,
      "Cannot get undefined: a key must be an array of strings: received undefined",
    ],
    [
      "a",
      'Cannot get "a": a key must be an array of strings: received a string',
    ],
    [[], "Cannot get []: a key must have one or more parts: received none"],
    [
      ["a", 1],
      'Cannot get ["a",1]: key[1] must be a string: received a number',
    ],
    [[null], "Cannot get [null]: key[0] must be a string: received null"],
    [[1n], "Cannot get an array: key[0] must be a string: received a bigint"],
    [["a", "\ud800"], "key[1] must be well-formed: received a lone surrogate"],
  ];
  for (const [key, message] of bad) {
    assertThrows(() => checkKey(key, "get"), TypeError, message);
  }
});

Deno.test("checkKey() allows 8 KiB of UTF-8 and not a byte more", () => {
  assertEquals(checkKey(["a".repeat(8190), "é"], "get").length, 2);
  assertThrows(
    () => checkKey(["a".repeat(8191), "é"], "get"),
    RangeError,
    "a key must take at most 8192 bytes: received 8193",
  );
});

Deno.test("checkKey() allows 8,192 parts and not one more", () => {
  const parts = (count: number) => Array.from({ length: count }, () => "");
  assertEquals(checkKey(parts(8192), "get").length, 8192);
  assertThrows(
    () => checkKey(parts(8193), "get"),
    RangeError,
    "a key must have at most 8192 parts: received 8193",
  );
});

Deno.test("KeyLimit stores different keys under different keys that fit", () => {
  const limit = new KeyLimit(120);
  const long = fc.array(
    fc.oneof(part, fc.integer({ min: 40, max: 130 }).map((n) => "a".repeat(n))),
    { minLength: 1, maxLength: 4 },
  ) as fc.Arbitrary<unknown> as fc.Arbitrary<KvKey>;
  fc.assert(fc.property(long, long, (a, b) => {
    const [x, y] = [limit.stored(a), limit.stored(b)].map(encodeKey);
    assertEquals(x === y, encodeKey(a) === encodeKey(b));
    assert(new TextEncoder().encode(x).length <= 120);
  }));
});

Deno.test("KeyLimit finds every key under every one of its prefixes", () => {
  const limit = new KeyLimit(120);
  const long = fc.array(
    fc.oneof(
      part,
      fc.constant("\u{10ffff}\u{10ffff}x"),
      fc.integer({ min: 20, max: 130 }).map((n) => "a".repeat(n)),
    ),
    { minLength: 1, maxLength: 4 },
  ) as fc.Arbitrary<unknown> as fc.Arbitrary<KvKey>;
  fc.assert(fc.property(long, fc.nat(4), (key, length) => {
    const prefix = key.slice(0, length);
    const { whole, shortened } = limit.ranges(prefix);
    const stored = limit.stored(key);
    const inWhole = whole !== undefined && startsWith(stored, whole);
    const inShortened = shortened !== undefined &&
      stored.length === shortened.length + 1 &&
      startsWith(stored, shortened) && limit.isShortened(stored);
    assert(inWhole !== inShortened, "found once, in one of the two");
  }));
});

Deno.test("KeyLimit keeps a key that looks like a digest apart from the digest", () => {
  const limit = new KeyLimit(120);
  const stored = limit.stored(["a".repeat(200)]);
  assert(limit.isShortened(stored));
  assert(encodeKey(limit.stored(stored)) !== encodeKey(stored));
});

Deno.test("keyOf() makes a key of any array of strings", () => {
  const parts = "a/b//c".split("/");
  const key = keyOf(parts);
  parts.push("d");
  assertEquals(key, ["a", "b", "", "c"]);
  assertThrows(
    () => keyOf([]),
    TypeError,
    "Cannot make a key of []: a key must have one or more parts: received none",
  );
  assertThrows(
    () => keyOf(["\ud800"]),
    TypeError,
    "key[0] must be well-formed",
  );
});
