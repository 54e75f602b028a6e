// Fuzzes every store for a few seconds, and wrong stores until one fails.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { wrongCalls } from "../conformance/wrong/calls.ts";
import { wrongCas } from "../conformance/wrong/cas.ts";
import { wrongIsolation } from "../conformance/wrong/isolation.ts";
import { SimpleStore } from "../conformance/wrong/simple_store.ts";
import { wrongTtls } from "../conformance/wrong/ttl.ts";
import { fuzz } from "./fuzz.ts";
import { fuzzers, whyNot } from "./subjects.ts";
import { fakeTimes } from "./ttls.ts";

/** Half a minute for all stores together. */
const milliseconds = 30_000 / Object.keys(fuzzers).length;

for (const [name, fuzzStore] of Object.entries(fuzzers)) {
  const reason = await whyNot(name);
  Deno.test({
    name: `random calls on ${name} agree with a simple model${
      reason === undefined ? "" : ` (${reason})`
    }`,
    ignore: reason !== undefined,
    // The clients of Redis, PGlite and workerd keep timers and sockets.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const { calls, plans } = await fuzzStore({ seed, milliseconds });
      console.log(`${calls} calls in ${plans} plans from seed ${seed}`);
      assert(calls > 0);
    },
  });
}

Deno.test("the fuzzer finds no fault in a correct store", async () => {
  await fuzz(() => open(new SimpleStore()), { seed: 1, milliseconds: 1_000 });
});

const named = [...wrongCalls, ...wrongCas, ...wrongIsolation, ...wrongTtls];
const found = [
  "delays some writes",
  "lets a get() overtake a pending set()",
  "lists without the pending writes",
  "compares stored bytes",
  "caches entries in each client",
  "keeps values by reference",
  "lists values by reference",
  "forgets the TTL in list()",
  "rounds TTLs down",
];

for (const name of found) {
  Deno.test(`the fuzzer finds that a store ${name}, and repeats it from the seed`, async () => {
    const wrong = named.find((each) => each.name === name);
    assert(wrong, `there is no such wrong store: ${name}`);
    const attempt = (seed: number, milliseconds: number) =>
      assertRejects(() =>
        fuzz(() => open(new wrong.Store()), { seed, milliseconds })
      );
    const { message } = await attempt(1, 60_000);
    const seed = /^seed (\d+) fails/.exec(message)?.[1];
    assert(seed !== undefined, message);
    const again = await attempt(Number(seed), 0);
    assertEquals(withoutCount(again.message), withoutCount(message));
  });
}

function withoutCount(message: string): string {
  return message.replace(/after \d+ calls/, "");
}

function open(store: SimpleStore) {
  return Promise.resolve({
    clients: [store, store.peer()],
    ...fakeTimes,
    now: () => store.now + store.behind,
    advance: (milliseconds: number) => void (store.now += milliseconds),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}
