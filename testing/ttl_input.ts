// Cases about the forms of a TTL, valid and invalid.
import type { KvStore, Ttl } from "../kv/store.ts";
import type { ConformanceCase } from "./case.ts";
import {
  expect,
  expectEntry,
  expectKeys,
  expectSame,
  inWaves,
  rejection,
  withCas,
} from "./expect.ts";
import { show } from "./show.ts";
import { whileAlive } from "./expiry.ts";

const section = "TTL";
const guarantees = [] as const;

/** The cases about what a TTL may be. */
export const ttlInputCases: readonly ConformanceCase[] = [
  {
    section,
    name: "set() accepts a duration as the TTL",
    line: "a TTL is a number of milliseconds or a duration that tells its " +
      "total",
    guarantees,
    async run(context) {
      const { store, pass } = context;
      await store.set(["long"], 1, { ttl: { total: () => 60_000 } });
      await whileAlive(
        context,
        () => store.set(["short"], 1, { ttl: { total: () => 60 } }),
        () => expectEntry(store, ["short"], 1, "before its expiry"),
      );
      await pass(60);
      await expectEntry(store, ["short"], undefined, "after its expiry");
      await expectEntry(store, ["long"], 1, "long before its expiry");
    },
  },
  {
    section,
    name: "set() rounds a fraction of a millisecond up",
    line: "TTLs are exact to the millisecond, rounded up",
    guarantees,
    async run({ store, exact, pass }) {
      const ttls: Ttl[] = [0.1, 0.5, 19.5, 19.000001, { total: () => 19.5 }];
      await inWaves(ttls, (ttl, i) => store.set([`${i}`], 1, { ttl }));
      const expire = async (milliseconds: number, left: string[]) => {
        if (exact) {
          await pass(milliseconds);
          await expectKeys(store, undefined, left.map((key) => [key]));
        }
      };
      await expire(0, ["0", "1", "2", "3", "4"]);
      await expire(1, ["2", "3", "4"]);
      await expire(18, ["2", "3", "4"]);
      await expire(1, []);
      if (!exact) await pass(20);
      await expectKeys(store, undefined, [], "after every expiry");
    },
  },
  {
    section,
    name: "set() accepts a TTL of any finite length",
    line: "a finite TTL of any length is kept",
    guarantees,
    async run({ store, pass }) {
      const ttls: Ttl[] = [
        ...[2 ** 31, 2 ** 32, 3.15576e12, Number.MAX_SAFE_INTEGER, 1e300],
        ...[{ total: () => 3.15576e12 }, { total: () => 1e300 }],
      ];
      await inWaves(ttls, (ttl, i) => store.set([`${i}`], i, { ttl }));
      await pass(5);
      for (const i of ttls.keys()) {
        await expectEntry(store, [`${i}`], i, `with a TTL of ${show(ttls[i])}`);
      }
      expectSame(ttls.length, await keysCount(store), "entries of list()");
    },
  },
  {
    section,
    name: "a duration in weeks, months or years counts from now in UTC",
    line: "a duration in weeks, months or years counts from now, in UTC",
    guarantees,
    async run({ store, exact, pass }) {
      const units = ["weeks", "months", "years"] as const;
      for (const unit of units) {
        await store.set([unit], 1, { ttl: duration({ [unit]: 1 }) });
        await expectEntry(store, [unit], 1, "before its expiry");
      }
      const day = 86_400_000;
      if (exact) {
        await pass(7 * day - 1);
        await expectEntry(store, ["weeks"], 1, "1 ms before its expiry");
        await pass(1);
        await expectEntry(store, ["weeks"], undefined, "after its expiry");
        await pass(24 * day);
        await expectEntry(store, ["months"], undefined, "after its expiry");
        await expectEntry(store, ["years"], 1, "before its expiry");
      }
      for (const unit of units) {
        await store.set([unit], 1, { ttl: duration({ [unit]: -1 }) });
        await expectEntry(store, [unit], undefined, "which is expired");
      }
    },
  },
  {
    section,
    name: "set() rejects an invalid TTL and writes nothing",
    line: "NaN, an infinity or another type: a RangeError or TypeError, and " +
      "nothing written",
    guarantees,
    async run({ store }) {
      await store.set(["present"], 1);
      for (const ttl of badTtls()) {
        for (const value of [2, undefined]) {
          for (const key of [["absent"], ["present"]] as const) {
            const what = `set(${show(key)}, ${show(value)}, { ttl: ${
              show(ttl)
            } })`;
            await expectTtlError(what, () => store.set(key, value, { ttl }));
          }
        }
        await expectEntry(store, ["absent"], undefined, "after a rejection");
        await expectEntry(store, ["present"], 1, "after a rejection");
      }
    },
  },
  {
    section,
    name: "cas() rejects an invalid TTL and writes nothing",
    line: "NaN, an infinity or another type: a RangeError or TypeError, and " +
      "nothing written",
    guarantees: ["cas"],
    async run({ store: withoutCas }) {
      const store = withCas(withoutCas);
      await store.set(["present"], 1);
      for (const ttl of badTtls()) {
        const options = { ttl };
        for (const expected of [1, 5, undefined]) {
          for (const value of [2, undefined]) {
            await expectTtlError(
              `cas(["present"], ${show(expected)}, ${show(value)}, ${
                show(options)
              })`,
              () => store.cas(["present"], expected, value, options),
            );
          }
        }
        await expectTtlError(
          `cas(["absent"], undefined, 2, ${show(options)})`,
          () => store.cas(["absent"], undefined, 2, options),
        );
        await expectEntry(store, ["absent"], undefined, "after a rejection");
        await expectEntry(store, ["present"], 1, "after a rejection");
      }
    },
  },
];

function badTtls(): Ttl[] {
  return [
    ...[NaN, Infinity, -Infinity, "60", true, null, {}, [], [60], 60n],
    ...[new Date(60), { total: 60 }, () => 60, Symbol("ttl")],
    ...[{ total: () => NaN }, { total: () => Infinity }],
    ...[{ total: () => "60" }, { total: () => undefined }],
  ] as unknown as Ttl[];
}

async function expectTtlError(what: string, call: () => Promise<unknown>) {
  const error = await rejection(what, call);
  expect(
    error instanceof RangeError || error instanceof TypeError,
    `${what} must reject with a RangeError or a TypeError, and rejected with ${
      show(error)
    }`,
  );
}

/** A `Temporal.Duration`, or what tells its total as one does. */
function duration(units: { [unit: string]: number }): Ttl {
  const { Temporal } = globalThis as {
    Temporal?: { Duration: { from(units: unknown): Ttl } };
  };
  if (Temporal) return Temporal.Duration.from(units);
  return {
    ...units,
    total(of: string | { relativeTo?: string }) {
      if (typeof of === "string" || of.relativeTo === undefined) {
        throw new RangeError("a starting point is required");
      }
      const start = new Date(of.relativeTo.slice(0, 23) + "Z");
      const end = new Date(start);
      end.setUTCFullYear(end.getUTCFullYear() + (units.years ?? 0));
      end.setUTCMonth(end.getUTCMonth() + (units.months ?? 0));
      end.setUTCDate(end.getUTCDate() + 7 * (units.weeks ?? 0));
      return end.getTime() - start.getTime();
    },
  };
}

async function keysCount(store: KvStore): Promise<number> {
  let count = 0;
  for await (const _ of store.list()) count++;
  return count;
}
