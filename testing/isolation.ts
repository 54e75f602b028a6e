// Cases about values, keys and prefixes that change after the call.
import type { KvKey, KvStore } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  collect,
  expectEntry,
  expectKeys,
  expectSame,
  withCas,
} from "./expect.ts";

const section = "Values";
const line = "changing a value after set, or a value that get or list " +
  "returned, never changes the store";

/** The cases about values that are changed behind the store's back. */
export const isolationCases: readonly ConformanceCase[] = [
  {
    section,
    name: "changing a value after set() leaves the entry unchanged",
    line,
    guarantees: ["isolation"],
    async run({ store }) {
      const before = { plain: plain(), rich: rich() };
      const awaited = { plain: plain(), rich: rich() };
      const calls = [
        store.set(["plain", "1"], before.plain),
        store.set(["rich", "1"], before.rich),
      ];
      changePlain(before.plain);
      changeRich(before.rich);
      await Promise.all(calls);
      await store.set(["plain", "2"], awaited.plain);
      await store.set(["rich", "2"], awaited.rich);
      changePlain(awaited.plain);
      changeRich(awaited.rich);
      await expectUnchanged(store, "1", "changed before set() was awaited");
      await expectUnchanged(store, "2", "changed after set() was awaited");
    },
  },
  {
    section,
    name: "changing a value that get() returned leaves the entry unchanged",
    line,
    guarantees: ["isolation"],
    async run({ store }) {
      await store.set(["plain", "1"], plain());
      await store.set(["rich", "1"], rich());
      changePlain((await store.get<Plain>(["plain", "1"]))!);
      changeRich((await store.get<Rich>(["rich", "1"]))!);
      await expectUnchanged(store, "1", "after what get() returned changed");

      const both = await Promise.all([
        store.get<Plain>(["plain", "1"]),
        store.get<Plain>(["plain", "1"]),
      ]);
      changePlain(both[0]!);
      expectSame(both[1], plain(), "a get() made at once with a changed one");
    },
  },
  {
    section,
    name: "changing a value that list() yielded leaves the entry unchanged",
    line,
    guarantees: ["isolation"],
    async run({ store }) {
      await store.set(["plain", "1"], plain());
      await store.set(["rich", "1"], rich());
      for (const { key, value } of await collect(store.list())) {
        if (key[0] === "plain") changePlain(value as Plain);
        else changeRich(value as Rich);
        (key as unknown as string[])[0] = "changed";
      }
      await expectUnchanged(store, "1", "after what list() yielded changed");
      await expectKeys(store, undefined, [["plain", "1"], ["rich", "1"]]);
    },
  },
  {
    section,
    name: "changing the values given to cas() leaves the entry unchanged",
    line,
    guarantees: ["isolation", "cas"],
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      const [value, richValue] = [plain(), rich()];
      const creations = [
        store.cas(["plain", "1"], undefined, value),
        store.cas(["rich", "1"], undefined, richValue),
      ];
      changePlain(value);
      changeRich(richValue);
      expectSame(await Promise.all(creations), [true, true], "cas() of both");
      await expectUnchanged(store, "1", "changed before cas() was awaited");

      const expected = plain();
      const swap = store.cas(["plain", "1"], expected, 2);
      changePlain(expected);
      expectSame(await swap, true, "cas() whose expected value changed later");
    },
  },
  {
    section,
    name: "changing a key or prefix after the call does not affect the call",
    line: "a call means what it was given when it was made",
    guarantees: ["isolation"],
    async run({ store }) {
      await store.set(["b", "1"], 0);
      const key = ["a", "1"];
      const call = store.set(key as unknown as KvKey, 1);
      key[0] = "b";
      await call;
      await expectEntry(store, ["a", "1"], 1, "the key of set() before");
      await expectEntry(store, ["b", "1"], 0, "the key of set() after");

      const prefix = ["a"];
      const list = store.list(prefix as unknown as KvKey);
      prefix[0] = "b";
      expectSame(
        await collect(list),
        [{ key: ["a", "1"], value: 1 }],
        "list() whose prefix changed before it was read",
      );
    },
  },
];

interface Plain {
  a: number;
  items: { b: string }[];
  more?: number;
}

function plain(): Plain {
  return { a: 1, items: [{ b: "c" }] };
}

function changePlain(value: Plain): void {
  value.a = 2;
  value.items[0]!.b = "changed";
  value.items.push({ b: "new" });
  value.more = 3;
}

interface Rich {
  date: Date;
  map: Map<string, { a: number }>;
  set: Set<number>;
  bytes: Uint8Array;
  buffer: ArrayBuffer;
  undefineds: unknown[];
}

function rich(): Rich {
  return {
    date: new Date(1),
    map: new Map([["a", { a: 1 }]]),
    set: new Set([1]),
    bytes: new Uint8Array([1, 2]),
    buffer: new Uint8Array([3, 4]).buffer,
    undefineds: [undefined],
  };
}

function changeRich(value: Rich): void {
  value.date.setTime(2);
  value.map.get("a")!.a = 2;
  value.map.set("b", { a: 3 });
  value.set.add(2);
  value.bytes[0] = 9;
  new Uint8Array(value.buffer)[0] = 9;
  value.undefineds[0] = 1;
}

async function expectUnchanged(store: KvStore, name: string, when: string) {
  await expectEntry(store, ["plain", name], plain(), when);
  await expectEntry(store, ["rich", name], rich(), when);
}
