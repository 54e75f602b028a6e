// The Deno KV store on a remote database that loses answers or is silent.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import type { KvKey } from "../../kv/store.ts";
import { KvConnectServer } from "./kv_connect.ts";

Deno.test("a swap that Deno sends twice to a remote database counts once", async () => {
  await using server = new KvConnectServer();
  const kv = new DenoKvStore(await server.open(), { location: "remote" });
  let writes = 0;
  server.intercept = async (method, answer) => {
    const response = await answer();
    if (method === "snapshot_read" || ++writes % 2 === 0) return response;
    // Applied, but the client cannot know: it sends the commit again.
    await response.body!.cancel();
    return new Response("gateway timeout", { status: 504 });
  };
  const large = "x".repeat(200_000);
  assert(await kv.cas(["a"], undefined, 1));
  assert(await kv.cas(["a"], 1, 2));
  assertEquals(await kv.cas(["a"], 1, 3), false);
  assert(await kv.cas(["a"], 2, large));
  assertEquals(await kv.get(["a"]), large);
  assert(await kv.cas(["a"], large, undefined));
  await kv.set(["b"], large);
  const entries = await Array.fromAsync(kv.list());
  assertEquals(entries, [{ key: ["b"], value: large }]);
  assert(writes >= 10, `${writes} writes`);
});

Deno.test("swaps of one tick suit a remote database, which allows ten checks", async () => {
  await using server = new KvConnectServer();
  const kv = new DenoKvStore(await server.open(), { location: "remote" });
  const keys = Array.from({ length: 60 }, (_, i): KvKey => ["a", `${i}`]);
  const created = keys.map((key) => kv.cas(key, undefined, 1));
  assertEquals(await Promise.all(created), keys.map(() => true));
  const swapped = keys.map((key, i) => kv.cas(key, 1 + i % 2, 2));
  assertEquals(await Promise.all(swapped), keys.map((_, i) => i % 2 === 0));
});

Deno.test("a remote answer that is cut off leaves the outcome of a write unknown", async () => {
  await using server = new KvConnectServer();
  const kv = new DenoKvStore(await server.open(), { location: "remote" });
  await kv.set(["a"], 1);
  server.intercept = async (_, answer) => {
    const response = await answer();
    const bytes = await response.bytes();
    return new Response(bytes.subarray(0, -1), response);
  };
  await assertRejects(() => kv.set(["a"], 2), KvOutcomeUnknownError);
  await assertRejects(() => kv.cas(["b"], undefined, 2), KvOutcomeUnknownError);
  const error = await assertRejects(() => kv.get(["a"]), KvError);
  assert(!(error instanceof KvOutcomeUnknownError));
  await assertRejects(() => Array.fromAsync(kv.list()), KvError);
  server.intercept = (_, answer) => answer();
  assertEquals(await kv.get(["a"]), 2);
  assertEquals(await kv.get(["b"]), 2);
});

Deno.test("calls to a silent remote database reject within the timeout", async () => {
  await using server = new KvConnectServer();
  const kv = new DenoKvStore(await server.open(), {
    location: "remote",
    timeout: 300,
  });
  await kv.set(["a"], 1);
  const silence = Promise.withResolvers<void>();
  server.intercept = async (_, answer) => {
    await silence.promise;
    return await answer();
  };
  const calls = [
    kv.set(["a"], 2),
    kv.cas(["b"], undefined, 1),
    kv.get(["c"]),
    kv.get(["a"]),
  ];
  const results = await Promise.allSettled(calls);
  for (const [i, result] of results.entries()) {
    assert(result.status === "rejected");
    assert(result.reason instanceof KvError);
    assert(result.reason.message.endsWith("the backend was silent for 300 ms"));
    assertEquals(result.reason instanceof KvOutcomeUnknownError, i < 2);
  }
  await assertRejects(
    () => Array.fromAsync(kv.list()),
    KvError,
    "the backend was silent for 300 ms",
  );
  server.intercept = (_, answer) => answer();
  silence.resolve();
  await kv.set(["d"], 3);
  assertEquals(await kv.get(["d"]), 3);
});
