// Cases about values over the backend's own size limit.
import type { KvKey, KvStoreListEntry } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  collect,
  expect,
  expectEntries,
  expectEntry,
  expectKeys,
  expectSame,
  withCas,
} from "./expect.ts";
import { randomNumbers } from "./order.ts";
import { nextTask } from "./time.ts";

const section = "Values";
const line = "a value over the backend's own size limit is split and " +
  "reassembled atomically: no reader ever sees half a value";

/** The cases about values past what a backend can hold as one. */
export const largeValueCases: readonly ConformanceCase[] = [
  {
    section,
    name: "get() and list() return values of 70 KB and 1 MB",
    line,
    guarantees: ["large-values"],
    async run({ store, peer }) {
      const values = largeValues();
      for (const [i, value] of values.entries()) {
        await store.set(["large", `${i}`], value);
        await store.set(["large", `${i}`, "small"], i);
      }
      const entries = values.flatMap((value, i): KvStoreListEntry[] => [
        { key: ["large", `${i}`], value },
        { key: ["large", `${i}`, "small"], value: i },
      ]);
      for (const each of [store, await peer()]) {
        for (const [i, value] of values.entries()) {
          await expectEntry(each, ["large", `${i}`], value);
        }
        await expectEntries(each, undefined, entries);
      }
    },
  },
  {
    section,
    name: "small and large values replace each other",
    line,
    guarantees: ["large-values"],
    async run({ store, pass }) {
      const key: KvKey = ["a"];
      for (const large of largeValues()) {
        await store.set(key, large);
        await store.set(key, "small");
        await expectEntry(store, key, "small", "over a large one");
        await store.set(key, large);
        await expectEntry(store, key, large, "over a small one");
        await store.set(key, [large]);
        await expectEntry(store, key, [large], "over another large one");
        await store.delete(key);
        await expectEntry(store, key, undefined, "after delete()");
        await expectKeys(store, undefined, [], "after delete()");
      }
      await store.set(key, largeValues()[0], { ttl: 20 });
      await pass(20);
      await expectEntry(store, key, undefined, "after its expiry");
      await store.set(key, "small");
      await expectEntry(store, key, "small", "over a large one that expired");
    },
  },
  {
    section,
    name: "cas() swaps large values",
    line: "equality is by content, whatever the size of the value",
    guarantees: ["large-values", "cas"],
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      const key: KvKey = ["a"];
      const text = "é".repeat(100_000);
      const swaps = [
        await store.cas(key, undefined, { text, b: 1 }),
        await store.cas(key, { text: `${text}.`, b: 1 }, 1),
        await store.cas(key, { text: `x${text.slice(1)}`, b: 1 }, 2),
        await store.cas(key, { b: 1, text }, { text, b: 2 }),
        await store.cas(key, { text, b: 2 }, "small"),
        await store.cas(key, "small", { text, b: 3 }),
      ];
      expectSame(
        swaps,
        [true, false, false, true, true, true],
        "creation, two swaps of others, and three right ones",
      );
      await expectEntry(store, key, { text, b: 3 });
      expectSame(
        await store.cas(key, { text, b: 3 }, undefined),
        true,
        "deletion",
      );
      await expectKeys(store, undefined, []);
    },
  },
  {
    section,
    name: "a reader never sees a mix of two large values",
    line,
    guarantees: ["large-values"],
    async run({ store, peer }) {
      const key: KvKey = ["a"];
      const reader = await peer();
      const versions = ["a", "b", "c"].map((letter, i) =>
        letter.repeat(150_000 * (i + 1))
      );
      await store.set(key, versions[0]);
      let writing = true;
      const reads = [read(), read(), readList()];
      const writes = write().finally(() => writing = false);
      await Promise.all([writes, ...reads]);

      async function write() {
        for (let i = 1; i <= 24; i++) {
          await store.set(key, i % 4 === 3 ? "small" : versions[i % 3]);
        }
      }
      async function read() {
        for (let reads = 1; writing; reads++) {
          expectWhole(await reader.get(key), "get()");
          if (reads % 20 === 0) await nextTask();
        }
      }
      async function readList() {
        for (let reads = 1; writing; reads++) {
          if (reads % 20 === 0) await nextTask();
          const entries = await collect(reader.list());
          expectSame(
            entries.map((entry) => entry.key),
            [key],
            "keys of list()",
          );
          expectWhole(entries[0]!.value, "list()");
        }
      }
      function expectWhole(value: unknown, what: string) {
        const letters = [...new Set(String(value))].join("");
        expect(
          value === "small" || versions.includes(value as string),
          `${what} during overwrites must give one value whole: received a ` +
            `${typeof value} of length ${String(value).length} made of ` +
            JSON.stringify(letters),
        );
      }
    },
  },
];

function largeValues(): unknown[] {
  const random = randomNumbers(1);
  const bytes = Uint8Array.from({ length: 1_000_000 }, () => random() * 256);
  return [
    "x".repeat(70_000),
    "é\u{10FFFF}\0".repeat(30_000),
    { bytes, more: [undefined] },
    Array.from({ length: 4_000 }, (_, i) => ({ id: i, name: `entry ${i}` })),
  ];
}
