// Cases about keys that every method rejects.
import type { KvKey, KvStore } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  collect,
  expect,
  expectEntry,
  expectKeys,
  rejection,
} from "./expect.ts";
import { show } from "./show.ts";

const section = "Keys";

/** The cases about keys that are refused. */
export const badKeyCases: readonly ConformanceCase[] = [
  {
    section,
    name: "every method rejects an empty key",
    line: "an empty sequence throws a TypeError in every method",
    guarantees: [],
    async run({ store }) {
      for (const [what, call] of calls(store, [])) {
        expectClass(await rejection(what, call), TypeError, what);
      }
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name: "every method rejects a key that is not an array",
    line: "a key has one or more parts; anything else throws a TypeError",
    guarantees: [],
    async run({ store }) {
      const keys = ["a", 1, null, {}, new Set(["a"]), { 0: "a", length: 1 }];
      for (const key of keys) {
        for (const [what, call] of [...calls(store, key), list(store, key)]) {
          expectClass(await rejection(what, call), TypeError, what);
        }
      }
      for (const [what, call] of calls(store, undefined)) {
        expectClass(await rejection(what, call), TypeError, what);
      }
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name: "every method rejects a part that is not a string and names the part",
    line: "a part that is not a string throws a TypeError that names the part",
    guarantees: [],
    async run({ store }) {
      const parts = [1, null, undefined, true, 1n, ["b"], { b: 1 }];
      for (const part of [...parts, new Uint8Array([1]), new String("b")]) {
        await expectNamedPart(store, ["a", part], 1);
        await expectNamedPart(store, ["a", "b", "c", part, "d"], 3);
      }
      await expectNamedPart(store, [Symbol("b")], 0);
      await expectNamedPart(store, Array(1), 0);
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name:
      "every method rejects a part with a lone surrogate and names the part",
    line: "a part with a lone surrogate throws a TypeError that names the part",
    guarantees: [],
    async run({ store }) {
      for (const part of ["\uD800", "b\uDFFF", "\uDC00\uD800", "\uD83Dx"]) {
        await expectNamedPart(store, ["a", part], 1);
      }
      await expectNamedPart(store, ["a", "b", "\uDBFF", "c"], 2);
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name: "a call with an invalid key leaves existing entries in place",
    line: "a rejected call changed nothing",
    guarantees: [],
    async run({ store }) {
      await store.set(["a"], 1);
      await store.set(["a", "1"], 2);
      await store.set(["\uFFFD"], 3);
      for (const key of [[], ["a", 1], ["\uD800"], "a"]) {
        for (const [what, call] of calls(store, key)) {
          await rejection(what, call);
        }
      }
      await expectEntry(store, ["a"], 1);
      await expectEntry(store, ["a", "1"], 2);
      await expectEntry(store, ["\uFFFD"], 3);
    },
  },
];

type Call = readonly [what: string, call: () => Promise<unknown>];

/** The calls of every method that takes a key, with an invalid key. */
export function calls(store: KvStore, badKey: unknown): Call[] {
  const key = badKey as KvKey;
  const shown = show(badKey);
  const made: Call[] = [
    [`get(${shown})`, () => store.get(key)],
    [`set(${shown}, 1)`, () => store.set(key, 1)],
    [`set(${shown}, undefined)`, () => store.set(key, undefined)],
    [`delete(${shown})`, () => store.delete(key)],
  ];
  if (store.cas) {
    made.push([
      `cas(${shown}, undefined, 1)`,
      () => store.cas!(key, undefined, 1),
    ]);
  }
  return made;
}

/** The reading of a list; it may throw at once, as it returns no promise. */
export function list(store: KvStore, badPrefix: unknown): Call {
  return [
    `list(${show(badPrefix)})`,
    async () => await collect(store.list(badPrefix as KvKey)),
  ];
}

/** Fails unless the error is of the class. */
export function expectClass(
  error: Error,
  errorClass: typeof TypeError | typeof RangeError,
  what: string,
): void {
  expect(
    error instanceof errorClass,
    `${what} must reject with a ${errorClass.name}, and rejected with ${
      show(error)
    }`,
  );
}

async function expectNamedPart(store: KvStore, key: unknown, index: number) {
  for (const [what, call] of [...calls(store, key), list(store, key)]) {
    const error = await rejection(what, call);
    expectClass(error, TypeError, what);
    expect(
      new RegExp(`\\b${index}\\b`).test(error.message),
      `the message of ${what} must name part ${index}: ${show(error.message)}`,
    );
  }
}
