// Cases about when cas() swaps.
import type { KvKey } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expectEntry,
  expectKeys,
  expectSame,
  inWaves,
  withCas,
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
  stringSamples,
  viewSamples,
} from "./samples.ts";
import { show } from "./show.ts";

const section = "Compare-and-swap";
const guarantees = ["cas"] as const;
const byContent = "equality is by content: object member order does not " +
  "matter; NaN equals NaN; Date, Map, Set and bytes compare by content";
const key: KvKey = ["a"];

/** The cases about when a swap is made. */
export const casCases: readonly ConformanceCase[] = [
  {
    section,
    name: "cas() creates an entry only if it is absent",
    line: "cas(k, undefined, v) creates only if absent",
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      expectSame(await store.cas(key, undefined, 1), true, "the first cas()");
      expectSame(await store.cas(key, undefined, 2), false, "the second cas()");
      await expectEntry(store, key, 1);
      await store.delete(key);
      expectSame(await store.cas(key, undefined, 3), true, "after delete()");
      await expectEntry(store, key, 3);
    },
  },
  {
    section,
    name: "cas() swaps only a value that equals the expected one",
    line: "cas writes if, and only if, the value equals the expected one",
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      expectSame(await store.cas(key, 1, 2), false, "cas() of a missing key");
      await expectEntry(store, key, undefined, "after a failed cas()");
      await store.set(key, 1);
      expectSame(await store.cas(key, 2, 3), false, "cas() of another value");
      await expectEntry(store, key, 1, "after a failed cas()");
      expectSame(await store.cas(key, 1, 2), true, "cas() of the value");
      await expectEntry(store, key, 2);
      expectSame(await store.cas(key, 1, 3), false, "cas() of the old value");
      expectSame(await store.cas(key, 2, 2), true, "cas() to the same value");
      await expectKeys(store, undefined, [key]);
    },
  },
  {
    section,
    name:
      "cas() to undefined deletes only an entry that equals the expected one",
    line: "cas(k, v, undefined) deletes only if equal",
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      await store.set(key, { a: 1 });
      expectSame(await store.cas(key, { a: 2 }, undefined), false, "cas()");
      await expectEntry(store, key, { a: 1 }, "after a failed cas()");
      expectSame(await store.cas(key, { a: 1 }, undefined), true, "cas()");
      await expectEntry(store, key, undefined);
      await expectKeys(store, undefined, []);
      expectSame(
        await store.cas(key, { a: 1 }, undefined),
        false,
        "cas() of what is deleted",
      );
      expectSame(await store.cas(key, undefined, 1), true, "cas() to create");
    },
  },
  {
    section,
    name: "cas() from undefined to undefined tells whether the entry is absent",
    line: "undefined means no entry, on both sides",
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      expectSame(await store.cas(key, undefined, undefined), true, "cas()");
      await expectKeys(store, undefined, []);
      await store.set(key, 1);
      expectSame(await store.cas(key, undefined, undefined), false, "cas()");
      await expectEntry(store, key, 1);
    },
  },
  {
    section,
    name: "cas() distinguishes null from a missing entry",
    line: "null is a value, different from a missing key",
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      expectSame(
        await store.cas(key, null, 1),
        false,
        "cas() of a missing key",
      );
      await expectEntry(store, key, undefined);
      expectSame(await store.cas(key, undefined, null), true, "cas() to null");
      await expectEntry(store, key, null);
      expectSame(await store.cas(key, undefined, 1), false, "cas() over null");
      expectSame(await store.cas(key, null, 1), true, "cas() of null");
      await expectEntry(store, key, 1);
    },
  },
  {
    section,
    name: "cas() recognizes equal values of every type",
    line: byContent,
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      // Each call makes its own samples, so that nothing is the same object.
      const [stored, expected] = [samples(), samples()];
      await inWaves(stored, async ({ value }, i) => {
        const key: KvKey = ["any", `${i}`];
        await store.set(key, value);
        const swaps = [
          await store.cas(key, expected[i]!.value, [value]),
          await store.cas(key, [expected[i]!.expected], undefined),
        ];
        expectSame(
          swaps,
          [true, true],
          `cas() of ${show(value)}, and in array`,
        );
      });
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name: "cas() ignores the order of object members",
    line: byContent,
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      const pairs: [stored: unknown, expected: unknown][] = [
        [{ a: 1, b: 2 }, { b: 2, a: 1 }],
        [{ a: { b: 1, c: [{ d: 1, e: 2 }] }, f: 3 }, {
          f: 3,
          a: { c: [{ e: 2, d: 1 }], b: 1 },
        }],
        [{ a: 1n, b: new Date(2) }, { b: new Date(2), a: 1n }],
        [new Map([["a", { b: 1, c: 2 }]]), new Map([["a", { c: 2, b: 1 }]])],
        [{ a: 1, b: undefined }, { a: 1 }],
        [{ a: 1 }, { b: undefined, a: 1 }],
        [{ a: -0 }, { a: 0 }],
        [{ at: new URL("http://a/") }, { at: "http://a/" }],
        [{ at: "http://a/" }, { at: new URL("http://a/") }],
      ];
      for (const [stored, expected] of pairs) {
        const what = `cas() of ${show(stored)} expecting ${show(expected)}`;
        await store.set(key, stored);
        expectSame(await store.cas(key, expected, 1), true, what);
        await expectEntry(store, key, 1, `after ${what}`);
      }
    },
  },
  {
    section,
    name: "cas() ignores the order of Map and Set entries",
    line: byContent,
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      await store.set(key, new Map([["a", 1], ["b", 2]]));
      expectSame(
        await store.cas(key, new Map([["b", 2], ["a", 1]]), 1),
        true,
        "cas() of a Map",
      );
      await store.set(key, new Set([1, "b", { c: 1, d: 2 }]));
      expectSame(
        await store.cas(key, new Set([{ d: 2, c: 1 }, "b", 1]), 1),
        true,
        "cas() of a Set",
      );
    },
  },
  {
    section,
    name: "cas() distinguishes values that only look equal",
    line: byContent,
    guarantees,
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      for (const group of lookalikes()) {
        for (const [i, stored] of group.entries()) {
          await store.set(key, stored);
          for (const expected of group.filter((_, j) => j !== i)) {
            const what = `cas() of ${show(stored)} expecting ${show(expected)}`;
            expectSame(await store.cas(key, expected, "swapped"), false, what);
          }
          await expectEntry(store, key, stored, "after failed cas()");
        }
      }
    },
  },
];

