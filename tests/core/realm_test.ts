// Values from another realm, objects whose content is hidden, and an extended
// Object.prototype.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { createContext, runInContext } from "node:vm";
import { copyValue } from "../../kv/core/copy.ts";
import { equalValues } from "../../kv/core/equal.ts";
import { copyPlain, isPlain } from "../../kv/core/plain.ts";
import { decodeValue, encodeValue } from "../../kv/core/value.ts";

const context = createContext();

/** Evaluates an expression in another realm. */
function foreign(expression: string): unknown {
  return runInContext(`(${expression})`, context);
}

/** Evaluates an expression in this realm. */
function local(expression: string): unknown {
  return new Function(`return (${expression})`)();
}

const storable = [
  `new Date(5)`,
  `new Date(NaN)`,
  `new Map([["a", 1n], [{ b: 1 }, new Date(0)]])`,
  `new Set([1, "a", { b: [undefined] }])`,
  `new Uint8Array([1, 2, 3])`,
  `new Uint8Array([1, 2, 3]).subarray(1)`,
  `new Uint8ClampedArray([1, 300])`,
  `new Int16Array([-1, 2])`,
  `new Float32Array([0.5])`,
  `new Float64Array([NaN])`,
  `new BigInt64Array([-1n])`,
  `new Float16Array([1.5])`,
  `new Uint8Array([1, 2]).buffer`,
  `new String("ab")`,
  `new Number(1)`,
  `new Boolean(false)`,
  `Object(1n)`,
  `{ a: 1, b: { c: ["x", null, true] } }`,
  `[1, [2, { a: undefined }]]`,
  `Object.create(null)`,
  `new (class Point { x = 1; get y() { return 2 } })()`,
  `new (class Stamp extends Date {})(7)`,
  `new (class Named extends Map { get [Symbol.toStringTag]() { return "N" } })()`,
  `{ toJSON: () => new Date(3) }`,
  `{ a: [new Date(1), { b: new Map() }] }`,
];

for (const expression of storable) {
  Deno.test(`a value from another realm is stored as ours: ${expression}`, () => {
    const ours = encodeValue(local(expression))!;
    assertEquals(encodeValue(foreign(expression)), ours);
    const { value, plain } = copyValue(local(expression));
    assert(equalValues(decodeValue(ours), value));
    assertEquals(typeof ours === "string", plain);
  });
}

Deno.test("the copy of a value from another realm belongs to this one", () => {
  for (const expression of storable) {
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      assert(value instanceof Object, expression);
      if (value instanceof Map) return [...value].flat().forEach(walk);
      if (value instanceof Set) return [...value].forEach(walk);
      if (ArrayBuffer.isView(value)) return walk(value.buffer);
      Object.values(value).forEach(walk);
    };
    walk(copyValue(foreign(expression)).value);
  }
});

const hidden = [
  [`new Error("boom")`, "Error"],
  [`new RangeError("boom")`, "Error"],
  [`new (class MyError extends Error {})()`, "Error"],
  [`new AggregateError([])`, "Error"],
  [`/x/`, "RegExp"],
  [`Promise.resolve()`, "Promise"],
  [`new WeakMap()`, "WeakMap"],
  [`new WeakSet()`, "WeakSet"],
  [`new WeakRef({})`, "WeakRef"],
  [`new FinalizationRegistry(() => {})`, "FinalizationRegistry"],
  [`new DataView(new ArrayBuffer(1))`, "DataView"],
  [`new SharedArrayBuffer(1)`, "SharedArrayBuffer"],
  [`Object(Symbol())`, "Symbol"],
  [`(function* () {})()`, "Generator"],
  [`(async function* () {})()`, "AsyncGenerator"],
  [`[].values()`, "Array Iterator"],
  [`new Map().keys()`, "Map Iterator"],
  [`new Intl.NumberFormat("en")`, "Intl.NumberFormat"],
] as const;

const hiddenHere = [
  ...hidden,
  [
    `new (class Odd extends Error { get [Symbol.toStringTag]() { return "O" } })`,
    "Error",
  ],
  [`new DOMException("boom")`, "Error"],
  [`new Headers()`, "Headers"],
  [`new URLSearchParams("a=1")`, "URLSearchParams"],
  [`new Blob(["a"])`, "Blob"],
  [`new Response("a")`, "Response"],
  [`new AbortController().signal`, "AbortSignal"],
  [`Object.create(Date.prototype)`, "Date"],
  [`Object.create(Map.prototype)`, "Map"],
  [`new Proxy(new Date(), {})`, "Date"],
  [`new Proxy(new Map(), {})`, "Map"],
] as const;

