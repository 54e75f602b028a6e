// Every wrong store fails the case that names its fault.
import { assert, assertEquals } from "@std/assert";
import { MemoryKvStore as FedifyMemoryKvStore } from "@fedify/fedify";
import type { KvKey, KvStore, KvStoreSetOptions } from "../../kv/store.ts";
import {
  cases,
  conformance,
  ConformanceError,
  type OpenedStore,
  runCase,
} from "../../testing/mod.ts";
import { wrongBadValues } from "./wrong/bad_values.ts";
import { wrongCalls } from "./wrong/calls.ts";
import { wrongCas } from "./wrong/cas.ts";
import { EndlessStore, endlessStores } from "./wrong/endless.ts";
import { hostileStores } from "./wrong/hostile.ts";
import { wrongIsolation } from "./wrong/isolation.ts";
import { wrongKeys } from "./wrong/keys.ts";
import { wrongLargeValues } from "./wrong/large_values.ts";
import { wrongLists } from "./wrong/list.ts";
import { wrongOperations } from "./wrong/operations.ts";
import { openedSimple, SimpleStore } from "./wrong/simple_store.ts";
import { wrongTtls } from "./wrong/ttl.ts";
import { wrongValues } from "./wrong/values.ts";

conformance({ name: "a simple store", open: openSimple });

/** One plain case of each section: a store wrong by one detail passes most. */
const plainCases = [
  "a key with a hundred parts works like any other key",
  "set() with undefined deletes the entry",
  "delete() deletes an entry and ignores a missing one",
  "set() replaces a TTL with a shorter or longer one",
  "cas() swaps only a value that equals the expected one",
  "exactly one of fifty concurrent cas() calls creates the entry",
  "list() of an empty store or prefix yields nothing",
  "unawaited calls on one key take effect in call order",
  "check() resolves and changes nothing",
];

const wrongStores = [
  ...wrongKeys,
  ...wrongValues,
  ...wrongBadValues,
  ...wrongLargeValues,
  ...wrongIsolation,
  ...wrongTtls,
  ...wrongCas,
  ...wrongLists,
  ...wrongCalls,
  ...wrongOperations,
  ...endlessStores,
  ...hostileStores,
];

for (const { name, Store, caughtBy } of wrongStores) {
  Deno.test(`the suite catches a store that ${name}`, async () => {
    const open = () => openedSimple(new Store());
    assertEquals(await failing(open, caughtBy, 2_000), caughtBy);
    const others = plainCases.filter((name) => !caughtBy.includes(name));
    const failed = await failing(open, others, 2_000);
    assert(failed.length <= 4, `wrong throughout: ${failed.join("; ")}`);
  });
}

Deno.test("every case ends on a store whose listings never end", async () => {
  const open = () => openedSimple(new EndlessStore());
  const failed = await failing(open, cases.map(({ name }) => name), 2_000);
  assert(failed.length > 10, `only ${failed.length} cases notice`);
});

Deno.test("an unordered store that leaves out order passes", async () => {
  class Reversed extends SimpleStore {
    override compare(a: readonly string[], b: readonly string[]) {
      return super.compare(a.toReversed(), b.toReversed());
    }
  }
  const names = cases.filter(({ guarantees }) =>
    !guarantees.includes("order") && !guarantees.includes("streaming")
  ).map(({ name }) => name);
  assertEquals(await failing(() => openedSimple(new Reversed()), names), []);
});

Deno.test("every case catches a wrong store", () => {
  const used = new Set(wrongStores.flatMap(({ caughtBy }) => caughtBy));
  const unused = cases.filter(({ name }) => !used.has(name));
  assertEquals(unused.map(({ name }) => name), []);
});

Deno.test("the names of the cases are all different", () => {
  assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);
});

