// Cases about which keys are equal and which are not.
import type { KvKey } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import { expectEntries, expectEntry, expectKeys, inWaves } from "./expect.ts";
import { shuffled } from "./order.ts";

/** Parts that break separators, patterns, escapes, quoting and UTF-16 order. */
export const hostileParts: readonly string[] = [
  ..."/*[]?%_\"'\\\n\r\t\0\x01\x02! #{}",
  ...["", ":", "::", "a:b", "{a}", "a", "aa", "A", "0", "01", ".", ".."],
  ...["\uFEFF", "\uE000", "\uFFFF", "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}", "😀"],
  ...["\u00E9", "e\u0301", "__proto__", "constructor"],
];

const section = "Keys";

/** The cases about which keys are the same, and which are not. */
export const keyCases: readonly ConformanceCase[] = [
  {
    section,
    name: "every pair of hostile parts is a separate key",
    line: "two different sequences of parts are always two different keys",
    guarantees: [],
    async run({ store }) {
      const keys = hostilePairs();
      await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
      await inWaves(keys, (key) => expectEntry(store, key, { is: key }));
    },
  },
  {
    section,
    name:
      "list() yields every pair of hostile parts exactly under its prefixes",
    line:
      "list yields the entries whose key starts with the prefix, compared " +
      "part by part and literally",
    guarantees: [],
    async run({ store }) {
      const keys = hostilePairs();
      await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
      await expectEntries(
        store,
        undefined,
        keys.map((key) => ({ key, value: { is: key } })),
      );
      for (const part of hostileParts) {
        await expectKeys(
          store,
          [part],
          keys.filter(([first]) => first === part),
        );
        await expectKeys(store, [part, part], [[part, part]]);
      }
    },
  },
  {
    section,
    name: "delete() leaves every other hostile key in place",
    line: "two different sequences of parts are always two different keys",
    guarantees: [],
    async run({ store }) {
      const keys = hostilePairs();
      await inWaves(keys, (key) => store.set(key, 1));
      await inWaves(
        keys.filter((_, i) => i % 2 === 0),
        (key) => store.delete(key),
      );
      await expectKeys(
        store,
        undefined,
        keys.filter((_, i) => i % 2 === 1),
        "after every other one was deleted",
      );
    },
  },
  {
    section,
    name: "a key with joined parts differs from the key with separate parts",
    line: "two different sequences of parts are always two different keys",
    guarantees: [],
    async run({ store }) {
      const separators = hostileParts.filter((part) => part.length < 3);
      const pairs: KvKey[] = [["a", "b"], ["a", ""], ["", "b"], ["", ""]];
      const keys = new Map<string, KvKey>();
      for (const pair of pairs) {
        const joins: KvKey[] = separators.map((separator) => [
          pair.join(separator),
        ]);
        const triples: KvKey[] = [["", ...pair], [...pair, ""]];
        const forms: KvKey[] = [[JSON.stringify(pair)], [String(pair)]];
        for (const key of [pair, ...joins, ...triples, ...forms]) {
          keys.set(JSON.stringify(key), key);
        }
      }
      const all = [...keys.values()];
      await inWaves(all, (key) => store.set(key, { is: key }));
      await inWaves(all, (key) => expectEntry(store, key, { is: key }));
      await expectKeys(store, undefined, all);
    },
  },
  {
    section,
    name: "keys made of separators and escape characters stay apart",
    line: "two different sequences of parts are always two different keys",
    guarantees: [],
    async run({ store }) {
      const keys = escapedKeys();
      await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
      await inWaves(keys, (key) => expectEntry(store, key, { is: key }));
      await expectKeys(store, undefined, keys);
      for (const prefix of keys.filter(({ length }) => length < 3)) {
        await expectKeys(
          store,
          prefix,
          keys.filter((key) => prefix.every((part, i) => key[i] === part)),
        );
      }
    },
  },
  {
    section,
    name: "a key with a hundred parts works like any other key",
    line: "a key is one or more parts",
    guarantees: [],
    async run({ store }) {
      const parts = Array.from({ length: 99 }, (_, i) => `${i % 10}`);
      const key: KvKey = ["many", ...parts];
      await store.set(key, 1);
      await expectEntry(store, key, 1);
      await expectEntry(store, ["many", ...parts.slice(1)], undefined);
      await expectEntry(store, ["many", ...parts.with(-1, "x")], undefined);
      await expectKeys(store, ["many", ...parts.slice(0, 50)], [key]);
      await store.delete(key);
      await expectKeys(store, undefined, []);
    },
  },
];

/** Every hostile part, and every pair of them. */
export function hostilePairs(): KvKey[] {
  return [
    ...hostileParts.map((part): KvKey => [part]),
    ...hostileParts.flatMap((first) =>
      hostileParts.map((second): KvKey => [first, second])
    ),
  ];
}

/** Up to three of the parts that encodings use as separators and escapes. */
export function escapedKeys(): KvKey[] {
  const parts = ["", "\0", "\0\0", "\x01", "\0\x01", "\x01\0", "\xFF"];
  const singles = parts.map((part): KvKey => [part]);
  const longer = (keys: KvKey[]) =>
    keys.flatMap((key) => parts.map((part): KvKey => [...key, part]));
  const pairs = longer(singles);
  return [...singles, ...pairs, ...longer(pairs)];
}
