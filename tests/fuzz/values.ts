// Values as specifications: each builds fresh values, and says what to expect.
import fc from "fast-check";

/** A value, described so that it can be built again and printed. */
export type Spec =
  | { type: "json"; value: null | boolean | number | string }
  | { type: "bigint"; value: bigint }
  | { type: "date"; time: number; subclass: boolean }
  | { type: "bytes"; of: ByteType; bytes: number[]; view: boolean }
  | { type: "url"; path: string }
  | { type: "long"; text: string; times: number }
  | { type: "array"; items: Item[] }
  | { type: "twice"; item: Spec }
  | { type: "object"; members: [string, Item][]; form: ObjectForm }
  | { type: "map"; entries: [Spec, Spec][] }
  | { type: "set"; items: Spec[] };

type Item = Spec | { type: "undefined" };
type ObjectForm = "plain" | "class" | "null prototype" | "toJSON";
type ByteType = keyof typeof byteTypes;

const byteTypes = {
  ArrayBuffer,
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
};

class Instance {
  own = 1;
}

class Day extends Date {}

/** Builds the value to store. */
export function build(spec: Item): unknown {
  switch (spec.type) {
    case "undefined":
      return undefined;
    case "json":
    case "bigint":
      return spec.value;
    case "date":
      return spec.subclass ? new Day(spec.time) : new Date(spec.time);
    case "bytes":
      return buildBytes(spec);
    case "url":
      return new URL(`https://example.com/${encodeURIComponent(spec.path)}`);
    case "long":
      return spec.text.repeat(spec.times);
    case "array":
      return spec.items.map(build);
    case "twice": {
      const item = build(spec.item);
      return [item, { item }];
    }
    case "object":
      return buildObject(spec.members, spec.form, build);
    case "map":
      return new Map(spec.entries.map(([k, v]) => [build(k), build(v)]));
    case "set":
      return new Set(spec.items.map(build));
  }
}

/** What the store must return for the value. */
export function expected(spec: Item): unknown {
  switch (spec.type) {
    case "json":
      return spec.value === 0 ? 0 : spec.value;
    case "date":
      return new Date(spec.time);
    case "bytes":
      return buildBytes({ ...spec, view: false });
    case "url":
      return (build(spec) as URL).href;
    case "array":
      return spec.items.map(expected);
    case "twice":
      return [expected(spec.item), { item: expected(spec.item) }];
    case "object":
      return buildObject(
        [...new Map(spec.members)].filter(([, item]) =>
          item.type !== "undefined"
        ),
        spec.form === "class" ? "instance members" : "plain",
        expected,
      );
    case "map":
      return new Map(spec.entries.map(([k, v]) => [expected(k), expected(v)]));
    case "set":
      return new Set(spec.items.map(expected));
    default:
      return build(spec);
  }
}

/** The same content in another order of members, entries and items. */
export function reordered(spec: Item): Item {
  switch (spec.type) {
    case "array":
      return { ...spec, items: spec.items.map(reordered) };
    case "twice":
      return { ...spec, item: reordered(spec.item) as Spec };
    case "object": {
      const last = new Map(spec.members);
      const members = [...last].map(([name, item]): [string, Item] => [
        name,
        reordered(item),
      ]);
      return { ...spec, members: members.reverse() };
    }
    case "map":
      return {
        ...spec,
        entries: [...firstPlaces(spec.entries)].reverse(),
      };
    case "set":
      return { ...spec, items: spec.items.toReversed() };
    default:
      return spec;
  }
}

/** Of the entries with an equal primitive key, the last, as a `Map` keeps it. */
function firstPlaces(entries: [Spec, Spec][]): [Spec, Spec][] {
  const map = new Map<unknown, [Spec, Spec]>();
  for (const entry of entries) map.set(build(entry[0]), entry);
  return [...map.values()];
}

/** Changes everything that can be changed in a value. */
export function vandalize(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Date) value.setTime(1);
  else if (value instanceof Map || value instanceof Set) {
    for (const item of value.values()) vandalize(item);
    value.clear();
  } else if (value instanceof ArrayBuffer) new Uint8Array(value).fill(7);
  else if (ArrayBuffer.isView(value)) {
    new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(7);
  } else {
    for (const name of Object.keys(value)) {
      vandalize(Reflect.get(value, name));
      Reflect.set(value, name, "vandalized");
    }
    Reflect.set(value, "added", "vandalized");
  }
}