function samples() {
  return [
    ...jsonSamples,
    ...stringSamples,
    ...memberSamples,
    ...numberSamples,
    ...notFiniteSamples,
    ...bigintSamples,
    ...dateSamples,
    ...collectionSamples,
    ...byteSamples(),
    ...viewSamples(),
    ...same(null, [undefined, 1], [[undefined]]),
  ];
}

function lookalikes(): unknown[][] {
  const bytes = [0, 0, 0, 0];
  return [
    [1, "1", 1n, true, [1], new Date(1), new Set([1])],
    [0, "", false, null, "0", [], {}, 0n, NaN],
    [null, NaN, [], "null", {}, new Date(NaN), "undefined"],
    [{ a: 1 }, { a: "1" }, { a: 1n }, { A: 1 }, { a: 1, b: 1 }, {
      a: { a: 1 },
    }],
    [{ a: null }, {}, { b: null }, { a: NaN }, [null]],
    [[1, 2], [2, 1], [1, 2, null], [1, 2, undefined], { 0: 1, 1: 2 }, [1]],
    [[undefined], [null], [NaN], [], [[]]],
    ["a", "A", "a ", "\u00E5", "a\u030A", "a\0"],
    ["\uD800", "\uD801", "\uFFFD", "\uDC00"],
    [new Date(5), 5, new Date(5).toJSON(), new Date(6), { date: 5 }],
    [new Map(), new Set(), {}, [], new Map([[1, 1]])],
    [new Map([["a", 1]]), { a: 1 }, [["a", 1]], new Map([["a", 2]])],
    [new Map<unknown, unknown>([[1, 1]]), new Map([["1", 1]])],
    [new Set([1, 2]), [1, 2], new Set([1]), new Set([1, "2"])],
    [
      new Uint8Array(bytes),
      new Int8Array(bytes),
      new Uint8ClampedArray(bytes),
      new Uint16Array(2),
      new Uint8Array(bytes).buffer,
      bytes,
      new Uint8Array(3),
      new Uint8Array([0, 0, 0, 1]),
    ],
    [2 ** 53, 2n ** 53n, 2 ** 53 + 2, `${2 ** 53}`],
    [JSON.parse('{"__proto__":{"a":1}}'), {}, { a: 1 }],
  ];
}
