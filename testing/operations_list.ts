// Cases about the options of list(), and about keys().
import type { KvExtendedStore, KvKey, KvListOptions } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import { collect, expect, expectSame } from "./expect.ts";
import { escapedKeys } from "./keys.ts";
import { manyKeys } from "./list.ts";
import {
  expectReason,
  fill,
  keysIn,
  mixedKeys,
  streams,
  withOperations,
} from "./operations.ts";
import { compareKeys } from "./order.ts";
import { show } from "./show.ts";

const section = "Operations";

/** The cases about what the options of list() and keys() select. */
export const operationListCases: readonly ConformanceCase[] = [
  {
    section,
    name: "list() with a limit yields the first entries",
    line: "limit is the most entries that a list yields",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, [...manyKeys(80), ["a"], ["z"]]);
      const many = all.filter(([first]) => first === "many");
      for (const limit of [0, 1, 2, 31, 32, 33, 79, 80, 81, 82, Infinity]) {
        await expectStreams(store, [], { limit }, all.slice(0, limit));
        await expectStreams(store, ["many"], { limit }, many.slice(0, limit));
      }
    },
  },
  {
    section,
    name: "list() continues after an entry, whether it still exists or not",
    line: "after is the key to continue after, whether it exists or not",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, [...manyKeys(80), ["a"], ["many"], ["z"]]);
      const many = all.filter(([first]) => first === "many");
      for (const at of [0, 1, 31, 32, 40, 79, 80]) {
        const after = many[at]!;
        const rest = all.slice(all.indexOf(after) + 1);
        await expectStreams(store, [], { after }, rest);
        const under = many.slice(at + 1);
        await expectStreams(store, ["many"], { after }, under);
        await expectStreams(
          store,
          ["many"],
          { after, limit: 2 },
          under.slice(0, 2),
        );
      }
      for (const at of [0, 32, 80]) {
        const after = many[at]!;
        await store.delete(after);
        const rest = all.slice(all.indexOf(after) + 1);
        await expectStreams(store, [], { after }, rest);
        await expectStreams(store, ["many"], { after }, many.slice(at + 1));
        await store.set(after, 1);
      }
    },
  },
  {
    section,
    name: "list() continues after a key between two entries",
    line: "after is the key to continue after, whether it exists or not",
    guarantees: ["operations", "order"],
    async run(context) {
      const store = withOperations(context.store);
      const keys = escapedKeys().sort(compareKeys);
      const all = await fill(store, keys.filter((_, i) => i % 2 === 0));
      for (let i = 1; i < keys.length; i += 14) {
        const after = keys[i]!;
        await expectStreams(
          store,
          [],
          { after, limit: 20 },
          all.filter((key) => compareKeys(key, after) > 0).slice(0, 20),
        );
        await expectStreams(
          store,
          [after[0]],
          { after },
          all.filter((key) =>
            key[0] === after[0] && compareKeys(key, after) > 0
          ),
        );
      }
      await expectStreams(store, [], { after: ["\u{10FFFF}"] }, []);
    },
  },
  {
    section,
    name: "list() continues after a long key, whether it exists or not",
    line: "past the backend's own limit list treats a key like any other",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, mixedKeys());
      const lead = all.filter(([first]) => first === "lead");
      for (const after of all) {
        const rest = all.slice(all.indexOf(after) + 1);
        await expectStreams(store, [], { after }, rest);
      }
      for (const [i, after] of lead.entries()) {
        await store.delete(after);
        await expectStreams(store, ["lead"], { after }, lead.slice(i + 1));
        await store.set(after, 1);
      }
    },
  },
  {
    section,
    name:
      "list() in reverse yields the same entries from the last to the first",
    line: "reverse lists from the last key to the first",
    guarantees: ["operations", "reverse"],
    async run(context) {
      const store = withOperations(context.store);
      const keys: KvKey[] = [["a"], ["a", "b"], ["a\0"], ["many"], ["z"]];
      const all = await fill(store, [...keys, ...manyKeys(300)]);
      for (const prefix of [[], ["many"], ["a"], ["none"]] as const) {
        const under = all.filter((key) =>
          prefix.every((part, i) => key[i] === part)
        ).reverse();
        await expectStreams(store, prefix, { reverse: true }, under);
        for (const limit of [0, 1, 33]) {
          const options = { reverse: true, limit };
          await expectStreams(store, prefix, options, under.slice(0, limit));
        }
      }
      await expectStreams(store, ["a"], { reverse: false }, [
        ...all.filter(([first]) => first === "a"),
      ]);
    },
  },
  {
    section,
    name: "list() in reverse continues before a key, whether it exists or not",
    line: "with reverse, the entries before the key given as after follow",
    guarantees: ["operations", "reverse"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, [...manyKeys(80), ["a"], ["many"], ["z"]]);
      const many = all.filter(([first]) => first === "many");
      for (const [at, isDeleted] of [[0, 0], [1, 0], [40, 0], [40, 1]]) {
        const after = many[at!]!;
        if (isDeleted) await store.delete(after);
        const before = all.slice(0, all.indexOf(after)).reverse();
        const options = { reverse: true, after };
        await expectStreams(store, [], options, before);
        const under = many.slice(0, at).reverse();
        await expectStreams(store, ["many"], options, under);
        await expectStreams(
          store,
          ["many"],
          { ...options, limit: 2 },
          under.slice(0, 2),
        );
      }
    },
  },
  {
    section,
    name: "list() in reverse treats long keys like any other key",
    line: "past the backend's own limit list treats a key like any other",
    guarantees: ["operations", "reverse"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, mixedKeys());
      const reversed = all.toReversed();
      await expectStreams(store, [], { reverse: true }, reversed);
      for (const [i, after] of reversed.entries()) {
        await expectStreams(
          store,
          [],
          { reverse: true, after, limit: 3 },
          reversed.slice(i + 1, i + 4),
        );
      }
      await expectStreams(
        store,
        ["lead"],
        { reverse: true },
        reversed.filter(([first]) => first === "lead"),
      );
    },
  },
  {
    section,
    name: "list() with an aborted signal rejects with its reason",
    line: "signal ends the listing with the reason of the signal",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      await fill(store, manyKeys(3));
      const signal = AbortSignal.abort(new Error("a reason"));
      for (const [what, entries] of streams(store, [], { signal })) {
        const [keys, error] = await readUntilError(entries);
        expectReason(error, signal, what);
        expectSame(keys, [], `keys of ${what}`);
      }
    },
  },
  {
    section,
    name: "list() ends with the reason of a signal that is aborted meanwhile",
    line: "signal ends the listing with the reason of the signal",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, manyKeys(300));
      for (const at of [0, 1]) {
        for (const stop of [1, 40]) {
          const controller = new AbortController();
          const { signal } = controller;
          const [what, entries] = streams(store, [], { signal })[at]!;
          const [keys, error] = await readUntilError(entries, (count) => {
            if (count === stop) controller.abort(new Error("a reason"));
          });
          expectReason(error, signal, what);
          expectSame(keys, all.slice(0, stop), `keys of ${what}`);
        }
      }
      const { signal } = new AbortController();
      await expectStreams(store, [], { signal }, all);
    },
  },
  {
    section,
    name: "keys() yields the keys of list() and no values",
    line: "keys yields the keys that list yields, without values",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      await fill(store, [...mixedKeys(), ...escapedKeys().slice(0, 60)]);
      await store.set(["lead", "expiring"], 1, { ttl: 3_600_000 });
      for (const prefix of [undefined, [], ["lead"], ["none"]] as const) {
        const listed = await collect(store.list(prefix));
        const keys = [];
        for await (const entry of store.keys(prefix)) keys.push(entry);
        // A store may know only how long an entry still lives.
        expectSame(
          keys.map((entry) =>
            "expires" in entry ? { ...entry, expires: 0 } : entry
          ),
          listed.map(({ key, expires }) =>
            expires === undefined ? { key } : { key, expires: 0 }
          ),
          `keys(${show(prefix)})`,
        );
      }
    },
  },
  {
    section,
    name: "list() and keys() tell when an entry expires, if it has a TTL",
    line: "entries carry expires, in epoch milliseconds, if they have a TTL",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const [hour, year] = [3_600_000, 31_536_000_000];
      const start = Date.now();
      await store.set(["hour"], 1, { ttl: hour });
      await store.set(["year", "x".repeat(5_000)], 1, { ttl: year });
      await store.set(["not"], 1);
      await store.set(["no longer"], 1, { ttl: hour });
      await store.set(["no longer"], 2);
      const end = Date.now();
      for (const [what, entries] of streams(store, [], {})) {
        let found = 0;
        for await (const { key: [first], ...entry } of entries) {
          found++;
          const ttl = { hour, year }[first];
          expect(
            ttl === undefined
              ? !("expires" in entry)
              : entry.expires! >= start + ttl - tolerance &&
                entry.expires! <= end + ttl + tolerance,
            `${what}: expires of ["${first}"] must be ${
              ttl === undefined ? "left out" : `about ${start + ttl}`
            }: it is ${show(entry.expires)}`,
          );
        }
        expectSame(found, 4, `the number of entries of ${what}`);
      }
    },
  },
];

/** How far the clocks of the store and of this process may differ, in ms. */
const tolerance = 60_000;

async function expectStreams(
  store: KvExtendedStore,
  prefix: KvKey | readonly [],
  options: KvListOptions,
  keys: readonly KvKey[],
): Promise<void> {
  for (const [what, entries] of streams(store, prefix, options)) {
    expectSame(await keysIn(entries), keys, `keys of ${what}`);
  }
}

async function readUntilError(
  entries: AsyncIterable<{ readonly key: KvKey }>,
  onEntry?: (count: number) => void,
): Promise<[keys: KvKey[], error: unknown]> {
  const keys: KvKey[] = [];
  try {
    for await (const { key } of entries) onEntry?.(keys.push(key));
  } catch (error) {
    return [keys, error];
  }
  return [keys, undefined];
}