function buildBytes(
  { of, bytes, view }: { of: ByteType; bytes: number[]; view: boolean },
): unknown {
  if (of === "ArrayBuffer") return new Uint8Array(bytes).buffer;
  const Type = byteTypes[of];
  const size = Type.BYTES_PER_ELEMENT;
  const length = Math.floor(bytes.length / size);
  const offset = view ? 8 : 0;
  const buffer = new ArrayBuffer(offset + length * size + (view ? 8 : 0));
  new Uint8Array(buffer).fill(5);
  new Uint8Array(buffer, offset).set(bytes.slice(0, length * size));
  return new Type(buffer, offset, length);
}

function buildObject(
  members: [string, Item][],
  form: ObjectForm | "instance members",
  item: (item: Item) => unknown,
): object {
  const object: object = form === "class"
    ? new Instance()
    : form === "null prototype"
    ? Object.create(null)
    : form === "instance members"
    ? { own: 1 }
    : {};
  for (const [name, member] of members) {
    Object.defineProperty(object, name, {
      value: item(member),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  if (form !== "toJSON") return object;
  return new class {
    hidden = 1;
    toJSON() {
      return object;
    }
  }();
}

/** Strings of any code units, lone surrogates included. */
const anyString = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.integer({ min: 0xd7ff, max: 0xe001 }), {
      maxLength: 4,
    }).map((units) => String.fromCharCode(...units)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\0", "null", "[1]", "\xD9\xD9\xF7\x01", "1n"),
  },
);

const memberName = fc.oneof(
  anyString,
  fc.constantFrom("a", "b", "__proto__", "constructor", "then", "0", "1"),
);

const time = fc.oneof(
  fc.integer(),
  fc.constantFrom(NaN, 8.64e15, -8.64e15, 1_700_000_000_123),
);

const leaf: fc.Arbitrary<Spec> = fc.oneof(
  fc.oneof(
    fc.constantFrom(null, true, false, 0, -0, NaN, Infinity, -Infinity),
    fc.integer(),
    fc.double(),
    anyString,
  ).map((value): Spec => ({ type: "json", value })),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((value): Spec => ({
    type: "bigint",
    value,
  })),
  fc.record({
    type: fc.constant("date" as const),
    time,
    subclass: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("bytes" as const),
    of: fc.constantFrom(...Object.keys(byteTypes) as ByteType[]),
    bytes: fc.array(fc.nat(255), { maxLength: 24 }),
    view: fc.boolean(),
  }),
);

const url: fc.Arbitrary<Spec> = fc.string({ maxLength: 4 }).map((path) => ({
  type: "url",
  path,
}));

/** Past the limits of Deno KV (64 KiB) and of a chunk, but seldom. */
const long: fc.Arbitrary<Spec> = fc.record({
  type: fc.constant("long" as const),
  text: fc.constantFrom("x", "é\0", "\uD800", '"'),
  times: fc.constantFrom(1_000, 33_000, 66_000, 140_000),
});

const { any } = fc.letrec<{ any: Spec; item: Item; compound: Spec }>(
  (tie) => ({
    any: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 6, arbitrary: leaf },
      { weight: 1, arbitrary: url },
      { weight: 5, arbitrary: tie("compound") },
    ),
    item: fc.oneof(
      { weight: 6, arbitrary: tie("any") },
      { weight: 1, arbitrary: fc.constant<Item>({ type: "undefined" }) },
    ),
    compound: fc.oneof(
      fc.record({
        type: fc.constant("array" as const),
        items: fc.array(tie("item"), { maxLength: 4 }),
      }),
      fc.record({ type: fc.constant("twice" as const), item: tie("any") }),
      fc.record({
        type: fc.constant("object" as const),
        members: fc.array(fc.tuple(memberName, tie("item")), { maxLength: 5 }),
        form: fc.constantFrom<ObjectForm>(
          "plain",
          "plain",
          "class",
          "null prototype",
          "toJSON",
        ),
      }),
      fc.record({
        type: fc.constant("map" as const),
        // A URL as a key could become the text that another key is.
        entries: fc.array(fc.tuple(leaf, tie("any")), { maxLength: 4 }),
      }),
      fc.record({
        type: fc.constant("set" as const),
        items: fc.array(leaf, { maxLength: 4 }),
      }),
    ),
  }),
);

/** Any value that the contract allows. */
export const specs: fc.Arbitrary<Spec> = fc.oneof(
  { weight: 40, arbitrary: any },
  { weight: 1, arbitrary: long },
);
