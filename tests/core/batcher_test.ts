/** How calls are gathered into batches, and in which order they take effect. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type KvCall,
  KvError,
  type KvGetCall,
  KvOutcomeUnknownError,
  type KvSetCall,
} from "../../kv/driver.ts";
import { Probe } from "./probe.ts";

Deno.test("the calls of one tick travel together", async () => {
  const kv = new Probe();
  await Promise.all([
    kv.set(["a"], 1),
    kv.get(["b"]),
    kv.cas(["c"], undefined, 1),
  ]);
  assertEquals(kv.batches, [["set a", "get b", "cas c"]]);
});

Deno.test("calls that follow from one batch travel together in the next", async () => {
  const kv = new Probe();
  const work = async (name: string, detours: number) => {
    await kv.set([name], 1);
    for (let i = 0; i < detours; i++) await undefined;
    await kv.get([name]);
  };
  await Promise.all([work("a", 0), work("b", 1), work("c", 2)]);
  assertEquals(kv.batches.length, 2);
});

Deno.test("a batch is bounded by count and by bytes", async () => {
  const kv = new Probe({ maxCalls: 3 });
  await Promise.all(Array.from("abcdefgh", (part) => kv.set([part], 1)));
  assertEquals(kv.batches.map(({ length }) => length), [3, 3, 2]);

  const small = new Probe({ maxBytes: 2_000 });
  const value = "x".repeat(900);
  await Promise.all(Array.from("abcde", (part) => small.set([part], value)));
  assertEquals(small.batches.map(({ length }) => length), [2, 2, 1]);
  await small.set(["huge"], "x".repeat(5_000));
});

Deno.test("a full batch is executed before the tick is over", async () => {
  const kv = new Probe({ maxCalls: 2, concurrency: 2 });
  const calls = Array.from("abcdefg", (part) => kv.get([part]));
  assertEquals(kv.batches, [["get a", "get b"], ["get c", "get d"]]);
  await Promise.all(calls);
  assertEquals(kv.batches.slice(2), [["get e", "get f"], ["get g"]]);
});

Deno.test("calls collect while as many batches as allowed are under way", async () => {
  const kv = new Probe({ concurrency: 1 });
  const gate = Promise.withResolvers<void>();
  kv.before = () => gate.promise;
  const calls = [kv.get(["a"])];
  for (const part of "bcdef") {
    await new Promise((resolve) => setTimeout(resolve, 0));
    calls.push(kv.get([part]));
  }
  assertEquals(kv.batches.length, 1);
  gate.resolve();
  await Promise.all(calls);
  assertEquals(kv.batches.map(({ length }) => length), [1, 5]);
});

Deno.test("a call waits for an earlier one on its key, in a batch under way or not", async () => {
  const kv = new Probe();
  const gate = Promise.withResolvers<void>();
  kv.before = (calls) => calls[0]!.kind === "set" ? gate.promise : undefined;
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const calls: Promise<unknown>[] = [
    kv.set(["a"], 1).then(note("set a")),
    kv.get(["a"]).then((value) => order.push(`get a ${value}`)),
    kv.get(["b"]).then(note("get b")),
  ];
  await new Promise((resolve) => setTimeout(resolve, 0));
  calls.push(kv.get(["c"]).then(note("get c")));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(order, ["get c"]);
  gate.resolve();
  await Promise.all(calls);
  assertEquals(order, ["get c", "set a", "get b", "get a 1"]);
});

Deno.test("any mix of calls on one key has the results of its order", async () => {
  for (const sequential of [false, true]) {
    const kv = new Probe({ sequential, maxCalls: 5 });
    const results: unknown[] = await Promise.all(
      Array.from({ length: 200 }, (_, i) => [
        kv.set(["a"], i),
        kv.get(["a"]),
        kv.cas(["a"], i, -i - 1),
        kv.cas(["a"], i, "no"),
        kv.get(["a"]),
        kv.delete(["a"]),
        kv.get(["a"]),
      ]).flat(),
    );
    for (let i = 0; i < 200; i++) {
      assertEquals(
        results.slice(7 * i, 7 * i + 7),
        [undefined, i, true, i === -i - 1, -i - 1, undefined, undefined],
      );
    }
  }
});

Deno.test("a thousand writes of one key in a tick become two", async () => {
  const kv = new Probe();
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => kv.set(["a"], i)));
  assertEquals(kv.batches, [["set a"], ["set a"]]);
  assertEquals(await kv.get(["a"]), 999);
});

Deno.test("a hundred thousand calls of one key in a tick are not looked at for each", async () => {
  const kv = new Probe({ maxCalls: 64 });
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < 100_000; i++) {
    calls.push(i % 1_000 === 0 ? kv.get(["a"]) : kv.set(["a"], i));
  }
  const results = await Promise.all(calls);
  assertEquals(results[0], undefined);
  assertEquals(results[99_000], 98_999);
  assertEquals(await kv.get(["a"]), 99_999);
});

Deno.test("a write is executed if the one that replaced it is refused", async () => {
  const kv = new Probe();
  kv.before = (calls) => {
    for (const call of calls) {
      if (call.value === '"bad"') call.reject(new Error("rejected"));
    }
  };
  const results = await Promise.allSettled([
    kv.set(["a"], 1),
    kv.set(["a"], 2),
    kv.set(["a"], "bad"),
    kv.get(["a"]),
  ]);
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assertEquals((results[3] as PromiseFulfilledResult<unknown>).value, 2);
});

Deno.test("a write is not made after the one that replaced it may have been", async () => {
  const kv = new Probe();
  kv.before = (calls) => {
    const last = calls.find(({ value }) => value === "3");
    if (last === undefined) return;
    kv.entries.set("a", "3");
    last.reject(new Error("cut off"), KvOutcomeUnknownError);
  };
  const results = await Promise.allSettled([
    kv.set(["a"], 1),
    kv.delete(["a"]),
    kv.set(["a"], 3),
  ]);
  assertEquals(
    results.map((result) =>
      result.status === "rejected" &&
      result.reason instanceof KvOutcomeUnknownError && result.reason.message
    ),
    [
      'Cannot confirm set ["a"], which may have been applied: cut off',
      'Cannot confirm delete ["a"], which may have been applied: cut off',
      'Cannot confirm set ["a"], which may have been applied: cut off',
    ],
  );
  assertEquals(kv.batches, [["set a"]]);
  assertEquals(await kv.get(["a"]), 3);
});

Deno.test("values are encoded when the call is made", async () => {
  const kv = new Probe();
  const value = { n: 1 };
  const key: [string] = ["a"];
  const write = kv.set(key, value);
  value.n = 2;
  key[0] = "b";
  await write;
  assertEquals([...kv.entries], [["a", '{"n":1}']]);
});

Deno.test("a driver that throws leaves the outcome of the writes it did not settle unknown", async () => {
  const kv = new Probe();
  const cause = new Error("the disk is full");
  kv.before = (calls) => {
    (calls[0] as KvSetCall).resolve();
    throw cause;
  };
  const [first, second, read] = await Promise.allSettled([
    kv.set(["a"], 1),
    kv.set(["b"], 1),
    kv.get(["c"]),
  ]);
  assertEquals(first?.status, "fulfilled");
  assert(second?.status === "rejected");
  assert(second.reason instanceof KvOutcomeUnknownError);
  assertEquals(
    second.reason.message,
    'Cannot confirm set ["b"], which may have been applied: the disk is full',
  );
  assertEquals(second.reason.cause, cause);
  assert(read?.status === "rejected");
  assertEquals(read.reason.message, 'Cannot get ["c"]: the disk is full');
});

Deno.test("a driver's own KvError arrives as it is", async () => {
  const kv = new Probe();
  kv.before = ([call]) => {
    call!.reject(new KvOutcomeUnknownError("cut"));
  };
  const error = await assertRejects(
    () => kv.set(["a"], 1),
    KvOutcomeUnknownError,
  );
  assertEquals(error.message, "cut");
});

Deno.test("calls that a driver forgets are rejected, not left hanging", async () => {
  class Forgetful extends Probe {
    protected override execute(): Promise<void> {
      return Promise.resolve();
    }
  }
  await assertRejects(
    () => new Forgetful().get(["a"]),
    KvError,
    "the driver did not settle the call",
  );
});

Deno.test("an undecodable value does not hurt its neighbours", async () => {
  const kv = new Probe();
  await kv.set(["a"], 1);
  kv.entries.set("b", "{");
  const results = await Promise.allSettled([
    kv.get(["a"]),
    kv.get(["b"]),
    kv.get(["a"]),
  ]);
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
});

Deno.test("list() sees every call that was made before it", async () => {
  const kv = new Probe({ concurrency: 1 });
  kv.set(["a"], 1);
  kv.set(["b"], 1);
  kv.delete(["a"]);
  const entries = Array.fromAsync(kv.list());
  assertEquals(await entries, [{ key: ["b"], value: 1 }]);
});

Deno.test("list() does not wait for calls that are made after it", async () => {
  const kv = new Probe();
  await kv.set(["a"], 1);
  const gate = Promise.withResolvers<void>();
  kv.before = () => gate.promise;
  const entries = kv.list()[Symbol.asyncIterator]();
  const first = entries.next();
  const later = kv.set(["b"], 1);
  assertEquals((await first).value, { key: ["a"], value: 1 });
  gate.resolve();
  await later;
});

Deno.test("100,000 calls at once are all executed", async () => {
  const kv = new Probe();
  await Promise.all(
    Array.from(
      { length: 100_000 },
      (_, i) => kv.set([`${i % 1000}`, `${i}`], i),
    ),
  );
  assertEquals(kv.entries.size, 100_000);
  assert(kv.batches.every(({ length }) => length <= 256));
});

for (
  const { sequential, atOnce } of [
    { sequential: true, atOnce: 1 },
    { sequential: false, atOnce: 512 },
  ]
) {
  Deno.test(`timers fire while a synchronous driver is kept busy, ${atOnce} calls at once`, async () => {
    class Busy extends Probe {
      protected override execute(calls: readonly KvCall[]): Promise<void> {
        for (const call of calls) (call as KvGetCall).found(undefined);
        return undefined as unknown as Promise<void>;
      }
    }
    const kv = new Busy({ sequential });
    let fired = false;
    setTimeout(() => fired = true, 0);
    for (let i = 0; i < 1_000_000 && !fired; i += atOnce) {
      await Promise.all(
        Array.from({ length: atOnce }, (_, j) => kv.get([`${j}`])),
      );
    }
    assert(fired);
  });
}
