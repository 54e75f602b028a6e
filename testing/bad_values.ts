// Cases about values that set() and cas() reject.
import type { KvKey, KvStore } from "../kv/store.ts";
import { expectClass } from "./bad_keys.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expect,
  expectEntry,
  expectKeys,
  rejection,
  withCas,
} from "./expect.ts";
import { show } from "./show.ts";

const section = "Values";
const guarantees = [] as const;

/** The cases about values that are refused. */
export const badValueCases: readonly ConformanceCase[] = [
  {
    section,
    name: "set() rejects a function and names its path",
    line: "a function throws a TypeError that names the path, and nothing " +
      "is written",
    guarantees,
    async run({ store }) {
      await expectRefused(store, () => 1);
      await expectRefused(store, class {});
      await expectPaths(store, () => 1);
    },
  },
  {
    section,
    name: "set() rejects a symbol and names its path",
    line: "a symbol throws a TypeError that names the path, and nothing is " +
      "written",
    guarantees,
    async run({ store }) {
      await expectRefused(store, Symbol("a"));
      await expectPaths(store, Symbol.iterator);
    },
  },
  {
    section,
    name: "set() rejects a RegExp and names its path",
    line: "a RegExp throws a TypeError that names the path, and nothing is " +
      "written",
    guarantees,
    async run({ store }) {
      await expectRefused(store, /a/);
      await expectPaths(store, /a/g);
    },
  },
  {
    section,
    name: "set() rejects a cycle and names its path",
    line: "a cycle throws a TypeError that names the path, and nothing is " +
      "written",
    guarantees,
    async run({ store }) {
      const self: Record<string, unknown> = {};
      self.self = self;
      await expectRefused(store, self, "value.self");

      const parent = { name: "a", child: { parent: {} } };
      parent.child.parent = parent;
      await expectRefused(store, parent, "value.child.parent");

      const array: unknown[] = [1];
      array.push([array]);
      await expectRefused(store, array, "value[1][0]");

      const map = new Map<unknown, unknown>();
      map.set("a", [map]);
      await expectRefused(store, map);
      const key = new Map<unknown, unknown>();
      key.set([key], 1);
      await expectRefused(store, key);
      const set = new Set<unknown>();
      set.add({ set });
      await expectRefused(store, set);
    },
  },
  {
    section,
    name: "cas() rejects an invalid value on either side",
    line: "a rejected call changed nothing",
    guarantees: ["cas"],
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      await store.set(["a"], 1);
      for (const bad of [() => 1, Symbol("a"), /a/, { items: [() => 1] }]) {
        const sides = [[1, bad], [2, bad], [undefined, bad], [bad, 2]] as const;
        for (const [expected, value] of sides) {
          const what = `cas(["a"], ${show(expected)}, ${show(value)})`;
          const call = () => store.cas(["a"], expected, value);
          const error = await rejection(what, call);
          expectClass(error, TypeError, what);
          await expectEntry(store, ["a"], 1, `after ${what}`);
        }
      }
      const what = `cas(["b"], undefined, { items: [{ onClick() {} }] })`;
      const error = await rejection(
        what,
        () => store.cas(["b"], undefined, { items: [{ onClick() {} }] }),
      );
      expectPath(error, what, ".items[0].onClick");
      await expectEntry(store, ["b"], undefined, `after ${what}`);
    },
  },
];

async function expectPaths(store: KvStore, bad: unknown): Promise<void> {
  await expectRefused(
    store,
    { items: [1, 2, 3, { onClick: bad }] },
    "value.items[3].onClick",
  );
  await expectRefused(store, [0, [bad]], "value[1][0]");
  await expectRefused(store, { date: new Date(1), a: { b: bad } }, "value.a.b");
  await expectRefused(store, new Map([["a", bad]]));
  await expectRefused(store, new Map([[[bad], 1]]));
  await expectRefused(store, new Set([{ a: bad }]));
  await expectRefused(store, { toJSON: () => ({ a: bad }) });
}

async function expectRefused(
  store: KvStore,
  value: unknown,
  path = "value",
): Promise<void> {
  const [absent, present]: KvKey[] = [["absent"], ["present"]];
  await store.set(present!, 1);
  for (const key of [absent!, present!]) {
    const what = `set(${show(key)}, ${show(value)})`;
    const error = await rejection(what, () => store.set(key, value));
    expectClass(error, TypeError, what);
    expectPath(error, what, path);
  }
  await expectEntry(store, present!, 1, "after a rejected set()");
  await expectKeys(store, undefined, [present!], "after a rejected set()");
}

function expectPath(error: Error, what: string, path: string): void {
  expect(
    error.message.includes(path),
    `the message of ${what} must name ${path}: ${show(error.message)}`,
  );
}
