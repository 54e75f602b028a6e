// Cases about which entries list() yields.
import type { KvKey, KvStore } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expect,
  expectEntries,
  expectEntry,
  expectKeys,
  expectSame,
  inWaves,
} from "./expect.ts";
import { compareKeys, shuffled } from "./order.ts";
import { now } from "./time.ts";

const section = "List";
const guarantees = [] as const;

/** The cases about what a list yields, and in which order. */
export const listCases: readonly ConformanceCase[] = [
  {
    section,
    name: "list() of an empty store or prefix yields nothing",
    line: "list yields the entries whose key starts with the prefix",
    guarantees,
    async run({ store }) {
      await expectKeys(store, undefined, []);
      await expectKeys(store, ["a"], []);
      await store.set(["b"], 1);
      await expectKeys(store, ["a"], []);
      await expectKeys(store, ["b", "c"], []);
    },
  },
  {
    section,
    name: "list() yields the key that equals the prefix and the keys under it",
    line:
      "list yields the entries whose key starts with the prefix, compared " +
      "part by part, including the entry at the prefix itself",
    guarantees,
    async run({ store }) {
      const under: KvKey[] = [["a", "b"], ["a", "b", ""], ["a", "b", "c", "d"]];
      const others: KvKey[] = [["a"], ["a", "bb"], ["a", "B"], ["a b"], ["b"]];
      await inWaves(
        shuffled([...under, ...others]),
        (key) => store.set(key, { is: key }),
      );
      await expectEntries(
        store,
        ["a", "b"],
        under.map((key) => ({ key, value: { is: key } })),
      );
      await expectKeys(store, ["a", "b", "c"], [under[2]!]);
      await expectKeys(store, ["a", "b", "c", "d"], [under[2]!]);
      await expectKeys(store, ["a", "b", "c", "d", "e"], []);
      await expectKeys(store, ["a", ""], []);
      await expectKeys(store, [""], []);
    },
  },
  {
    section,
    name: "list() matches the prefix literally",
    line: "list compares the prefix part by part and literally",
    guarantees,
    async run({ store }) {
      const keys: KvKey[] = [["abc"], ["abc", "x"], ["ABC", "x"], ["a%c", "x"]];
      const more = [
        "a_c",
        "a*c",
        "a?c",
        "a[b]c",
        "a\\bc",
        "a\\",
        "%",
        "*",
        "ab",
      ];
      await inWaves(
        [...keys, ...more.map((part): KvKey => [part, "x"])],
        (key) => store.set(key, 1),
      );
      await expectKeys(store, ["abc"], [["abc"], ["abc", "x"]]);
      for (const part of ["ABC", "a%c", ...more]) {
        await expectKeys(store, [part], [[part, "x"]]);
      }
      for (const part of ["_", "?", "a", "aBc", "a%", "a*", "[a]bc", "abc%"]) {
        await expectKeys(store, [part], []);
      }
    },
  },
  {
    section,
    name: "list() without a prefix or with an empty prefix yields all entries",
    line: "without a prefix (or with []), list yields all entries",
    guarantees,
    async run({ store }) {
      const keys: KvKey[] = [[""], ["", ""], ["a"], ["a", "b"], ["\u{10FFFF}"]];
      await inWaves(shuffled(keys), (key) => store.set(key, 1));
      await expectKeys(store, undefined, keys);
      await expectKeys(store, [] as unknown as KvKey, keys);
    },
  },
  {
    section,
    name: "list() yields each of 2,600 entries once",
    line: "an entry that exists throughout is yielded exactly once",
    guarantees,
    async run({ store }) {
      const keys = manyKeys(2_600);
      await inWaves(shuffled(keys), (key) => store.set(key, { is: key }));
      await store.set(["before"], 1);
      await store.set(["many!"], 1);
      await expectEntries(
        store,
        ["many"],
        keys.map((key) => ({ key, value: { is: key } })),
      );
      const all: KvKey[] = [["before"], ...keys, ["many!"]];
      await expectKeys(store, undefined, all);
    },
  },
  {
    section,
    name: "list() yields the first entry before it reads the others",
    line:
      "the time to the first entry does not grow with the number of entries",
    guarantees: ["streaming"],
    async run({ store }) {
      const value = {
        items: Array.from({ length: 50 }, (_, i) => ({ id: i })),
      };
      const keys = manyKeys(3_000);
      await inWaves(keys.slice(0, 300), (key) => store.set(key, value));
      const times = await measurableTimes(store);
      const few = await fastestFirst(store, times, () => false);
      await inWaves(keys.slice(300), (key) => store.set(key, value));
      // A page of a thousand entries takes three times as long as all of 300.
      const limit = few * 6;
      const many = await fastestFirst(store, times, (time) => time <= limit);
      expect(
        many <= limit,
        `${times} times, the first of 3,000 entries took ${many} ms, ` +
          `of 300 only ${few} ms`,
      );
    },
  },
  {
    section,
    name: "a listing that is left early blocks nothing",
    line: "leaving the loop early releases what the listing held",
    guarantees,
    async run({ store }) {
      const keys = manyKeys(40);
      await inWaves(keys, (key) => store.set(key, 1));
      for (let round = 0; round < 20; round++) {
        for await (const _ of store.list()) break;
        await store.set(keys[round]!, [round]);
        await expectEntry(store, keys[round]!, [round], "after a left list");
      }
      const failure = new Error("a failure of the loop's own");
      let caught;
      try {
        for await (const _ of store.list(["many"])) throw failure;
      } catch (error) {
        caught = error;
      }
      expect(caught === failure, "list() must pass on what its loop throws");
      const iterator = store.list()[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.return?.();
      expectSame((await iterator.next()).done, true, "done after return()");
      await store.delete(keys[0]!);
      await expectKeys(store, undefined, keys.slice(1), "after left lists");
    },
  },
  {
    section,
    name: "a listing that nobody reads blocks nothing",
    line: "leaving the loop early releases what the listing held",
    guarantees,
    async run({ store }) {
      await store.set(["a"], 1);
      store.list();
      store.list(["a"])[Symbol.asyncIterator]();
      await store.set(["a"], 2);
      await store.delete(["b"]);
      await expectKeys(store, undefined, [["a"]]);
    },
  },
  {
    section,
    name: "several listings at once do not affect each other",
    line: "an entry that exists throughout is yielded exactly once",
    guarantees,
    async run({ store }) {
      const keys = manyKeys(60);
      await inWaves(keys, (key) => store.set(key, 1));
      const lists = [store.list(), store.list(), store.list(["many"])]
        .map((list) => list[Symbol.asyncIterator]());
      const listed: KvKey[][] = lists.map(() => []);
      for (let i = 0; i < keys.length; i++) {
        for (const [j, list] of lists.entries()) {
          // The lists go forward by different steps, one within the other.
          if ((i + j) % 2 === 0) continue;
          const { value } = await list.next();
          listed[j]!.push(value.key);
          if (j === 1) await expectKeys(store, undefined, keys, "within it");
        }
      }
      for (const [j, list] of lists.entries()) {
        for (
          let next = await list.next();
          !next.done;
          next = await list.next()
        ) {
          listed[j]!.push(next.value.key);
        }
        expectSame(
          listed[j]!.sort(compareKeys),
          keys,
          `sorted keys of listing ${j + 1} of 3`,
        );
      }
    },
  },
];

/**
 * How often the first entry has to be read for the clock to tell: some clocks
 * know whole milliseconds only. No more often than that, as a busy machine
 * lets hardly any longer time pass undisturbed.
 */
async function measurableTimes(store: KvStore): Promise<number> {
  for (let times = 1;; times *= 2) {
    const elapsed = await firstEntries(store, times);
    const enough = Number.isInteger(elapsed) ? 5 : 0.5;
    if (elapsed >= enough || times === 1024) return times;
  }
}

/** The milliseconds for that many first entries, in the best of many rounds. */
async function fastestFirst(
  store: KvStore,
  times: number,
  isEnough: (milliseconds: number) => boolean,
): Promise<number> {
  let fastest = Infinity;
  for (let round = 0; round < 40 && !isEnough(fastest); round++) {
    fastest = Math.min(fastest, await firstEntries(store, times));
  }
  return fastest;
}

/** Reads the first entry so many times; returns the milliseconds. */
async function firstEntries(store: KvStore, times: number): Promise<number> {
  const start = now();
  for (let i = 0; i < times; i++) for await (const _ of store.list()) break;
  return now() - start;
}

/** That many keys under `["many"]`, in order. */
export function manyKeys(length: number): KvKey[] {
  return Array.from(
    { length },
    (_, i): KvKey => ["many", `${i}`.padStart(5, "0")],
  );
}
