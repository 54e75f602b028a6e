// Cases about an expiry that the caller gives as a moment.
import type { KvKey, KvStoreSetOptions } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expect,
  expectEntry,
  expectKeys,
  expectSame,
  rejection,
  withCas,
} from "./expect.ts";
import { long, passToExpiry, short, whileAlive } from "./expiry.ts";
import { withOperations } from "./operations.ts";
import { show } from "./show.ts";

const section = "TTL";
const line = "expires is the moment of the expiry, exact to the millisecond";

/** The cases about `expires` of `set` and `cas`. */
export const expiresCases: readonly ConformanceCase[] = [
  {
    section,
    name: "set() with expires keeps an entry until that moment",
    line,
    guarantees: ["operations"],
    async run(context) {
      const { store, peer } = context;
      await store.set(["long"], 1, { expires: Date.now() + long });
      await whileAlive(
        context,
        () => store.set(["a"], 1, { expires: Date.now() + short }),
        () => expectEntry(store, ["a"], 1, "before its expiry"),
      );
      await passToExpiry(
        context,
        () => expectEntry(store, ["a"], 1, "1 ms before its expiry"),
      );
      for (const each of [store, await peer()]) {
        await expectEntry(each, ["a"], undefined, "from its expiry on");
        await expectKeys(each, undefined, [["long"]], "after an expiry");
      }
    },
  },
  {
    section,
    name: "cas() with expires keeps an entry until that moment",
    line,
    guarantees: ["operations", "cas"],
    async run(context) {
      const store = withCas(context.store);
      await store.set(["swap"], 1);
      await store.set(["other"], 1);
      await store.set(["long"], 1);
      const swaps = async () => {
        const soon = { expires: Date.now() + short };
        const late = { expires: Date.now() + long };
        expectSame(
          await Promise.all([
            store.cas(["create"], undefined, 1, soon),
            store.cas(["swap"], 1, 2, soon),
            store.cas(["other"], 2, 3, soon),
            store.cas(["long"], 1, 1, late),
          ]),
          [true, true, false, true],
          "cas() that creates, swaps, fails, and only gives an expiry",
        );
      };
      await whileAlive(context, swaps, async () => {
        await expectEntry(store, ["create"], 1, "before its expiry");
        await expectEntry(store, ["swap"], 2, "before its expiry");
      });
      await context.pass(short);
      await expectEntry(store, ["create"], undefined, "after its expiry");
      await expectEntry(store, ["swap"], undefined, "after its expiry");
      await expectKeys(store, undefined, [["long"], ["other"]]);
    },
  },
  {
    section,
    name: "list() and keys() yield the expires that was given",
    line: "entries carry the expires that they were written with, rounded up",
    guarantees: ["operations"],
    async run(context) {
      const store = withOperations(context.store);
      const start = Date.now() + 3_600_000;
      const given = [start, start + 1, start + 86_400_001.5, 4_102_444_800_000];
      // Together they travel in one batch; the last one alone.
      await Promise.all(
        given.map((expires, i) => store.set(["a", `${i}`], i, { expires })),
      );
      await store.set(["a", "3"], 3, { expires: given[3] });
      const entries = given.map((expires, i) => ({
        key: ["a", `${i}`] as KvKey,
        expires: Math.ceil(expires),
      }));
      expectSame(
        await Array.fromAsync(store.list(["a"])),
        entries.map((entry, value) => ({ ...entry, value })),
        "entries of list()",
      );
      expectSame(
        await Array.fromAsync(store.keys(["a"])),
        entries,
        "entries of keys()",
      );
    },
  },
  {
    section,
    name: "set() with an expires that has passed deletes the entry",
    line: "an expires that has passed: already expired, so the entry is " +
      "deleted",
    guarantees: ["operations"],
    async run({ store }) {
      for (const expires of [Date.now() - 60_000, 0.5, 0, -1, -1e300]) {
        await store.set(["present"], 1);
        await store.set(["present"], 2, { expires });
        await store.set(["absent"], 2, { expires });
        await expectEntry(store, ["present"], undefined, "which is expired");
        await expectKeys(store, undefined, [], "which are expired");
      }
    },
  },
  {
    section,
    name: "set() rejects an invalid expires and writes nothing",
    line: "NaN, an infinity, another type or a TTL as well: a RangeError or " +
      "TypeError, and nothing written",
    guarantees: ["operations"],
    async run({ store }) {
      await store.set(["present"], 1);
      const later = Date.now() + long;
      const wrong = [
        ...[NaN, Infinity, -Infinity, `${later}`, null, true, {}, 60n]
          .map((expires) => ({ expires })),
        { expires: new Date(later) },
        { expires: later, ttl: long },
        { expires: 0, ttl: 0 },
      ] as unknown as KvStoreSetOptions[];
      for (const options of wrong) {
        for (const key of [["absent"], ["present"]] as const) {
          const what = `set(${show(key)}, 2, ${show(options)})`;
          const error = await rejection(
            what,
            () => store.set(key, 2, options),
          );
          expect(
            error instanceof RangeError || error instanceof TypeError,
            `${what} must reject with a RangeError or a TypeError, and ` +
              `rejected with ${show(error)}`,
          );
        }
        await expectEntry(store, ["absent"], undefined, "after a rejection");
        await expectEntry(store, ["present"], 1, "after a rejection");
      }
    },
  },
];
