// Cases about the order in which list() yields entries.
import type { KvKey } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import { expect, expectSame, inWaves, keysOf } from "./expect.ts";
import { escapedKeys, hostilePairs } from "./keys.ts";
import { manyKeys } from "./list.ts";
import { compareKeys, shuffled } from "./order.ts";
import { show } from "./show.ts";

const section = "List";
const guarantees = ["order"] as const;
const line = "entries come in key order: part by part, each by Unicode code " +
  "point; a shorter key before the longer ones that it starts";

/** The cases about the order in which list() yields entries. */
export const listOrderCases: readonly ConformanceCase[] = [
  {
    section,
    name: "list() yields keys in code point order and shorter keys first",
    line,
    guarantees,
    async run({ store }) {
      const keys: KvKey[] = [
        ...[[""], ["", ""], ["", "z"], ["\0"], ["\0", "z"], ["\0\0"]] as const,
        ...[["\0\x01"], ["\x01"], ["\x01\0"], [" "], ["!"], ['"']] as const,
        ...[["#"], ["10"], ["9"], ["A"], ["B"], ["a"], ["a", ""]] as const,
        ...[["a", "\0"], ["a", "!"], ["a", "b"], ["a", "b", "c"]] as const,
        ...[["a", "c"], ["a\0"], ["a\0", "b"], ["a\x01"], ["a "]] as const,
        ...[["a!"], ["aa"], ["b"], ["e\u0301"], ["z"], ["\x7F"]] as const,
        ...[["\x80"], ["\xE9"], ["\u07FF"], ["\u0800"], ["\uD7FF"]] as const,
        ...[["\uE000"], ["\uFFFD"], ["\uFFFF"], ["\uFFFF\u{10000}"]] as const,
        ...[["\u{10000}"], ["😀"], ["\u{10FFFF}"]] as const,
        ...[["\u{10FFFF}", "a"], ["\u{10FFFF}\u{10FFFF}"]] as const,
      ];
      await inWaves(shuffled(keys), (key) => store.set(key, 1));
      expectSame(await keysOf(store), keys, "keys of list()");
      await inWaves(shuffled(keys), (key) => store.set(["under", ...key], 1));
      expectSame(
        await keysOf(store, ["under"]),
        keys.map((key): KvKey => ["under", ...key]),
        'keys of list(["under"])',
      );
    },
  },
  {
    section,
    name: "list() yields hostile keys in key order",
    line,
    guarantees,
    async run({ store }) {
      for (const keys of [hostilePairs(), escapedKeys()]) {
        const under = keys.map((key): KvKey => [`${keys.length}`, ...key]);
        await inWaves(shuffled(under), (key) => store.set(key, 1));
        expectSame(
          await keysOf(store, [`${keys.length}`]),
          under.toSorted(compareKeys),
          `keys of ${keys.length} entries`,
        );
      }
    },
  },
  {
    section,
    name: "list() yields 2,600 entries in key order",
    line,
    guarantees,
    async run({ store }) {
      const keys = manyKeys(2_600);
      await inWaves(shuffled(keys), (key) => store.set(key, 1));
      expectSame(await keysOf(store), keys, "keys of list()");
    },
  },
  {
    section,
    name: "list() keeps short keys in order among long keys",
    line: "entries come in key order; keys stored under a digest come last " +
      "among those that share their leading parts",
    guarantees,
    async run({ store }) {
      const long: KvKey[] = [["b", "x".repeat(5_000)], ["x".repeat(5_000)]];
      const short: KvKey[] = [
        ...[["a"], ["b"], ["b", ""], ["b", "x"], ["b", "y"]] as const,
        ...[["b", "\u{10FFFF}"], ["c"], ["x"], ["\u{10FFFF}"]] as const,
      ];
      await inWaves(shuffled([...long, ...short]), (key) => store.set(key, 1));
      // Where the long ones come depends on the driver's own limit.
      const listed = await keysOf(store);
      expectSame(
        listed.filter((key) => key.join("").length < 100),
        short,
        "the short keys of list()",
      );
      expectSame(listed.length, short.length + long.length, "keys of list()");
      const under = await keysOf(store, ["b"]);
      expectSame(
        under.filter((key) => key.join("").length < 100),
        short.filter(([first]) => first === "b"),
        'the short keys of list(["b"])',
      );
    },
  },
  {
    section,
    name: "list() stays in key order while entries are added and deleted",
    line,
    guarantees: ["order", "stable-list"],
    async run({ store }) {
      const keys = manyKeys(1_200);
      await inWaves(keys, (key) => store.set(key, 1));
      let last: KvKey | undefined;
      let count = 0;
      for await (const { key } of store.list()) {
        expect(
          last === undefined || compareKeys(last, key) < 0,
          `list() must not yield ${show(key)} after ${show(last)}`,
        );
        last = key;
        if (++count % 100 !== 0) continue;
        const before: KvKey = ["many", "", key[1]!];
        const after: KvKey = ["many", key[1]!, "x"];
        await inWaves([before, after], (each) => store.set(each, 1));
        await store.delete(key);
        await store.set(key, 2);
      }
    },
  },
];
