// Cases about count(), clear(), sweep(), check() and pending.
import type { KvExtendedStore, KvKey, KvProgressOptions } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  collect,
  expect,
  expectEntry,
  expectKeys,
  expectSame,
  inWaves,
  rejection,
} from "./expect.ts";
import { manyKeys } from "./list.ts";
import { expectReason, fill, mixedKeys, withOperations } from "./operations.ts";
import { show } from "./show.ts";
import { nextTask } from "./time.ts";

const section = "Operations";

/** The cases about operations on many entries. */
export const operationManyCases: readonly ConformanceCase[] = [
  {
    section,
    name: "count() tells how many entries are under a prefix",
    line: "count tells how many entries' keys start with the prefix",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      expectSame(await store.count(), 0, "count() of an empty store");
      await fill(store, [...manyKeys(300), ...mixedKeys(), ["manyfold"]]);
      await store.set(["expired"], 1, { ttl: 20 });
      await context.pass(20);
      const keys = [...manyKeys(300), ...mixedKeys(), ["manyfold"]];
      for (const prefix of prefixes) {
        const count = keys.filter((key) =>
          prefix.every((part, i) => key[i] === part)
        ).length;
        expectSame(await store.count(prefix), count, `count(${show(prefix)})`);
      }
      expectSame(await store.count(), keys.length, "count()");
    },
  },
  {
    section,
    name: "clear() deletes the entries under a prefix and no others",
    line: "clear deletes the entries whose key starts with the prefix",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const near: KvKey[] = [["man"], ["many\0"], ["manyfold"], ["many "], [
        "",
      ]];
      let left = await fill(store, [...near, ...manyKeys(300), ...mixedKeys()]);
      for (const prefix of prefixes) {
        const kept = left.filter((key) =>
          !prefix.every((part, i) => key[i] === part)
        );
        const what = `clear(${show(prefix)})`;
        const cleared = await store.clear(prefix);
        expectSame(cleared, left.length - kept.length, what);
        await expectKeys(store, undefined, kept, `after ${what}`);
        await inWaves(
          kept,
          (key) => expectEntry(store, key, { is: key }, what),
        );
        expectSame(await store.clear(prefix), 0, `${what} a second time`);
        left = kept;
      }
      await store.set(["new"], 1);
      expectSame(await store.clear(), left.length + 1, "clear() after a set()");
      await expectKeys(store, undefined, [], "after clear()");
    },
  },
  {
    section,
    name: "clear() that is aborted leaves every other entry whole",
    line: "signal stops the operation with the reason of the signal",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, manyKeys(600));
      const controller = new AbortController();
      const { signal } = controller;
      const what = "clear() that is aborted by its first progress";
      const error = await rejection(what, () =>
        store.clear([], {
          signal,
          onProgress: () => controller.abort(new Error("a reason")),
        }));
      expectReason(error, signal, what);
      const left = await collect(store.list());
      expect(
        left.length < all.length,
        `${what} must have deleted what it told: ${left.length} are left`,
      );
      for (const { key, value } of left) {
        expectSame(value, { is: key }, `value of ${show(key)} after ${what}`);
      }
      expectSame(await store.count(), left.length, `count() after ${what}`);
      expectSame(await store.clear(), left.length, `clear() after ${what}`);
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name: "count(), clear() and sweep() with an aborted signal change nothing",
    line: "signal stops the operation with the reason of the signal",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const all = await fill(store, manyKeys(3));
      const signal = AbortSignal.abort(new Error("a reason"));
      for (const [what, call] of operations(store, { signal })) {
        expectReason(await rejection(what, call), signal, what);
      }
      await expectKeys(store, undefined, all, "after aborted calls");
    },
  },
  {
    section,
    name: "count() and clear() tell about their progress",
    line: "onProgress is called with the number of entries so far",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      await fill(store, manyKeys(600));
      let told: number[] = [];
      const onProgress = (entries: number) => told.push(entries);
      for (const [what, call] of operations(store, { onProgress })) {
        told = [];
        const result = await call();
        if (what === "sweep()") continue;
        expectSame(told.at(-1), result, `the last progress of ${what}`);
        expectSame(told, told.toSorted((a, b) => a - b), `all of ${what}`);
      }
    },
  },
  {
    section,
    name: "sweep() reclaims expired entries and no others",
    line: "expired entries are reclaimed during writes, or by sweep()",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const kept = await fill(store, manyKeys(40));
      await store.set(["later"], 1, { ttl: 3_600_000 });
      const expiring = Array.from({ length: 100 }, (_, i): KvKey => [`${i}`]);
      await inWaves(expiring, (key) => store.set(key, 1, { ttl: 20 }));
      await context.pass(20);
      const swept = await store.sweep();
      expect(
        Number.isInteger(swept) && swept >= 0 && swept <= expiring.length,
        `sweep() must resolve to at most ${expiring.length}: ${show(swept)}`,
      );
      expectSame(await store.sweep(), 0, "sweep() a second time");
      await expectKeys(store, undefined, [...kept, ["later"]], "after sweep()");
      await inWaves(kept, (key) => expectEntry(store, key, { is: key }));
    },
  },
  {
    section,
    name: "check() resolves and changes nothing",
    line: "check makes one cheap round trip",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      expectSame(await store.check(), undefined, "check()");
      await expectKeys(store, undefined, [], "after check()");
      await store.set(["a"], 1);
      await store.check();
      await expectKeys(store, undefined, [["a"]], "after check()");
      await expectEntry(store, ["a"], 1, "after check()");
    },
  },
  {
    section,
    name: "pending tells how many calls are not settled",
    line: "pending is the number of calls that are not settled yet",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      expectSame(store.pending, 0, "pending before any call");
      const calls = manyKeys(100).map((key) => store.set(key, 1));
      calls.push(...manyKeys(100).map((key) => store.get<undefined>(key)));
      const { pending } = store;
      expect(
        Number.isInteger(pending) && pending >= 0 && pending <= calls.length,
        `pending must be at most ${calls.length}: it is ${show(pending)}`,
      );
      await Promise.all(calls);
      await rejection("set()", () => store.set(["a"], () => {}));
      await collect(store.list());
      await nextTask();
      expectSame(store.pending, 0, "pending after the last call");
    },
  },
];

const prefixes: KvKey[] = [
  ["none"],
  ["many", "00007"],
  ["many"],
  ["lead", "x".repeat(2_705)],
  ["lead"],
];

/** The calls of the operations on many entries. */
function operations(
  store: KvExtendedStore,
  options: KvProgressOptions,
): [what: string, call: () => Promise<number>][] {
  return [
    ["count()", () => store.count([], options)],
    ["sweep()", () => store.sweep(options)],
    ["clear()", () => store.clear([], options)],
  ];
}
