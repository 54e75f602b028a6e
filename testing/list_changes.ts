// Cases about listings of a store that changes.
import type { KvKey, KvStore } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import { collect, expect, expectKeys, expectSame, inWaves } from "./expect.ts";
import { manyKeys } from "./list.ts";
import { show } from "./show.ts";

const section = "List";
const guarantees = ["stable-list"] as const;
const line = "an entry that exists throughout is yielded exactly once; " +
  "changing the store while listing is safe";
const count = 1_200;

/** The cases about lists of a store that changes. */
export const listChangeCases: readonly ConformanceCase[] = [
  {
    section,
    name: "list() yields all remaining entries while earlier ones are deleted",
    line,
    guarantees,
    async run({ store }) {
      const keys = await filled(store);
      const listed: KvKey[] = [];
      for await (const { key } of store.list()) {
        listed.push(key);
        if (listed.length % 50 === 0) {
          await inWaves(listed.slice(-50), (gone) => store.delete(gone));
        }
      }
      expectOnce(listed, keys);
      await expectKeys(store, undefined, [], "after all were deleted");
    },
  },
  {
    section,
    name: "list() yields all remaining entries while later ones are deleted",
    line,
    guarantees,
    async run({ store }) {
      const keys = await filled(store);
      const gone = keys.filter((_, i) => i > 100 && i % 3 !== 0);
      const listed: KvKey[] = [];
      for await (const { key } of store.list()) {
        listed.push(key);
        if (listed.length === 20) await inWaves(gone, (k) => store.delete(k));
      }
      expectOnce(listed, keys.filter((key) => !gone.includes(key)));
    },
  },
  {
    section,
    name: "list() yields each entry once while others are added",
    line,
    guarantees,
    async run({ store }) {
      const keys = await filled(store);
      const listed: KvKey[] = [];
      for await (const { key } of store.list()) {
        listed.push(key);
        if (listed.length % 60 !== 0) continue;
        const added: KvKey[] = [
          ...manyKeys(20).map(([, i]): KvKey => ["many", "", key[1]!, i!]),
          ["added", key[1]!],
          ["many", `${key[1]}`, "x"],
          ["many", "01100", key[1]!],
        ];
        await inWaves(added, (each) => store.set(each, 1));
      }
      expectOnce(listed, keys);
    },
  },
  {
    section,
    name: "list() yields each entry once while entries are overwritten",
    line,
    guarantees,
    async run({ store }) {
      const keys = await filled(store);
      const listed: KvKey[] = [];
      for await (const { key, value } of store.list()) {
        listed.push(key);
        expect(
          value === 1 || value === "new",
          `list() must yield a value that was set: received ${show(value)}`,
        );
        if (listed.length % 100 !== 0) continue;
        const at = listed.length;
        await inWaves(
          keys.slice(at - 50, at + 50),
          (each) => store.set(each, "new", { ttl: 60_000 }),
        );
      }
      expectOnce(listed, keys);
    },
  },
  {
    section,
    name:
      "list() yields each entry once while entries are deleted and set again",
    line,
    guarantees,
    async run({ store }) {
      const keys = await filled(store);
      const listed: KvKey[] = [];
      for await (const { key } of store.list()) {
        listed.push(key);
        if (listed.length % 100 !== 0) continue;
        const behind = listed.slice(-100);
        await inWaves(behind, (each) => store.delete(each));
        await inWaves(behind, (each) => store.set(each, "again"));
      }
      expectOnce(listed, keys);
      expectSame(
        (await collect(store.list())).map(({ value }) => value),
        keys.map(() => "again"),
        "values after all were set again",
      );
    },
  },
];

async function filled(store: KvStore): Promise<KvKey[]> {
  const keys = manyKeys(count);
  await inWaves(keys, (key) => store.set(key, 1));
  return keys;
}

function expectOnce(listed: KvKey[], throughout: KvKey[]): void {
  const counts = new Map<string, number>();
  for (const key of listed) {
    const text = JSON.stringify(key);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  for (const [text, times] of counts) {
    expect(
      times === 1,
      `list() must yield a key once: ${text} came ${times} times`,
    );
  }
  for (const key of throughout) {
    expect(
      counts.has(JSON.stringify(key)),
      `list() must yield what is there throughout: ${show(key)} is missing`,
    );
  }
}