Deno.test("an object with hidden content is rejected, whatever members it has", () => {
  const check = (value: object, type: string) => {
    for (const members of [{}, { errno: 1 }, { errno: new Date() }]) {
      assertThrows(
        () => encodeValue({ a: [Object.assign(value, members)] }),
        TypeError,
        `value.a[0] is of type ${type}, which cannot be stored`,
      );
    }
  };
  for (const [expression, type] of hidden) {
    check(foreign(expression) as object, type);
  }
  for (const [expression, type] of hiddenHere) {
    check(local(expression) as object, type);
  }
});

Deno.test("the message for an Error says how to store one", () => {
  assertThrows(
    () => encodeValue({ cause: Object.assign(new Error("x"), { code: "E" }) }),
    TypeError,
    "value.cause is of type Error, which cannot be stored: " +
      "store what you need of it, such as { name, message, stack }",
  );
});

Deno.test("a class with its own name is stored as its members", () => {
  class Money {
    constructor(readonly cents: number) {}
    get [Symbol.toStringTag]() {
      return "Money";
    }
  }
  assertEquals(encodeValue(new Money(5)), '{"cents":5}');
  assertEquals(encodeValue({ [Symbol.toStringTag]: "Map", a: 1 }), '{"a":1}');
});

Deno.test("a proxy is stored as what it shows", () => {
  assertEquals(encodeValue(new Proxy({ a: [1] }, {})), '{"a":[1]}');
  assertEquals(encodeValue(new Proxy([1, 2], {})), "[1,2]");
});

Deno.test("a buffer that was transferred is rejected by its path", () => {
  const buffer = new ArrayBuffer(8);
  const array = new Uint8Array(buffer);
  buffer.transfer();
  for (const value of [buffer, array]) {
    assertThrows(
      () => encodeValue({ a: value }),
      TypeError,
      "value.a has lost",
    );
  }
});

Deno.test("a Map with two keys that are stored as one is rejected", () => {
  assertThrows(
    () => encodeValue({ a: new Map([[1 as unknown, 1], [Object(1), 2]]) }),
    TypeError,
    "value.a has two keys that are stored as one",
  );
});

/** Runs a function while Object.prototype has more enumerable members. */
function extended(members: Record<string, unknown>, run: () => void) {
  Object.assign(Object.prototype, members);
  try {
    run();
  } finally {
    for (const name in members) {
      delete (Object.prototype as unknown as Record<string, unknown>)[name];
    }
  }
}

Deno.test("only own members count, even if Object.prototype is extended", () => {
  const inherited: Record<string, unknown>[] = [
    { extra: 1 },
    { extra: { a: 1 } },
    { extra: {}, more: {} },
    { extra: () => {} },
    { extra: new Date() },
    { a: 1 },
  ];
  for (const members of inherited) {
    extended(members, () => {
      const [a, b] = [{ a: { b: 1 } }, JSON.parse('{"a":{"b":1}}')];
      assertEquals(encodeValue(a), '{"a":{"b":1}}');
      const { value, plain } = copyValue(a);
      assert(plain);
      assert(equalValues(value, b) && equalValues(b, value));
      assertEquals(
        JSON.stringify(Object.entries(copyPlain(b))),
        '[["a",{"b":1}]]',
      );
      assertEquals(Object.keys(copyPlain(b).a), ["b"]);
      assertFalse(equalValues({}, { a: 1 }));
      assertFalse(equalValues({ a: 1 }, {}));
      assertFalse(equalValues({ a: 1, c: 2 }, { a: 1, b: 2 }));
      const rich = { a: 1n, extra: "own" };
      assert(equalValues(decodeValue(encodeValue(rich)!), rich));
      assertEquals(encodeValue({ a: undefined, b: 1 }), '{"b":1}');
    });
  }
  assert(isPlain({ a: {} }));
});

Deno.test("a member may have any name that Object.prototype has", () => {
  const names = Object.getOwnPropertyNames(Object.prototype);
  const text = `{${names.map((name) => `"${name}":[1]`).join()}}`;
  for (const value of [JSON.parse(text), foreign(`JSON.parse('${text}')`)]) {
    assertEquals(encodeValue(value), text);
    const { value: copy } = copyValue(value);
    assertEquals(JSON.stringify(copy), text);
    assertEquals(JSON.stringify(copyPlain(copy)), text);
    const rich = { ...copy as object, date: new Date(0) };
    assert(equalValues(decodeValue(encodeValue(rich)!), rich));
  }
});

Deno.test("symbols and members that are not enumerable are left out", () => {
  const value = Object.defineProperty(
    { a: 1, [Symbol("b")]: { c: 1 } },
    "hidden",
    { value: 1, enumerable: false },
  );
  assertEquals(Reflect.ownKeys(copyValue(value).value as object), ["a"]);
  assertEquals(encodeValue(value), '{"a":1}');
});
