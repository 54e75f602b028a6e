// Cases about options and prefixes that are rejected.
import type {
  KvExtendedStore,
  KvKey,
  KvListOptions,
  KvProgressOptions,
  KvStoreSetOptions,
} from "../kv/store.ts";
import { expectClass } from "./bad_keys.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expect,
  expectEntry,
  expectKeys,
  rejection,
  withCas,
} from "./expect.ts";
import { keysIn, withOperations } from "./operations.ts";
import { show } from "./show.ts";

const section = "Operations";
const line =
  "an unknown option or one of a wrong type throws a TypeError, one " +
  "out of range a RangeError, and nothing is changed";

/** The cases about options and prefixes that are rejected. */
export const operationInputCases: readonly ConformanceCase[] = [
  {
    section,
    name: "set() rejects an unknown option and names it",
    line,
    guarantees: [],
    async run({ store }) {
      await store.set(["a"], 1);
      for (const options of unknownSetOptions) {
        const what = `set(["a"], 2, ${show(options)})`;
        const call = () => store.set(["a"], 2, options);
        expectNames(await rejection(what, call), "tll", what);
      }
      const error = await rejection(
        "set() of a missing entry",
        () => store.set(["b"], 1, unknownSetOptions[0]),
      );
      expectNames(error, "tll", "set() of a missing entry");
      await expectEntry(store, ["a"], 1);
      await expectKeys(store, undefined, [["a"]]);
    },
  },
  {
    section,
    name: "cas() rejects an unknown option and names it",
    line,
    guarantees: ["cas"],
    async run(context) {
      const store = withCas(context.store);
      await store.set(["a"], 1);
      for (const options of unknownSetOptions) {
        for (const expected of [1, 2]) {
          const what = `cas(["a"], ${expected}, 3, ${show(options)})`;
          const call = () => store.cas(["a"], expected, 3, options);
          expectNames(await rejection(what, call), "tll", what);
        }
      }
      await expectEntry(store, ["a"], 1);
    },
  },
  {
    section,
    name: "list() and keys() reject wrong options",
    line,
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      await store.set(["a", "b"], 1);
      const wrong: [unknown, ErrorClass][] = [
        [{ limit: "1" }, TypeError],
        [{ limit: null }, TypeError],
        [{ limit: -1 }, RangeError],
        [{ limit: 1.5 }, RangeError],
        [{ limit: NaN }, RangeError],
        [{ after: "a" }, TypeError],
        [{ after: [] }, TypeError],
        [{ after: ["a", 1] }, TypeError],
        [{ after: ["a", "\uD800"] }, TypeError],
        [{ after: ["a", "x".repeat(8_192)] }, RangeError],
        [{ after: ["b"] }, RangeError],
        [{ reverse: 1 }, TypeError],
        [{ signal: "stop" }, TypeError],
        [{ signal: {} }, TypeError],
        [{ signal: { aborted: false } }, TypeError],
        [1, TypeError],
        ["limit", TypeError],
      ];
      for (const [options, errorClass] of wrong) {
        for (const [what, read] of reads(store, ["a"], options)) {
          expectClass(await rejection(what, read), errorClass, what);
        }
      }
      for (const [what, read] of reads(store, ["a"], { limti: 1 })) {
        expectNames(await rejection(what, read), "limti", what);
      }
      for (const [what, read] of reads(store, ["a"], { signal: {} })) {
        expectNames(await rejection(what, read), "signal", what);
      }
      const none = { limit: undefined, after: undefined, reverse: undefined };
      for (const [what, read] of reads(store, [], none)) {
        expect((await read()).length === 1, `${what} must yield the entry`);
      }
    },
  },
  {
    section,
    name: "count(), clear() and sweep() reject wrong options",
    line,
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      await store.set(["a"], 1);
      const wrong = [{ signal: 1 }, { signal: {} }, { onProgress: 1 }, 1, "a"];
      for (const options of wrong) {
        for (const [what, call] of operations(store, options)) {
          expectClass(await rejection(what, call), TypeError, what);
        }
      }
      for (const [what, call] of operations(store, { sginal: undefined })) {
        expectNames(await rejection(what, call), "sginal", what);
      }
      await expectKeys(store, undefined, [["a"]], "after rejected calls");
    },
  },
  {
    section,
    name: "keys(), count() and clear() reject an invalid prefix",
    line: "an invalid key throws a TypeError in every method",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      await store.set(["a"], 1);
      for (const bad of ["a", 1, null, {}, ["a", 1], ["\uD800"]]) {
        const prefix = bad as KvKey;
        const given = show(bad);
        const calls: [string, () => Promise<unknown>][] = [
          [`keys(${given})`, () => keysIn(store.keys(prefix))],
          [`count(${given})`, () => store.count(prefix)],
          [`clear(${given})`, () => store.clear(prefix)],
        ];
        for (const [what, call] of calls) {
          const error = await rejection(what, async () => await call());
          expectClass(error, TypeError, what);
        }
      }
      await expectKeys(store, undefined, [["a"]], "after rejected calls");
    },
  },
];

type ErrorClass = typeof TypeError | typeof RangeError;

const unknownSetOptions = [
  { tll: 5 },
  { ttl: 60_000, tll: undefined },
] as unknown as readonly KvStoreSetOptions[];

/** The reading of both streams, which may throw at once. */
function reads(
  store: KvExtendedStore,
  prefix: KvKey | readonly [],
  wrong: unknown,
): [what: string, read: () => Promise<KvKey[]>][] {
  const options = wrong as KvListOptions;
  const given = `(${show(prefix)}, ${show(wrong)})`;
  return [
    [`list${given}`, async () => await keysIn(store.list(prefix, options))],
    [`keys${given}`, async () => await keysIn(store.keys(prefix, options))],
  ];
}

function operations(
  store: KvExtendedStore,
  wrong: unknown,
): [what: string, call: () => Promise<number>][] {
  const options = wrong as KvProgressOptions;
  return [
    [`count([], ${show(wrong)})`, () => store.count([], options)],
    [`clear([], ${show(wrong)})`, () => store.clear([], options)],
    [`sweep(${show(wrong)})`, () => store.sweep(options)],
  ];
}

function expectNames(error: Error, option: string, what: string): void {
  expectClass(error, TypeError, what);
  expect(
    error.message.includes(option),
    `the message of ${what} must name "${option}": ${show(error.message)}`,
  );
}
