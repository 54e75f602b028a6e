/** What the queue of a store costs, bounds and shares. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type KvCall,
  KvError,
  KvOutcomeUnknownError,
  KvOverloadError,
} from "../../kv/driver.ts";
import { Probe } from "./probe.ts";

Deno.test("reads of one key in one batch travel once, and share no value", async () => {
  const kv = new Probe();
  await kv.set(["a"], { list: [1] });
  const [first, second] = await Promise.all([
    kv.get<{ list: number[] }>(["a"]),
    kv.get<{ list: number[] }>(["a"]),
    kv.get(["b"]),
  ]);
  assertEquals(kv.batches.at(-1), ["get a", "get b"]);
  first!.list.push(2);
  assertEquals(second, { list: [1] });
});

Deno.test("each of several reads of one key is rejected with an error", async () => {
  const kv = new Probe();
  kv.before = ([call]) => call!.reject(new Error("down"));
  const results = await Promise.allSettled([kv.get(["a"]), kv.get(["a"])]);
  assertEquals(
    results.map((result) => (result as PromiseRejectedResult).reason.message),
    [
      'Cannot get ["a"]: down',
      'Cannot get ["a"]: down',
    ],
  );
});

Deno.test("reads that wait for a write travel as one", async () => {
  const kv = new Probe();
  const results = await Promise.all([
    kv.set(["a"], 1),
    kv.get(["a"]),
    kv.get(["a"]),
    kv.set(["a"], 2),
    kv.set(["a"], 3),
    kv.get(["a"]),
  ]);
  assertEquals(results, [undefined, 1, 1, undefined, undefined, 3]);
  assertEquals(kv.batches, [["set a"], ["get a"], ["set a"], ["get a"]]);
});

Deno.test("pending counts the calls that are not settled", async () => {
  const kv = new Probe();
  assertEquals(kv.pending, 0);
  const calls = [kv.set(["a"], 1), kv.get(["a"]), kv.get(["b"])];
  assertEquals(kv.pending, 3);
  await Promise.all(calls);
  assertEquals(kv.pending, 0);
});

for (const sequential of [false, true]) {
  Deno.test(`maxPending rejects further calls, which change nothing (sequential: ${sequential})`, async () => {
    const kv = new Probe({ maxPending: 2, sequential });
    const calls = [kv.set(["a"], 1), kv.set(["b"], 1)];
    const error = await assertRejects(
      () => kv.set(["a"], 2),
      KvOverloadError,
      'Cannot set ["a"]: 2 calls are pending',
    );
    assert(error instanceof KvError);
    await Promise.all(calls);
    assertEquals(await kv.get(["a"]), 1);
  });
}

Deno.test("a read overtakes a long queue of a sequential driver, but no write of its key", async () => {
  const kv = new Probe({ sequential: true, maxCalls: 10 });
  const order: string[] = [];
  const writes = Array.from(
    { length: 200 },
    (_, i) => kv.set([`${i}`], i).then(() => order.push(`${i}`)),
  );
  const free = kv.get(["free"]).then(() => order.push("free"));
  const last = await kv.get(["199"]);
  await Promise.all([...writes, free]);
  assertEquals(last, 199);
  assert(order.indexOf("free") < 20);
});

Deno.test("a write never overtakes an earlier read that overtook others", async () => {
  const kv = new Probe({ sequential: true, maxCalls: 4 });
  await kv.set(["a"], "old");
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < 50; i++) calls.push(kv.set([`${i}`], i));
  const reads = Array.from({ length: 30 }, () => kv.get(["a"]));
  calls.push(kv.set(["a"], "new"));
  assertEquals(await Promise.all(reads), new Array(30).fill("old"));
  await Promise.all(calls);
  assertEquals(await kv.get(["a"]), "new");
});

for (const sequential of [false, true]) {
  Deno.test(`reads of large values travel in small batches (sequential: ${sequential})`, async () => {
    const kv = new Probe({ maxBytes: 10_000, sequential });
    const keys = Array.from({ length: 64 }, (_, i) => [`${i}`] as const);
    for (const key of keys) await kv.set(key, "x".repeat(5_000));
    for (const key of keys) await kv.get(key);
    kv.batches.length = 0;
    await Promise.all(keys.map((key) => kv.get(key)));
    const longest = Math.max(...kv.batches.map(({ length }) => length));
    assert(longest <= 3, `${longest} values of 5,000 bytes in a batch`);
  });
}

Deno.test("any mix of many calls has the results of its order per key", async () => {
  for (const options of [{ maxCalls: 7 }, { maxCalls: 7, sequential: true }]) {
    const kv = new Probe(options);
    const model = new Map<string, unknown>();
    const expected: unknown[] = [];
    const calls: Promise<unknown>[] = [];
    let random = 1;
    const next = (n: number) => (random = random * 48271 % 2147483647) % n;
    for (let i = 0; i < 5_000; i++) {
      const part = `${next(9)}`;
      switch (next(4)) {
        case 0:
          calls.push(kv.set([part], i));
          expected.push(undefined);
          model.set(part, i);
          break;
        case 1: {
          const value = next(2) === 0 ? model.get(part) : -1;
          const isExpected = value === model.get(part);
          calls.push(kv.cas([part], value, i));
          expected.push(isExpected);
          if (isExpected) model.set(part, i);
          break;
        }
        default:
          calls.push(kv.get([part]));
          expected.push(model.get(part));
      }
    }
    assertEquals(await Promise.all(calls), expected);
  }
});

Deno.test("a driver that settles a call twice is told so", async () => {
  const kv = new Probe();
  let misuse: unknown;
  kv.before = (calls) => {
    kv.apply(calls);
    try {
      kv.apply.call(kv, calls.map(unsettled));
    } catch (error) {
      misuse = error;
    }
  };
  await kv.set(["a"], 1);
  assertEquals(
    (misuse as Error).message,
    'A driver must not settle set ["a"] by settling it a second time',
  );
});

Deno.test("a driver that settles a get by resolve() is told so", async () => {
  const kv = new Probe();
  kv.before = ([call]) => (call as unknown as { resolve(): void }).resolve();
  await assertRejects(
    () => kv.get(["a"]),
    KvError,
    'A driver must not settle get ["a"] by resolve()',
  );
});

Deno.test("writes that a driver leaves unsettled when it rejects may have been applied", async () => {
  const kv = new Probe();
  const late: (() => void)[] = [];
  kv.before = (calls) => {
    late.push(() => kv.apply(calls.map(unsettled)));
    throw new Error("too early");
  };
  const [write, read] = await Promise.allSettled([
    kv.set(["a"], 1),
    kv.get(["b"]),
  ]);
  assert(
    (write as PromiseRejectedResult).reason instanceof KvOutcomeUnknownError,
  );
  assertEquals((read as PromiseRejectedResult).reason.name, "KvError");
  let misuse: unknown;
  try {
    late[0]!();
  } catch (error) {
    misuse = error;
  }
  assert(misuse instanceof Error);
});

/** A view of a call that hides that it is settled. */
function unsettled(call: KvCall): KvCall {
  return new Proxy(call, {
    get(target, name) {
      if (name === "settled") return false;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("names that look like array indices cost no more than others", async () => {
  // A Map of these 40,000 names takes half a minute: their hashes are equal.
  class Mapless extends Probe {
    override apply(calls: readonly KvCall[]): void {
      for (const call of calls) if (call.kind === "cas") call.resolve(false);
    }
  }
  for (const sequential of [false, true]) {
    const kv = new Mapless({ sequential });
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 40_000 }, (_, i) => kv.cas([`${i * 65536}`], 0, 1)),
    );
    assert(performance.now() - started < 10_000);
  }
});