const brokenByFedify = [
  "every method rejects an empty key",
  "every method rejects a key that is not an array",
  "every method rejects a part that is not a string and names the part",
  "every method rejects a part with a lone surrogate and names the part",
  "a call with an invalid key leaves existing entries in place",
  "every method rejects a key over 8 KiB and names its size and the limit",
  "set() with undefined deletes the entry",
  "-0 becomes 0",
  "get() returns dates as dates",
  "get() returns only the viewed part of a buffer",
  "set() drops an object member that is undefined",
  "set() stores what toJSON() returns",
  "set() stores a class instance as a plain object",
  "set() rejects a function and names its path",
  "set() rejects a symbol and names its path",
  "set() rejects a RegExp and names its path",
  "set() rejects a cycle and names its path",
  "cas() rejects an invalid value on either side",
  "cas() swaps large values",
  "changing a value after set() leaves the entry unchanged",
  "changing a value that get() returned leaves the entry unchanged",
  "changing a value that list() yielded leaves the entry unchanged",
  "changing the values given to cas() leaves the entry unchanged",
  "changing a key or prefix after the call does not affect the call",
  "list() skips an entry that expires while the listing runs",
  "set() with a TTL of zero or less deletes the entry",
  "cas() with a TTL of zero or less deletes the entry",
  "set() accepts a duration as the TTL",
  "set() rounds a fraction of a millisecond up",
  "set() accepts a TTL of any finite length",
  "a duration in weeks, months or years counts from now in UTC",
  "set() rejects an invalid TTL and writes nothing",
  "cas() rejects an invalid TTL and writes nothing",
  "cas() to undefined deletes only an entry that equals the expected one",
  "cas() from undefined to undefined tells whether the entry is absent",
  "cas() recognizes equal values of every type",
  "cas() ignores the order of object members",
  "list() yields keys in code point order and shorter keys first",
  "list() yields hostile keys in key order",
  "list() yields 2,600 entries in key order",
  "list() keeps short keys in order among long keys",
  "unawaited calls on several keys give the same results as awaited calls",
  "unawaited calls with cas() give the same results as awaited calls",
  "one invalid call among valid ones fails alone",
  "each of many invalid calls in one tick fails for its own reason",
  "a rejected call does not affect later calls",
  "a call whose input throws while it is read fails alone",
  "a value may call the store while it is read",
  "set() rejects an unknown option and names it",
  "cas() rejects an unknown option and names it",
];

/** Fedify's store, made to take a number of milliseconds as TTL. */
class FedifyStore extends FedifyMemoryKvStore {
  override set(key: KvKey, value: unknown, options?: KvStoreSetOptions) {
    return super.set(key, value, withDuration(options));
  }

  override cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ) {
    return super.cas(key, expectedValue, newValue, withDuration(options));
  }
}

function withDuration(options?: KvStoreSetOptions) {
  const { ttl } = options ?? {};
  return typeof ttl !== "number"
    ? options as { ttl?: Temporal.Duration } | undefined
    : { ttl: Temporal.Duration.from({ milliseconds: Math.ceil(ttl) }) };
}

Deno.test("Fedify's own MemoryKvStore 2.3.6 fails just these cases", async () => {
  const failed = await failing(
    () => new FedifyStore() as KvStore,
    // What is measured by time is not the same on every machine, and the
    // operations are not part of Fedify's interface.
    cases.filter(({ guarantees }) =>
      !guarantees.includes("streaming") && !guarantees.includes("operations")
    ).map(({ name }) => name),
  );
  assertEquals(failed, brokenByFedify);
});

/** Returns the names of the cases that fail, of those named. */
async function failing(
  open: () => KvStore | OpenedStore,
  names: readonly string[],
  timeLimit?: number,
): Promise<string[]> {
  const failed = [];
  for (const name of names) {
    const each = cases.find((each) => each.name === name);
    assert(each, `there is no case named ${name}`);
    try {
      await runCase(each, open, timeLimit ? { timeLimit } : {});
    } catch (error) {
      assert(error instanceof ConformanceError, String(error));
      failed.push(name);
    }
  }
  return failed;
}

function openSimple(): OpenedStore {
  return openedSimple(new SimpleStore());
}
