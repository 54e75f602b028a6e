// Cases about calls that are made before earlier ones have ended.
import type { KvKey, KvStore } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import { difference } from "./difference.ts";
import {
  expect,
  expectEntry,
  expectKeys,
  expectSame,
  withCas,
} from "./expect.ts";
import { randomNumbers } from "./order.ts";
import { show } from "./show.ts";

const section = "Calls in flight";
const inOrder =
  "calls on one store take effect, per key, in call order, awaited " +
  "or not";
const apart =
  "each call of a tick still succeeds or fails on its own, and an " +
  "invalid call never makes its neighbours fail";

/** The cases about calls that are made before others have ended. */
export const callCases: readonly ConformanceCase[] = [
  {
    section,
    name: "unawaited calls on one key take effect in call order",
    line: inOrder,
    guarantees: [],
    async run({ store }) {
      const [key, other]: KvKey[] = [["a"], ["b"]];
      const results = await Promise.all([
        store.get(key!),
        store.set(key!, 1),
        store.get(key!),
        store.set(key!, 2),
        store.set(key!, 3),
        store.get(key!),
        store.get(other!),
        store.delete(key!),
        store.get(key!),
        store.set(key!, 4),
        store.set(other!, 5),
        store.set(key!, undefined),
        store.get(key!),
        store.set(key!, 6),
      ]);
      const none = undefined;
      expectSame(
        results,
        [none, none, 1, none, none, 3, ...Array(8).fill(none)],
        "the results of get, set and delete in one tick",
      );
      await expectEntry(store, key!, 6, "after the last set()");
      await expectEntry(store, other!, 5);
    },
  },
  {
    section,
    name: "hundreds of calls on one key in one tick take effect in call order",
    line: inOrder,
    guarantees: [],
    async run({ store }) {
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 300; i++) {
        calls.push(store.set(["a"], i), store.get(["a"]));
      }
      const results = await Promise.all(calls);
      expectSame(
        results.filter((_, i) => i % 2 === 1),
        Array.from({ length: 300 }, (_, i) => i),
        "the results of get() behind each of 300 set()",
      );
      await expectEntry(store, ["a"], 299);
    },
  },
  {
    section,
    name:
      "unawaited calls on several keys give the same results as awaited calls",
    line: inOrder,
    guarantees: [],
    run: ({ store }) => runMixes(store, ["get", "set", "get", "delete", "ttl"]),
  },
  {
    section,
    name: "unawaited calls with cas() give the same results as awaited calls",
    line: inOrder,
    guarantees: ["cas"],
    run: ({ store }) =>
      runMixes(withCas(store), ["get", "set", "cas", "delete", "cas", "ttl"]),
  },
  {
    section,
    name: "calls of several ticks take effect in call order",
    line: inOrder,
    guarantees: [],
    async run({ store }) {
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 30; i++) {
        calls.push(store.set(["a"], i), store.set(["b", `${i}`], i));
        // Some end up in one batch, some in the next, some while one runs.
        for (let ticks = 0; ticks < i % 4; ticks++) await Promise.resolve();
        if (i % 10 === 9) await calls.at(-1);
        calls.push(expectEntry(store, ["a"], i, "set just before"));
      }
      await Promise.all(calls);
      await expectEntry(store, ["a"], 29);
    },
  },
  {
    section,
    name: "list() finds every earlier write, awaited or not",
    line: inOrder,
    guarantees: [],
    async run({ store }) {
      await store.set(["a"], 1);
      await store.set(["b"], 1);
      const writes = [
        store.set(["c"], 1),
        store.delete(["b"]),
        store.set(["d"], 1),
      ];
      await expectKeys(store, undefined, [["a"], ["c"], ["d"]]);
      await Promise.all(writes);
    },
  },
  {
    section,
    name: "one invalid call among valid ones fails alone",
    line: apart,
    guarantees: [],
    async run({ store }) {
      const bad = [
        () => store.set([] as unknown as KvKey, 1),
        () => store.get(["a", 1] as unknown as KvKey),
        () => store.delete(["\uD800"]),
        () => store.set(["bad"], () => 1),
        () => store.set(["bad"], 1, { ttl: NaN }),
        () => store.set(["bad", "x".repeat(8_193)], 1),
        ...(store.cas
          ? [
            () => store.cas!(["bad"], undefined, /a/),
            () => store.cas!([] as unknown as KvKey, 1, 2),
          ]
          : []),
      ];
      for (const [i, call] of bad.entries()) {
        const key = (name: string): KvKey => [`${i}`, name];
        await store.set(key("deleted"), 1);
        const settled = await Promise.allSettled([
          store.set(key("before"), 1),
          store.get(key("deleted")),
          call(),
          store.set(key("after"), 2),
          store.get(key("after")),
          store.delete(key("deleted")),
        ]);
        expectSame(
          settled.map(({ status }) => status),
          settled.map((_, at) => at === 2 ? "rejected" : "fulfilled"),
          `how the calls around ${call} ended`,
        );
        await expectKeys(store, [`${i}`], [key("after"), key("before")]);
      }
      await expectEntry(store, ["bad"], undefined);
    },
  },
  {
    section,
    name: "each of many invalid calls in one tick fails for its own reason",
    line: apart,
    guarantees: [],
    async run({ store }) {
      const settled = await Promise.allSettled(
        Array.from({ length: 60 }, (_, i) => {
          const name = `member${i}`;
          return i % 3 === 0
            ? store.set(["a", `${i}`], i)
            : store.set(["a", `${i}`], { [name]: () => i });
        }),
      );
      for (const [i, result] of settled.entries()) {
        if (i % 3 === 0) {
          expectSame(result.status, "fulfilled", `set() number ${i}`);
          await expectEntry(store, ["a", `${i}`], i);
          continue;
        }
        expect(
          result.status === "rejected" &&
            String(result.reason).includes(`member${i}`),
          `set() number ${i} must reject for its own reason: ${show(result)}`,
        );
        await expectEntry(store, ["a", `${i}`], undefined);
      }
    },
  },
  {
    section,
    name: "a rejected call does not affect later calls",
    line: "a rejected call changed nothing",
    guarantees: [],
    async run({ store }) {
      await store.set(["a"], 1);
      const results = await Promise.allSettled([
        store.set(["a"], Symbol("a")),
        store.get(["a"]),
        store.set(["a"], 2, { ttl: NaN }),
        store.get(["a"]),
        store.set(["a"], undefined, { ttl: Infinity }),
        store.get(["a"]),
      ]);
      expectSame(
        results.map((result) =>
          result.status === "fulfilled" ? result.value : "rejected"
        ),
        ["rejected", 1, "rejected", 1, "rejected", 1],
        "the results of get() behind rejected calls",
      );
    },
  },
  {
    section,
    name: "the traits of a store name the guarantees that it leaves out",
    line: "a driver that cannot keep a line says so in its traits",
    guarantees: [],
    run({ store, without }) {
      const { traits } = store as { traits?: { without: object } };
      if (traits !== undefined) {
        expectSame(
          Object.keys(traits.without).sort(),
          Object.keys(without).sort(),
          "the guarantees of traits.without, compared with those of the suite",
        );
      }
      return Promise.resolve();
    },
  },
];

