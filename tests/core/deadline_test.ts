/** How long calls wait for a silent backend. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/driver.ts";
import { Probe } from "./probe.ts";

const never = new Promise<void>(() => {});

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

Deno.test("calls that wait for a silent backend are rejected together", async () => {
  const kv = new Probe({ timeout: 100 });
  kv.before = () => never;
  const started = performance.now();
  const results = await Promise.allSettled([
    kv.get(["read"]),
    kv.set(["written"], 1),
    ...Array.from({ length: 20 }, (_, i) => kv.cas(["key"], i, i + 1)),
    ...Array.from({ length: 10_000 }, (_, i) => kv.set([`${i}`], i)),
  ]);
  const names = results.map((result) =>
    (result as PromiseRejectedResult).reason.name
  );
  assertEquals(names[0], "KvError");
  assertEquals(names[1], "KvOutcomeUnknownError");
  // Of the swaps on one key, only the first was sent.
  assertEquals(names[2], "KvOutcomeUnknownError");
  assertEquals(new Set(names.slice(3, 22)), new Set(["KvError"]));
  assert(names.slice(22).includes("KvError"));
  assert(performance.now() - started < 20_000);
  assertEquals(kv.pending, 0);
});

Deno.test("the message of a deadline names the call and the time", async () => {
  const kv = new Probe({ timeout: 40 });
  kv.before = () => never;
  await assertRejects(
    () => kv.get(["a"]),
    KvError,
    'Cannot get ["a"]: the backend was silent for 40 ms',
  );
  await assertRejects(
    () => kv.set(["a"], 1),
    KvOutcomeUnknownError,
    'Cannot confirm set ["a"], which may have been applied: ' +
      "the backend was silent for 40 ms",
  );
});

Deno.test("a store works again once its backend does, and late answers are ignored", async () => {
  const kv = new Probe({ timeout: 40 });
  const gate = Promise.withResolvers<void>();
  kv.before = () => gate.promise;
  await assertRejects(() => kv.set(["a"], 1), KvOutcomeUnknownError);
  kv.before = () => {};
  gate.resolve();
  await kv.set(["b"], 2);
  assertEquals(await kv.get(["b"]), 2);
});

Deno.test("a backend that is slow but answers loses no call", async () => {
  const kv = new Probe({ timeout: 400, concurrency: 1, maxCalls: 10 });
  kv.before = () => sleep(50);
  const started = performance.now();
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => kv.set([`${i}`], i)),
  );
  assert(performance.now() - started > 400);
});

Deno.test("calls that wait while connections break are rejected together", async () => {
  const kv = new Probe({ timeout: 200 });
  let failed = 0;
  kv.before = async ([call]) => {
    await sleep(40);
    failed++;
    call!.reject(new Error("the connection broke"), KvOutcomeUnknownError);
  };
  const results = await Promise.allSettled(
    Array.from({ length: 200 }, (_, i) => kv.cas(["key"], i, i + 1)),
  );
  const { reason } = results.at(-1) as PromiseRejectedResult;
  assertEquals(reason.name, "KvError");
  assertEquals(
    reason.message,
    'Cannot cas ["key"]: no call succeeded for 200 ms',
  );
  assert(failed < 100, `${failed} calls failed one after another`);
  kv.before = () => {};
  assertEquals(await kv.cas(["key"], undefined, 1), true);
});

Deno.test("a batch whose calls are answered one by one is not silent", async () => {
  const kv = new Probe({ timeout: 400 });
  kv.before = async (calls) => {
    for (const call of calls) {
      await sleep(100);
      kv.apply([call]);
    }
  };
  await Promise.all(
    Array.from({ length: 8 }, (_, i) => kv.set([`${i}`], i)),
  );
});

Deno.test("one silent connection of several fails only its own calls", async () => {
  const kv = new Probe({ timeout: 100, concurrency: 2, maxCalls: 1 });
  kv.before = ([call]) => call!.id === "silent" ? never : sleep(10);
  const silent = assertRejects(() => kv.set(["silent"], 1));
  const others = Array.from({ length: 40 }, (_, i) => kv.set([`${i}`], i));
  await Promise.all(others);
  await silent;
});

Deno.test("one silent node of several fails only its own calls, all of them at once", async () => {
  const kv = new Probe({
    timeout: 400,
    concurrency: 2,
    maxCalls: 10,
    nodes: { size: 3, nodeOf: (id) => Number(id.split("!")[0]) % 3 },
  });
  const silent = Promise.withResolvers<void>();
  kv.before = ([call]) =>
    Number(call!.id.split("!")[0]) % 3 === 0 ? silent.promise : sleep(1);
  const started = performance.now();
  const results = await Promise.allSettled(
    Array.from({ length: 3_000 }, (_, i) => kv.set([`${i}`], i)),
  );
  for (const [i, { status }] of results.entries()) {
    assertEquals(status, i % 3 === 0 ? "rejected" : "fulfilled", `${i}`);
  }
  const one = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => kv.cas(["3"], i, i + 1)),
  );
  assert(one.every(({ status }) => status === "rejected"));
  assert(performance.now() - started < 20_000);
  assertEquals(kv.pending, 0);
  silent.resolve();
  kv.before = () => {};
  await kv.set(["3"], 1);
  assertEquals(await kv.get(["3"]), 1);
});

Deno.test("calls on one key keep their order when its node changes", async () => {
  let nodes = 2;
  const kv = new Probe({
    concurrency: 1,
    maxCalls: 4,
    nodes: { size: 4, nodeOf: (id) => Number(id) % nodes },
  });
  kv.before = () => sleep(Math.random() * 5);
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < 400; i++) {
    nodes = 1 + i % 4;
    calls.push(kv.cas([`${i % 10}`], i < 10 ? undefined : i - 10, i));
    if (i % 50 === 0) await sleep(1);
  }
  assertEquals(new Set(await Promise.all(calls)), new Set([true]));
});

Deno.test("an event loop that is blocked does not make the backend silent", async () => {
  const kv = new Probe({ timeout: 200 });
  kv.before = () => sleep(20);
  const call = kv.get(["a"]);
  await sleep(1);
  const started = performance.now();
  while (performance.now() - started < 500);
  assertEquals(await call, undefined);
});

Deno.test("list() of a silent backend is rejected", async () => {
  class Silent extends Probe {
    // deno-lint-ignore require-yield
    protected override async *pages(): AsyncGenerator<never> {
      await never;
    }
  }
  await assertRejects(
    () => Array.fromAsync(new Silent({ timeout: 40 }).list()),
    KvError,
    "Cannot list []: the backend was silent for 40 ms",
  );
});

Deno.test("list() does not wait once more for a backend that was silent to the calls before it", async () => {
  let pages = 0;
  class Silent extends Probe {
    protected override async *pages(): AsyncGenerator<never> {
      pages++;
      yield* [];
      await never;
    }
  }
  const kv = new Silent({ timeout: 40 });
  kv.before = () => never;
  const write = assertRejects(() => kv.set(["a"], 1), KvOutcomeUnknownError);
  await assertRejects(
    () => Array.fromAsync(kv.list()),
    KvError,
    "Cannot list []: the backend was silent for 40 ms",
  );
  await write;
  assertEquals(pages, 0);
});
