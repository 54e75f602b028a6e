// Cases about values that get() must return unchanged.
import type { KvKey, KvStore } from "../kv/store.ts";
import type { ConformanceCase, ConformanceContext } from "./case.ts";
import {
  collect,
  expectEntry,
  expectKeys,
  expectSame,
  inWaves,
} from "./expect.ts";
import {
  bigintSamples,
  byteSamples,
  collectionSamples,
  dateSamples,
  jsonSamples,
  memberSamples,
  notFiniteSamples,
  numberSamples,
  same,
  type Sample,
  stringSamples,
  viewSamples,
} from "./samples.ts";
import { show } from "./show.ts";

const section = "Values";
const guarantees = [] as const;
const line = "every driver returns an equal value of the same type, nested " +
  "anywhere";

/** The cases about values that get() must return unchanged. */
export const valueCases: readonly ConformanceCase[] = [
  {
    section,
    name: "get() returns JSON values unchanged",
    line,
    guarantees,
    run: (context) => roundTrip(context, jsonSamples),
  },
  {
    section,
    name: "null is a value",
    line: "null is a value, different from a missing key",
    guarantees,
    async run(context) {
      const { store } = context;
      await expectEntry(store, ["a"], undefined, "of a missing key");
      await store.set(["a"], null);
      await expectEntry(store, ["a"], null);
      await expectKeys(store, ["a"], [["a"]]);
      await roundTrip(context, same(null));
    },
  },
  {
    section,
    name: "set() with undefined deletes the entry",
    line: "undefined means no entry: set(k, undefined) deletes",
    guarantees,
    async run({ store }) {
      await store.set(["a"], 1);
      await store.set(["a"], undefined);
      await store.set(["b"], undefined);
      await expectEntry(store, ["a"], undefined);
      await expectEntry(store, ["b"], undefined);
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name: "delete() deletes an entry and ignores a missing one",
    line: "undefined means no entry",
    guarantees,
    async run({ store }) {
      await store.set(["a"], 1);
      expectSame(await store.delete(["a"]), undefined, "delete()");
      expectSame(await store.delete(["a"]), undefined, "a second delete()");
      await expectEntry(store, ["a"], undefined);
      await expectKeys(store, undefined, []);
      expectSame(await store.set(["a"], 2), undefined, "set()");
      await expectEntry(store, ["a"], 2, "after it was set again");
    },
  },
  {
    section,
    name: "get() returns strings with NUL and lone surrogates unchanged",
    line,
    guarantees,
    run: (context) => roundTrip(context, stringSamples),
  },
  {
    section,
    name: "get() returns object members with any name",
    line,
    guarantees,
    run: (context) => roundTrip(context, memberSamples),
  },
  {
    section,
    name: "get() returns large and small numbers unchanged",
    line,
    guarantees,
    run: (context) => roundTrip(context, numberSamples),
  },
  {
    section,
    name: "get() returns NaN and the infinities",
    line,
    guarantees,
    run: (context) => roundTrip(context, notFiniteSamples),
  },
  {
    section,
    name: "-0 becomes 0",
    line: "-0 becomes 0",
    guarantees,
    run: (context) => roundTrip(context, [{ value: -0, expected: 0 }]),
  },
  {
    section,
    name: "get() returns bigints of any size",
    line,
    guarantees,
    run: (context) => roundTrip(context, bigintSamples),
  },
  {
    section,
    name: "get() returns dates as dates",
    line,
    guarantees,
    run: (context) => roundTrip(context, dateSamples),
  },
  {
    section,
    name: "get() returns maps and sets in their order",
    line,
    guarantees,
    run: (context) => roundTrip(context, collectionSamples),
  },
  {
    section,
    name: "get() returns buffers and typed arrays with their types",
    line,
    guarantees,
    run: (context) => roundTrip(context, byteSamples()),
  },
  {
    section,
    name: "get() returns only the viewed part of a buffer",
    line,
    guarantees,
    run: (context) => roundTrip(context, viewSamples()),
  },
  {
    section,
    name: "get() returns undefined inside arrays",
    line: "undefined inside arrays is returned as undefined",
    guarantees,
    run: (context) =>
      roundTrip(context, [
        ...same([undefined], [1, undefined, null], [[undefined, undefined]]),
        // deno-lint-ignore no-sparse-arrays
        { value: [1, , 3], expected: [1, undefined, 3] },
      ]),
  },
  {
    section,
    name: "set() drops an object member that is undefined",
    line: "an object member whose value is undefined is dropped",
    guarantees,
    run: (context) =>
      roundTrip(context, [
        { value: { a: undefined }, expected: {} },
        { value: { a: 1, b: undefined }, expected: { a: 1 } },
        {
          value: { a: 1n, b: undefined, c: [undefined, { d: undefined }] },
          expected: { a: 1n, c: [undefined, {}] },
        },
      ]),
  },
  {
    section,
    name: "set() stores what toJSON() returns",
    line: "an object with toJSON is stored as what toJSON returns",
    guarantees,
    run: (context) => roundTrip(context, toJsonSamples()),
  },
  {
    section,
    name: "set() stores a class instance as a plain object",
    line: "a class instance becomes a plain object",
    guarantees,
    run: (context) => roundTrip(context, instanceSamples()),
  },
  {
    section,
    name: "get() returns deeply nested values",
    line,
    guarantees,
    async run(context) {
      let arrays: unknown = 1;
      let members: unknown = new Date(1);
      for (let depth = 0; depth < 200; depth++) {
        arrays = [arrays];
        members = { a: members };
      }
      await roundTrip(context, same(arrays, members));
    },
  },
  {
    section,
    name: "set() accepts the same object twice in a value",
    line: "only a cycle throws a TypeError",
    guarantees,
    async run(context) {
      const shared = { a: [1] };
      const date = new Date(1);
      await roundTrip(
        context,
        same([shared, shared], { b: shared, c: { d: shared.a } }, [date, date]),
      );
    },
  },
  {
    section,
    name: "set() replaces a value with one of another type",
    line: "set replaces whatever the entry was",
    guarantees,
    async run({ store }) {
      const values = [1, new Map([[1, 2]]), "a", null, [1n], { a: 1 }, 1n];
      for (const value of [...values, new Uint8Array(3), [], false]) {
        await store.set(["a"], value);
        await expectEntry(store, ["a"], value);
      }
      await expectKeys(store, undefined, [["a"]]);
    },
  },
];

function toJsonSamples(): Sample[] {
  const { Temporal } = globalThis as {
    Temporal?: { Duration: { from(text: string): unknown } };
  };
  return [
    { value: new URL("http://a/b?c"), expected: "http://a/b?c" },
    {
      value: { toJSON: () => ({ a: new Map([[1, 2]]) }) },
      expected: {
        a: new Map([[1, 2]]),
      },
    },
    {
      value: { toJSON: () => [undefined, { b: undefined }] },
      expected: [
        undefined,
        {},
      ],
    },
    ...(Temporal
      ? [{ value: Temporal.Duration.from("PT5S"), expected: "PT5S" }]
      : []),
  ];
}

function instanceSamples(): Sample[] {
  class Point {
    #hidden = 1;
    x = 1;
    y = { at: new Date(this.#hidden) };
    get sum() {
      return this.x + this.#hidden;
    }
  }
  const bare = Object.assign(Object.create(null), { a: 1 });
  return [
    { value: new Point(), expected: { x: 1, y: { at: new Date(1) } } },
    { value: bare, expected: { a: 1 } },
  ];
}

/** Writes each sample alone and nested, and reads it back in every way. */
async function roundTrip(
  { store, peer }: ConformanceContext,
  samples: readonly Sample[],
): Promise<void> {
  const entries = samples.flatMap((sample, i) =>
    nested(sample).map((form, j) => ({ ...form, key: keyOf(i, j) }))
  );
  await inWaves(entries, ({ key, value }) => store.set(key, value));
  await read(store, "");
  const other = await peer();
  if (other !== store) await read(other, "by another client");

  async function read(from: KvStore, by: string) {
    await inWaves(
      entries,
      ({ key, expected }) =>
        expectEntry(from, key, expected, `${by} of ${show(expected)}`),
    );
    const listed = await collect(from.list(["value"]));
    const values = new Map(
      listed.map(({ key, value }) => [JSON.stringify(key), value]),
    );
    for (const { key, expected } of entries) {
      expectSame(
        values.get(JSON.stringify(key)),
        expected,
        `list() ${by} of ${show(expected)}`,
      );
    }
  }
}

function keyOf(sample: number, form: number): KvKey {
  return ["value", `${sample}`, `${form}`];
}

const nestings: readonly ((value: unknown) => unknown)[] = [
  (value) => value,
  (value) => [value],
  (value) => ({ a: { b: value } }),
  // Beside what JSON cannot hold, a value takes the richer encoding.
  (value) => [undefined, value, { c: value }],
  (value) => new Map([["k", value]]),
  (value) => new Map([[value, "v"]]),
  (value) => new Set([value]),
];

function nested({ value, expected }: Sample): Sample[] {
  return nestings.map((nest) => ({
    value: nest(value),
    expected: nest(expected),
  }));
}
