// Values that are small in memory or on the wire and would cost far more. None
// of these tests measures time: without the bounds they do not end.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { copyValue } from "../../kv/core/copy.ts";
import { equalValues } from "../../kv/core/equal.ts";
import { isPlain } from "../../kv/core/plain.ts";
import { decodeValue, encodeValue } from "../../kv/core/value.ts";

/** A value that unfolds to `2 ** levels` leaves. */
function doubled(
  levels: number,
  leaf: unknown,
  join: (value: unknown) => unknown,
) {
  let value = leaf;
  for (let i = 0; i < levels; i++) value = join(value);
  return value;
}

const joins: [what: string, join: (value: unknown) => unknown, path: string][] =
  [
    ["arrays", (value) => [value, value], "value[0][0]"],
    ["objects", (value) => ({ a: value, b: value }), "value.a.a"],
    [
      "maps",
      (value) => new Map([[1, value], [2, value]]),
      "value.values()[0].values()[0]",
    ],
    [
      "sets",
      (value) => new Set([[value], [value]]),
      "value.values()[0][0].values()[0][0]",
    ],
  ];

for (const [what, join, path] of joins) {
  Deno.test(`shared ${what} that would unfold without end are rejected`, () => {
    for (const leaf of ["x", 1n]) {
      const value = doubled(60, leaf, join);
      for (const check of [encodeValue, copyValue]) {
        assertThrows(
          () => check(value),
          RangeError,
          "is too much: a value must hold at most 67108864 items",
        );
        const { message } = assertThrows(() => check(value), RangeError);
        assert(message.startsWith(path), message);
      }
      assertFalse(isPlain(value));
    }
  });
}

Deno.test("shared references that unfold a little are stored", () => {
  for (const [_, join] of joins) {
    const value = doubled(8, 1n, join);
    assert(
      equalValues(decodeValue(encodeValue(value)!), copyValue(value).value),
    );
  }
});

Deno.test("a wide array that is shared many times is rejected", () => {
  const wide = Array.from({ length: 1_000_000 }, (_, i) => i);
  for (const last of [0, 1n]) {
    const value = { rows: [...Array.from({ length: 100 }, () => wide), last] };
    assertThrows(
      () => encodeValue(value),
      RangeError,
      "value.rows[1] is too much",
    );
  }
});

Deno.test("long text and bytes that are shared many times are rejected", () => {
  const megabyte = 2 ** 20;
  for (const long of ["x".repeat(megabyte), new Uint8Array(megabyte)]) {
    const value = [1n, ...Array.from({ length: 1_000 }, () => long)];
    assertThrows(
      () => encodeValue(value),
      RangeError,
      "value[513] is too much: a value must hold at most 536870912 characters",
    );
  }
});

Deno.test("a sparse array is stored with undefined in its holes", () => {
  const sparse: unknown[] = [];
  sparse[300_000] = 1;
  const stored = encodeValue(sparse) as Uint8Array;
  assert(stored.length < 300_020);
  const read = decodeValue(stored) as unknown[];
  assertEquals(read.length, 300_001);
  assertEquals([read[0], read[300_000]], [undefined, 1]);
  assertThrows(
    () => {
      sparse.length = 2 ** 27;
      encodeValue({ sparse });
    },
    RangeError,
    "value.sparse is too much",
  );
});

Deno.test("nesting and width together take no quadratic time", () => {
  let value: unknown = Array.from({ length: 200_000 }, (_, i) => [i]);
  for (let i = 0; i < 990; i++) value = [value];
  assert(
    equalValues(copyValue([value, 1n]).value, copyValue([value, 1n]).value),
  );
});

const count = 20_000;

function shuffled<T>(items: T[]): T[] {
  return items.map((item, i) => ({ item, at: (i * 7919) % items.length }))
    .sort((a, b) => a.at - b.at).map(({ item }) => item);
}

Deno.test("large sets and maps of objects compare by content", () => {
  const items = (last: number) => [
    ...Array.from({ length: count }, (_, i) => ({ i, at: [new Date(i)] })),
    { i: last, at: [] },
  ];
  const set = (last: number) => new Set(items(last));
  const map = (last: number) =>
    new Map(items(last).map((item) => [item, [item]]));
  assert(equalValues(set(0), new Set(shuffled(items(0)))));
  assertFalse(equalValues(set(0), set(1)));
  assert(equalValues(map(0), new Map(shuffled([...map(0)]))));
  assertFalse(equalValues(map(0), map(1)));
});

Deno.test("sets of sets compare by content at every depth", () => {
  const nest = (levels: number, leaf: unknown): unknown =>
    levels === 0
      ? leaf
      : new Set([[levels], nest(levels - 1, leaf), new Set([levels])]);
  assert(equalValues(nest(300, { a: 1 }), nest(300, { a: 1 })));
  assertFalse(equalValues(nest(300, { a: 1 }), nest(300, { a: 2 })));
});

Deno.test("members of sets and keys of maps count as often as they are there", () => {
  const [a, b] = [{ a: 1 }, { b: 1 }];
  assertFalse(
    equalValues(new Set([a, { ...a }, b]), new Set([a, b, { ...b }])),
  );
  assert(equalValues(new Set([a, { ...a }, b]), new Set([b, a, { ...a }])));
  assertFalse(equalValues(
    new Map([[a, 1], [{ ...a }, 2]]),
    new Map([[a, 1], [{ ...a }, 1]]),
  ));
  assert(equalValues(
    new Map([[a, 1], [{ ...a }, 2]]),
    new Map([[{ ...a }, 2], [a, 1]]),
  ));
});

Deno.test("members of sets are told apart by type and content", () => {
  const different = [
    {},
    { a: 1 },
    { a: "1" },
    { a: 1n },
    { a: true },
    { a: null },
    { b: 1 },
    { a: 1, b: 1 },
    { 'a":1,"b': 1 },
    { a: "undefined" },
    { a: NaN },
    { a: "NaN" },
    { a: Infinity },
    { a: new Date(1) },
    { a: new Date(NaN) },
    { a: [] },
    { a: {} },
    { a: new Set() },
    { a: new Map() },
    [],
    [1],
    ["1"],
    [undefined],
    [null],
    [1, 2],
    [[1, 2]],
    [[1], 2],
    ["1,2"],
    new Set(),
    new Set([1]),
    new Set([[1]]),
    new Map(),
    new Map([[1, 2]]),
    new Map([[2, 1]]),
    new Map([[[1], 2]]),
    new Date(0),
    new Date(1),
    new Uint8Array([1]),
    new Int8Array([1]),
    new Uint8Array([1, 0]),
    new Uint16Array([1]),
    new Uint8Array([1]).buffer,
    new Uint8Array(),
  ];
  different.forEach((a, i) => {
    different.forEach((b, j) => {
      const [x, y] = [new Set([a, [0]]), new Set([[0], copyValue(b).value])];
      assertEquals(
        equalValues(x, y),
        i === j,
        `${Deno.inspect(a)} ${Deno.inspect(b)}`,
      );
    });
  });
});
