// Cases about when an entry expires.
import type { KvKey, KvStore, Ttl } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expect,
  expectEntry,
  expectKeys,
  expectSame,
  withCas,
} from "./expect.ts";
import { long, passToExpiry, short, whileAlive } from "./expiry.ts";

const section = "TTL";
const guarantees = [] as const;
const line = "an expired entry is absent for get, list and cas, exact to the " +
  "millisecond";

/** The cases about when an entry is absent. */
export const ttlCases: readonly ConformanceCase[] = [
  {
    section,
    name: "get() finds an entry until its expiry and not after it",
    line,
    guarantees,
    async run(context) {
      const { store, peer, pass } = context;
      await store.set(["long"], 1, { ttl: long });
      await whileAlive(
        context,
        () => store.set(["a"], 1, { ttl: short }),
        () => expectEntry(store, ["a"], 1, "before its expiry"),
      );
      await passToExpiry(
        context,
        () => expectEntry(store, ["a"], 1, "1 ms before its expiry"),
      );
      for (const each of [store, await peer()]) {
        await expectEntry(each, ["a"], undefined, "from its expiry on");
        await expectEntry(each, ["long"], 1, "long before its expiry");
      }
      await pass(1);
      await expectEntry(store, ["a"], undefined, "after its expiry");
    },
  },
  {
    section,
    name: "list() yields an entry until its expiry and not after it",
    line,
    guarantees,
    async run(context) {
      const { store, peer } = context;
      const all: KvKey[] = [["a", "1"], ["a", "2"], ["a", "3"]];
      await store.set(all[0]!, 1);
      await store.set(all[2]!, 1, { ttl: long });
      await whileAlive(
        context,
        () => store.set(all[1]!, 1, { ttl: short }),
        () => expectKeys(store, ["a"], all, "before an expiry"),
      );
      await passToExpiry(
        context,
        () => expectKeys(store, ["a"], all, "1 ms before an expiry"),
      );
      for (const each of [store, await peer()]) {
        await expectKeys(each, ["a"], [all[0]!, all[2]!], "after an expiry");
        await expectKeys(each, all[1]!, [], "which has expired");
      }
    },
  },
  {
    section,
    name: "list() skips an entry that expires while the listing runs",
    line: "no entry is yielded after its expiry",
    guarantees,
    async run(context) {
      const { store, pass } = context;
      const keys = Array.from({ length: 20 }, (_, i): KvKey => ["a", `${i}`]);
      await store.set(["a"], 1);
      await Promise.all(
        keys.map((key) => store.set(key, 1, { ttl: short })),
      );
      const listed = [];
      for await (const { key } of store.list()) {
        if (listed.length === 0) await pass(short);
        listed.push(key);
      }
      const late = listed.slice(1).filter(({ length }) => length > 1);
      expectSame(late, [], "keys listed after their expiry");
      expect(
        listed.some(({ length }) => length === 1),
        'list() must yield the key without a TTL: ["a"] is missing',
      );
    },
  },
  {
    section,
    name: "cas() finds an entry until its expiry and not after it",
    line,
    guarantees: ["cas"],
    async run(context) {
      const store = withCas(context.store);
      const keys: KvKey[] = [["create"], ["swap"], ["delete"]];
      for (const key of keys) await store.set(key, 1, { ttl: long });
      expectSame(
        await Promise.all([
          store.cas(["create"], undefined, 2),
          store.cas(["swap"], 1, 1),
        ]),
        [false, true],
        "cas() that creates, and one that swaps, before the expiry",
      );
      for (const key of keys) await store.set(key, 1, { ttl: short });
      await context.pass(short);
      expectSame(
        await Promise.all([
          store.cas(["swap"], 1, 2),
          store.cas(["delete"], 1, undefined),
          store.cas(["create"], undefined, 2),
          store.cas(["delete"], undefined, undefined),
        ]),
        [false, false, true, true],
        "cas() that swaps, deletes, creates and finds none, after the expiry",
      );
      await expectEntry(store, ["swap"], undefined);
      await expectEntry(store, ["create"], 2, "created over an expired one");
      await context.pass(short);
      await expectEntry(store, ["create"], 2, "which has no TTL");
    },
  },
  {
    section,
    name: "cas() sets the TTL together with the value",
    line: "an expired entry is absent for get, list and cas",
    guarantees: ["cas"],
    async run(context) {
      const store = withCas(context.store);
      const ttl = { ttl: short };
      await store.set(["swap"], 1);
      await store.set(["extend"], 1, { ttl: short });
      await whileAlive(context, () =>
        Promise.all([
          store.cas(["create"], undefined, 1, ttl),
          store.cas(["swap"], 1, 2, ttl),
        ]), async () => {
        await expectEntry(store, ["create"], 1, "before its expiry");
        await expectEntry(store, ["swap"], 2, "before its expiry");
      });
      await store.set(["extend"], 1);
      expectSame(
        await store.cas(["extend"], 1, 1, { ttl: long }),
        true,
        "cas() that only gives a TTL",
      );
      await context.pass(short);
      await expectEntry(store, ["create"], undefined, "after its expiry");
      await expectEntry(store, ["swap"], undefined, "after its expiry");
      await expectEntry(store, ["extend"], 1, "whose TTL was made longer");
      await expectKeys(store, undefined, [["extend"]]);
    },
  },
  {
    section,
    name: "set() without a TTL removes an earlier TTL",
    line:
      "set and cas without ttl leave an entry without a TTL, whatever it had",
    guarantees,
    async run({ store, pass }) {
      const options = [undefined, {}, { ttl: undefined }];
      for (const [i, without] of options.entries()) {
        await store.set(["other", `${i}`], 1, { ttl: short });
        await store.set(["other", `${i}`], 2, without);
        await store.set(["same", `${i}`], 2, { ttl: short });
        await store.set(["same", `${i}`], 2, without);
      }
      await pass(short);
      const keys = ["other", "same"].flatMap((name) =>
        options.map((_, i): KvKey => [name, `${i}`])
      );
      await expectKeys(store, undefined, keys, "set without a TTL since");
      for (const key of keys) {
        await expectEntry(store, key, 2, "set without a TTL since");
      }
    },
  },
  {
    section,
    name: "cas() without a TTL removes an earlier TTL",
    line:
      "set and cas without ttl leave an entry without a TTL, whatever it had",
    guarantees: ["cas"],
    async run({ store: withoutCas, pass }) {
      const store = withCas(withoutCas);
      const options = [undefined, {}, { ttl: undefined }];
      const swapAll = async (ttl: number) =>
        await Promise.all(options.flatMap((without, i) => [
          store.set(["other", `${i}`], 1, { ttl }),
          store.cas(["other", `${i}`], 1, 2, without),
          store.set(["same", `${i}`], 2, { ttl }),
          store.cas(["same", `${i}`], 2, 2, without),
        ]));
      const inTime = [undefined, true, undefined, true];
      // On a busy machine a swap may come too late for a TTL this short.
      let ttl = 150;
      let start = Date.now();
      let swaps = await swapAll(ttl);
      while (swaps.includes(false) && Date.now() - start >= ttl) {
        ttl *= 4;
        start = Date.now();
        swaps = await swapAll(ttl);
      }
      expectSame(
        swaps,
        [...inTime, ...inTime, ...inTime],
        "set() and cas() right behind it",
      );
      await pass(ttl);
      const keys = ["other", "same"].flatMap((name) =>
        options.map((_, i): KvKey => [name, `${i}`])
      );
      await expectKeys(store, undefined, keys, "swapped without a TTL since");
      for (const key of keys) {
        await expectEntry(store, key, 2, "swapped without a TTL since");
      }
    },
  },
  {
    section,
    name: "a failed cas() leaves the TTL unchanged",
    line: "a failed swap changes nothing",
    guarantees: ["cas"],
    async run(context) {
      const store = withCas(context.store);
      await store.set(["kept"], 1);
      await store.set(["short"], 1, { ttl: short });
      expectSame(
        await Promise.all([
          store.cas(["kept"], 2, 3, { ttl: short }),
          store.cas(["kept"], undefined, 3, { ttl: 0 }),
          store.cas(["short"], 2, 3),
        ]),
        [false, false, false],
        "three wrong cas()",
      );
      await context.pass(short);
      await expectEntry(store, ["kept"], 1, "which had no TTL");
      await expectEntry(store, ["short"], undefined, "which had a short TTL");
    },
  },
  {
    section,
    name: "set() replaces a TTL with a shorter or longer one",
    line: "set writes the entry and its TTL",
    guarantees,
    async run({ store, pass }) {
      await store.set(["shorter"], 1, { ttl: long });
      await store.set(["shorter"], 1, { ttl: short });
      await store.set(["longer"], 1, { ttl: short });
      await store.set(["longer"], 1, { ttl: long });
      await store.set(["given"], 1);
      await store.set(["given"], 1, { ttl: short });
      await pass(short);
      await expectKeys(store, undefined, [["longer"]]);
      await expectEntry(store, ["longer"], 1);
      await expectEntry(store, ["shorter"], undefined);
      await expectEntry(store, ["given"], undefined);
      await store.set(["shorter"], 2);
      await expectEntry(store, ["shorter"], 2, "set again after its expiry");
      await store.delete(["given"]);
      await expectEntry(store, ["given"], undefined);
    },
  },
  {
    section,
    name: "set() with a TTL of zero or less deletes the entry",
    line: "zero or negative: already expired, so the entry is deleted",
    guarantees,
    async run({ store }) {
      const ttls: Ttl[] = [0, -0, -1, -0.5, -1e300, { total: () => 0 }];
      for (const ttl of [...ttls, { total: () => -1 }]) {
        await store.set(["present"], 1);
        await store.set(["present"], 2, { ttl });
        await store.set(["absent"], 2, { ttl });
        await expectGone(store, ["present"]);
        await expectGone(store, ["absent"]);
      }
    },
  },
  {
    section,
    name: "cas() with a TTL of zero or less deletes the entry",
    line: "zero or negative: already expired, so the entry is deleted",
    guarantees: ["cas"],
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      for (const ttl of [0, -1, -0.5, { total: () => -1 }]) {
        await store.set(["present"], 1);
        expectSame(
          await Promise.all([
            store.cas(["present"], 1, 2, { ttl }),
            store.cas(["absent"], undefined, 2, { ttl }),
          ]),
          [true, true],
          "cas() that swaps, and one that creates",
        );
        await expectGone(store, ["present"]);
        await expectGone(store, ["absent"]);
      }
    },
  },
];

async function expectGone(store: KvStore, key: KvKey) {
  await expectEntry(store, key, undefined, "which is already expired");
  await expectKeys(store, key, [], "which is already expired");
}