type Operation = "get" | "set" | "delete" | "cas" | "ttl";

/** Makes calls at random, all in one tick, on the store and on a model of it. */
async function runMixes(
  store: KvStore,
  operations: readonly Operation[],
): Promise<void> {
  for (let seed = 1; seed <= 8; seed++) {
    const random = randomNumbers(seed);
    const pick = <T>(items: readonly T[]) =>
      items[Math.floor(random() * items.length)]!;
    const keys: KvKey[] = [[`${seed}`], [`${seed}`, "a"], [`${seed}`, "b"]];
    const values = [undefined, null, 1, { a: 1, b: 2 }, [new Date(1)], "text"];
    const model = new Map<KvKey, unknown>();
    const log: string[] = [];
    const calls: Promise<unknown>[] = [];
    const expected: unknown[] = [];

    for (let i = 0; i < 80; i++) {
      const [operation, key] = [pick(operations), pick(keys)];
      const [value, other] = [pick(values), pick(values)];
      const text = `${show(key)}, ${show(value)}`;
      if (operation === "get") {
        log.push(`get(${show(key)})`);
        calls.push(store.get(key));
        expected.push(model.get(key));
      } else if (operation === "set") {
        log.push(`set(${text})`);
        calls.push(store.set(key, value));
        expected.push(undefined);
        model.set(key, value);
      } else if (operation === "ttl") {
        const ttl = pick([0, 60_000]);
        log.push(`set(${text}, { ttl: ${ttl} })`);
        calls.push(store.set(key, value, { ttl }));
        expected.push(undefined);
        model.set(key, ttl === 0 ? undefined : value);
      } else if (operation === "delete") {
        log.push(`delete(${show(key)})`);
        calls.push(store.delete(key));
        expected.push(undefined);
        model.delete(key);
      } else {
        log.push(`cas(${text}, ${show(other)})`);
        calls.push(store.cas!(key, value, other));
        const equal = difference(model.get(key), value) === undefined;
        expected.push(equal);
        if (equal) model.set(key, other);
      }
    }

    const results = await Promise.all(calls);
    for (const [i, result] of results.entries()) {
      const found = difference(result, expected[i], "result");
      expect(
        found === undefined,
        `call ${i} of one tick differs ${found}; the calls were\n      ${
          log.slice(0, i + 1).join("\n      ")
        }`,
      );
    }
    for (const key of keys) {
      await expectEntry(store, key, model.get(key), `after ${log.join("; ")}`);
    }
  }
}
