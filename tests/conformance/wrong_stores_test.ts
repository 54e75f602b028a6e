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
import { wrongIsolation } from "./wrong/isolation.ts";
import { wrongKeys } from "./wrong/keys.ts";
import { wrongLargeValues } from "./wrong/large_values.ts";
import { wrongLists } from "./wrong/list.ts";
import { SimpleStore } from "./wrong/simple_store.ts";
import { wrongTtls } from "./wrong/ttl.ts";
import { wrongValues } from "./wrong/values.ts";

conformance({ name: "a simple store", open: openSimple });

/** One plain case of each section: a store wrong by one detail passes most. */
const plainCases = [
  "a key of a hundred parts works as any other",
  "set() of undefined deletes",
  "delete() deletes, and does nothing where nothing is",
  "a new TTL replaces the old one, shorter or longer",
  "cas() swaps only what equals",
  "one of fifty cas() that create wins",
  "list() of nothing yields nothing",
  "unawaited calls on one key take effect in their order",
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
];

for (const { name, Store, caughtBy } of wrongStores) {
  Deno.test(`the suite catches a store that ${name}`, async () => {
    const open = () => opened(new Store());
    assertEquals(await failing(open, caughtBy, 500), caughtBy);
    const others = plainCases.filter((name) => !caughtBy.includes(name));
    const failed = await failing(open, others, 500);
    assert(failed.length <= 3, `wrong throughout: ${failed.join("; ")}`);
  });
}

Deno.test("every case catches a wrong store", () => {
  const used = new Set(wrongStores.flatMap(({ caughtBy }) => caughtBy));
  const unused = cases.filter(({ name }) => !used.has(name));
  assertEquals(unused.map(({ name }) => name), []);
});

Deno.test("the names of the cases are all different", () => {
  assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);
});

const brokenByFedify = [
  "every pair of hostile parts is listed exactly under its prefixes",
  "delete() deletes no other of the hostile keys",
  "a key of one part is not the key whose parts it joins",
  "up to three parts of what encodings end and escape parts with",
  "every method refuses an empty key",
  "every method refuses a key that is no array",
  "every method refuses a part that is no string, and names it",
  "every method refuses a part with a lone surrogate, and names it",
  "a call with a bad key leaves what was there",
  "short keys stay in order among long ones",
  "every method refuses a key of one byte more, with size and limit",
  "set() of undefined deletes",
  "-0 becomes 0",
  "dates come back",
  "a view of a part of a buffer comes back as that part",
  "a member that is undefined is dropped",
  "an object with toJSON is stored as what it returns",
  "a class instance becomes a plain object",
  "a function is refused by its path",
  "a symbol is refused by its path",
  "a RegExp is refused by its path",
  "a cycle is refused by its path",
  "cas() refuses a bad value on either side",
  "cas() swaps large values",
  "changing a value after set() changes nothing",
  "changing what get() returned changes nothing",
  "changing what list() yielded changes nothing",
  "changing the values of a cas() changes nothing",
  "changing a key or prefix after the call changes nothing",
  "list() yields an entry until its expiry, and not from it on",
  "list() yields no entry that expires while it runs",
  "set() without a TTL leaves an entry without one",
  "cas() without a TTL leaves an entry without one",
  "a TTL of zero or less deletes",
  "cas() with a TTL of zero or less deletes",
  "a duration is a TTL",
  "a fraction of a millisecond is rounded up",
  "a TTL may be as long as a number can tell",
  "a duration in weeks, months or years counts from now, in UTC",
  "set() refuses a TTL that is none, and writes nothing",
  "cas() refuses a TTL that is none, and writes nothing",
  "cas() to undefined deletes only what equals",
  "cas() of undefined to undefined tells whether nothing is there",
  "cas() swaps a value of any type for an equal one",
  "cas() does not care for the order of members",
  "list() yields the key that equals the prefix, and those under it",
  "list() without a prefix and with an empty one yields all",
  "list() is in the order of code points, a shorter key first",
  "list() of 2,600 entries yields each once, in order",
  "any mix of unawaited calls on several keys gives what it would one by one",
  "any mix of unawaited calls and cas() gives what it would one by one",
  "one bad call among good ones fails alone",
  "many bad calls in one tick fail each with its own reason",
  "a call that is rejected changes nothing for those behind it",
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
    // What is measured by time is not the same on every machine.
    cases.filter(({ promises }) => !promises.includes("streaming"))
      .map(({ name }) => name),
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
  return opened(new SimpleStore());
}

function opened(store: SimpleStore): OpenedStore {
  return {
    store,
    peer: () => store.peer(),
    advance(milliseconds) {
      store.now += milliseconds;
    },
  };
}
