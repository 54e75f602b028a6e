// Cases about hostile values, keys and options.
import type { KvKey, KvStore, KvStoreSetOptions } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expect,
  expectEntry,
  expectKeys,
  expectSame,
  inWaves,
} from "./expect.ts";
import { show } from "./show.ts";

const section = "Hostile input";
const apart =
  "each call of a tick still succeeds or fails on its own, and an " +
  "invalid call never makes its neighbours fail";

/** The cases about input that an attacker chooses. */
export const hostileCases: readonly ConformanceCase[] = [
  {
    section,
    name: "no value changes a prototype",
    line: "every driver returns an equal value of the same type, nested " +
      "anywhere",
    guarantees: [],
    async run({ store }) {
      const values = [
        '{"__proto__":{"polluted":1}}',
        '{"constructor":{"prototype":{"polluted":1}}}',
        '[{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":2}}}]',
        '{"__proto__":["polluted"],"polluted":{"__proto__":null}}',
      ].map((text): unknown => JSON.parse(text));
      const rich = values.map((value) => new Map([["__proto__", value]]));
      await inWaves([...values, ...rich], async (value, i) => {
        await store.set(["__proto__", `${i}`], value);
        const read = await store.get(["__proto__", `${i}`]);
        const name = show(value);
        expectSame(read, value, `get() of ${name}`);
        for (const each of [{}, [], new Map(), read]) {
          expect(
            typeof each === "object" && each !== null &&
              !("polluted" in each && !Object.hasOwn(each, "polluted")),
            `storing ${name} must not change a prototype`,
          );
        }
      });
      await expectEntry(store, ["polluted"], undefined);
    },
  },
  {
    section,
    name: "set() stores what getters and proxies show",
    line: "a class instance becomes a plain object",
    guarantees: [],
    async run({ store }) {
      const getter = {
        get a() {
          return [1, { b: new Date(2) }];
        },
      };
      const proxies = [
        new Proxy({ a: 1, b: [2] }, {}),
        new Proxy([1, { a: 2 }], {}),
        { inner: new Proxy({ a: new Date(1) }, {}) },
        new Proxy({}, {
          ownKeys: () => ["a"],
          getOwnPropertyDescriptor: () => ({
            value: 1,
            configurable: true,
            enumerable: true,
          }),
          get: (_, name) => name === "a" ? 1 : undefined,
        }),
      ];
      const expected = [
        { a: 1, b: [2] },
        [1, { a: 2 }],
        { inner: { a: new Date(1) } },
        { a: 1 },
      ];
      await store.set(["getter"], getter);
      await expectEntry(store, ["getter"], { a: [1, { b: new Date(2) }] });
      for (const [i, value] of proxies.entries()) {
        await store.set(["proxy", `${i}`], value);
        await expectEntry(store, ["proxy", `${i}`], expected[i]);
      }
      const key = new Proxy(["proxy", "key"], {}) as unknown as KvKey;
      await store.set(key, 1);
      await expectEntry(store, ["proxy", "key"], 1);
    },
  },
  {
    section,
    name: "a call whose input throws while it is read fails alone",
    line: apart,
    guarantees: [],
    async run({ store }) {
      for (const [i, [what, call]] of throwing(store).entries()) {
        const key: KvKey = ["kept", `${i}`];
        await store.set(key, 1);
        const settled = await Promise.allSettled([
          store.set(key, 2),
          call(),
          store.get(key),
          store.set([...key, "after"], 3),
        ]);
        expectSame(
          settled.map(({ status }) => status),
          ["fulfilled", "rejected", "fulfilled", "fulfilled"],
          `how the calls around ${what} ended`,
        );
        await expectEntry(store, key, 2, `next to ${what}`);
        await expectEntry(store, [...key, "after"], 3, `next to ${what}`);
      }
      await expectKeys(store, ["thrown"], []);
    },
  },
  {
    section,
    name: "a value may call the store while it is read",
    line: "each call of a tick still succeeds or fails on its own",
    guarantees: [],
    async run({ store }) {
      const inner: Promise<unknown>[] = [];
      await store.set(["outer"], {
        get a() {
          inner.push(store.set(["getter"], 1), store.get(["missing"]));
          return 1;
        },
        b: {
          toJSON() {
            inner.push(store.set(["toJSON"], 2));
            return 2;
          },
        },
      });
      await Promise.all(inner);
      await expectEntry(store, ["outer"], { a: 1, b: 2 });
      await expectEntry(store, ["getter"], 1, "set by a getter");
      await expectEntry(store, ["toJSON"], 2, "set by toJSON()");
    },
  },
  {
    section,
    name: "set() stores a value with 2,000 members whose names collide",
    line: "every driver returns an equal value of the same type, nested " +
      "anywhere",
    guarantees: [],
    async run({ store }) {
      // V8 hashes text that looks like an index to a number without a seed.
      const value = Object.fromEntries(
        Array.from({ length: 2_000 }, (_, i) => [`${i * 65_536}`, i]),
      );
      await store.set(["plain"], value);
      await expectEntry(store, ["plain"], value);
      const rich = new Map(Object.entries(value));
      await store.set(["rich"], rich);
      await expectEntry(store, ["rich"], rich);
    },
  },
];

/** Calls with input that throws when it is read. */
function throwing(
  store: KvStore,
): [what: string, call: () => Promise<unknown>][] {
  const failure = new Error("thrown while being read");
  const fail = (): never => {
    throw failure;
  };
  const getter = { get: fail, enumerable: true, configurable: true };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const values: [what: string, value: unknown][] = [
    ["a getter that throws", Object.defineProperty({}, "a", getter)],
    ["an index that throws", Object.defineProperty([1], 0, getter)],
    ["toJSON() that throws", { toJSON: fail }],
    ["a proxy whose members throw", new Proxy({ a: 1 }, { get: fail })],
    ["a proxy without members", new Proxy({}, { ownKeys: fail })],
    ["a proxy of no class", new Proxy({}, { getPrototypeOf: fail })],
    ["a revoked proxy", revoked.proxy],
    ["a revoked proxy inside", { a: [1n, revoked.proxy] }],
  ];
  const key = Object.defineProperty(["thrown"], 0, getter);
  const options = Object.defineProperty({}, "ttl", getter);
  return [
    ...values.map(([what, value]): [string, () => Promise<unknown>] => [
      `set() of ${what}`,
      () => store.set(["thrown"], value),
    ]),
    [
      "set() with a key that throws",
      () => store.set(key as unknown as KvKey, 1),
    ],
    ["get() with a key that throws", () => store.get(key as unknown as KvKey)],
    [
      "set() with options that throw",
      () => store.set(["thrown"], 1, options as KvStoreSetOptions),
    ],
    [
      "set() with a TTL that throws",
      () => store.set(["thrown"], 1, { ttl: { total: fail } }),
    ],
  ];
}
