// How values are checked, copied and encoded.
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import fc from "fast-check";
import { encodeCbor } from "../../kv/core/cbor.ts";
import { copyValue } from "../../kv/core/copy.ts";
import { copyPlain, isPlain } from "../../kv/core/plain.ts";
import { equalValues } from "../../kv/core/equal.ts";
import { decodeValue, encodeValue } from "../../kv/core/value.ts";

const rich = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
  withObjectString: true,
  withUnicodeString: true,
} as fc.ObjectConstraints);

Deno.test("a value survives encoding as its copy does", () => {
  fc.assert(
    fc.property(rich, (value) => {
      const copy = copyValue(value).value;
      const encoded = encodeValue(value);
      if (copy === undefined) return assertEquals(encoded, undefined);
      const decoded = decodeValue(encoded!);
      assertEquals(decoded, copy);
      assert(equalValues(decoded, copy));
    }),
    { numRuns: 500 },
  );
});

Deno.test("equalValues() tells a value from a changed one", () => {
  fc.assert(fc.property(rich, rich, (a, b) => {
    const [x, y] = [copyValue(a).value, copyValue(b).value];
    assertEquals(equalValues(x, y), equalValues(y, x));
    assertFalse(equalValues([x, 0], [x, 1]));
    assertFalse(equalValues({ a: x }, { b: x }));
    assertFalse(equalValues(new Map([[1, x]]), new Map([[2, x]])));
    assertFalse(equalValues([x], new Set([x])));
  }));
});

Deno.test("JSON values are stored as JSON.stringify() writes them", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert(isPlain(value));
    assertEquals(encodeValue(value), JSON.stringify(value));
    assertEquals(copyPlain(value), value);
  }));
});

Deno.test("a value that JSON cannot hold is self-described CBOR", () => {
  const hex = (value: unknown) => (encodeValue(value) as Uint8Array).toHex();
  assertEquals(hex(1n), "d9d9f7" + "c2" + "4101");
  assertEquals(hex(new Date(1500)), "d9d9f7" + "c1" + "f93e00");
  assertEquals(hex(new Set([1])), "d9d9f7" + "d90102" + "8101");
  assertEquals(hex(new Map([[1, 2]])), "d9d9f7" + "d90103" + "a10102");
  assertEquals(hex(new Uint16Array([1])), "d9d9f7" + "d845" + "420100");
  assertEquals(hex([undefined]), "d9d9f7" + "81f7");
  assertEquals(
    hex(new Uint8Array([7]).buffer),
    "d9d9f7" + "d81b" + "82" + "6b" +
      new TextEncoder().encode("ArrayBuffer").toHex() + "4107",
  );
});

Deno.test("what was stored in CBOR is read for good", () => {
  const stored: [string, unknown][] = [
    ["d9d9f7c24101", 1n],
    ["d9d9f7c1f93e00", new Date(1500)],
    ["d9d9f7d901028101", new Set([1])],
    ["d9d9f7d90103a10102", new Map([[1, 2]])],
    ["d9d9f7d845420100", new Uint16Array([1])],
    ["d9d9f7d9011143eda080", "\ud800"],
  ];
  for (const [hex, value] of stored) {
    assertEquals(decodeValue(Uint8Array.fromHex(hex)), value);
  }
});

Deno.test("decodeValue() throws at what is neither JSON nor CBOR", () => {
  for (const hex of ["", "ff", "7b", "d9d9f7", "d9d9f7ff", "d9d9f7d9ffff00"]) {
    assertThrows(() => decodeValue(Uint8Array.fromHex(hex)));
  }
  assertThrows(() => decodeValue("{"));
  assertThrows(() => decodeValue(encodeCbor([1]).subarray(0, 4)));
});

Deno.test("dates keep their milliseconds, however far away", () => {
  for (
    const time of [
      1001,
      -1,
      8.64e15,
      -8.64e15,
      8.64e15 - 1,
      4.4e15 + 1,
      -4453000000000595,
    ]
  ) {
    const date = decodeValue(encodeValue(new Date(time))!) as Date;
    assertEquals(date.getTime(), time);
  }
});

Deno.test("what cannot be stored is named by its path", () => {
  const cycle: { self?: unknown[] } = {};
  cycle.self = [cycle];
  const bad: [unknown, string][] = [
    [() => {}, "value is a function, which cannot be stored"],
    [{ items: [1, { onClick() {} }] }, "value.items[1].onClick is a function"],
    [{ "a b": Symbol("x") }, 'value["a b"] is a symbol'],
    [[/x/], "value[0] is of type RegExp, which cannot be stored"],
    [cycle, "value.self[0] refers back to what contains it"],
    [
      new Map([["a", new Map([[1, () => {}]])]]),
      "value.values()[0].values()[0] is a function",
    ],
    [new Map([[() => {}, 1]]), "value.keys()[0] is a function"],
    [new Set([1, Symbol.iterator]), "value.values()[1] is a symbol"],
    [{ soon: Promise.resolve() }, "value.soon is of type Promise"],
    [[new DataView(new ArrayBuffer(1))], "value[0] is of type DataView"],
    [{ a: { toJSON: () => /x/ } }, "value.a is of type RegExp"],
    [{ error: new Error("lost") }, "value.error is of type Error"],
    [new URLSearchParams("a=1"), "value is of type URLSearchParams"],
    [[new Headers()], "value[0] is of type Headers"],
    [
      new Array(2 ** 27),
      "value is too much: a value must hold at most 67108864 items",
    ],
  ];
  for (const [value, message] of bad) {
    assertThrows(() => encodeValue(value), Error, message);
  }
});

Deno.test("an object that stands in two places is no cycle", () => {
  const shared = { a: 1n };
  assertEquals(decodeValue(encodeValue([shared, shared])!), [shared, shared]);
});

Deno.test("a value may be nested 1,000 levels deep and no deeper", () => {
  const nest = (levels: number, inner: unknown) => {
    for (let i = 0; i < levels; i++) inner = [inner];
    return inner;
  };
  for (const inner of [1, 1n]) {
    const value = nest(1000, inner);
    assert(equalValues(decodeValue(encodeValue(value)!), value));
    assertThrows(
      () => encodeValue(nest(1001, inner)),
      RangeError,
      "nested at most 1000 levels deep",
    );
  }
});

Deno.test("toJSON() is called once, with the name that JSON gives it", () => {
  const named = { toJSON: (name: string) => name };
  const values: unknown[] = [
    { a: named, "b c": named, d: [named] },
    {
      a: 1,
      toJSON() {
        return { ...this, b: 1 };
      },
    },
    {
      a: 1,
      toJSON() {
        return this;
      },
    },
    named,
  ];
  for (const value of values) {
    assertEquals(encodeValue(value), JSON.stringify(value));
  }
});

Deno.test("long strings and numbers beyond JSON take no long time", () => {
  const text = "\ud800" + "é".repeat(2_000_000) + "\udc00";
  const number = 1n << 4_000_000n;
  assertEquals(decodeValue(encodeValue([text, 1n])!), [text, 1n]);
  assert(decodeValue(encodeValue(number)!) === number);
  assert(decodeValue(encodeValue(-number)!) === -number);
});

Deno.test("deeply nested maps compare by content", () => {
  const nest = (): unknown => {
    let map: unknown = 1n;
    for (let i = 0; i < 999; i++) map = new Map([[map, i]]);
    return map;
  };
  assert(equalValues(nest(), nest()));
});
