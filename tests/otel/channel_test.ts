/** What the diagnostics channels tell, and that nobody pays for them unasked. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { tracingChannel } from "node:diagnostics_channel";
import { DatabaseSync } from "node:sqlite";
import { MemoryKvStore } from "../../kv/memory.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";

interface Message {
  operation: string;
  calls?: { operation: string }[];
  result?: unknown;
  error?: Error;
}

/** Collects what is published on a channel. */
function observe(name: "call" | "round-trip") {
  const channel = tracingChannel(`@org/kv.${name}`);
  const events: string[] = [];
  const messages: Message[] = [];
  const subscribers = Object.fromEntries(
    (["start", "asyncEnd", "error"] as const).map((event) => [
      event,
      (message: unknown) => {
        events.push(`${event} ${(message as Message).operation}`);
        if (event === "asyncEnd") messages.push(message as Message);
      },
    ]),
  ) as unknown as Parameters<typeof channel.subscribe>[0];
  channel.subscribe(subscribers);
  return {
    events,
    messages,
    [Symbol.dispose]: () => void channel.unsubscribe(subscribers),
  };
}

for (
  const open of [
    () => new MemoryKvStore(),
    () => new SqliteKvStore(new DatabaseSync(":memory:")),
  ]
) {
  const { name } = open().constructor;
  Deno.test(`every call of ${name} is published with its outcome`, async () => {
    const kv = open();
    using calls = observe("call");
    await kv.set(["a", "b"], "secret");
    await kv.get(["a", "b"]);
    await kv.cas(["a", "b"], 1, 2);
    await kv.cas(["a", "b"], "secret", 2);
    for await (const _ of kv.list(["a"])) break;
    assertEquals((await Array.fromAsync(kv.keys())).length, 1);
    assertEquals(await kv.count(), 1);
    await kv.sweep();
    await kv.delete(["a", "b"]);
    assertEquals(
      calls.messages.map(({ operation, result }) => [operation, result]),
      [
        ["set", undefined],
        ["get", undefined],
        ["cas", false],
        ["cas", true],
        ["list", 1],
        ["keys", 1],
        ["count", 1],
        ["sweep", 0],
        ["delete", undefined],
      ],
    );
    assertEquals(calls.events.slice(0, 2), ["start set", "asyncEnd set"]);
    for (const message of calls.messages) {
      assert(!("key" in message) && !("value" in message));
    }
  });

  Deno.test(`nothing of ${name} is published after the last subscriber left`, async () => {
    const kv = open();
    const calls = observe("call");
    calls[Symbol.dispose]();
    await kv.set(["a"], 1);
    assertEquals(calls.events, []);
  });
}

Deno.test("a round trip is published with the calls that travel in it", async () => {
  const kv = new SqliteKvStore(new DatabaseSync(":memory:"));
  using _calls = observe("call");
  using trips = observe("round-trip");
  await Promise.all([kv.set(["a"], 1), kv.set(["b"], 2)]);
  await Promise.all([kv.set(["a"], 1), kv.get(["b"])]);
  await kv.get(["a"]);
  await Array.fromAsync(kv.list());
  assertEquals(
    trips.messages.map(({ operation, calls }) => [operation, calls!.length]),
    [["set", 2], ["batch", 2], ["get", 1], ["list", 0], ["list", 0]],
  );
});

Deno.test("a call that fails is published with its error, and once", async () => {
  const db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  db.close();
  using calls = observe("call");
  await assertRejects(() => kv.get(["a"]));
  await assertRejects(() => Array.fromAsync(kv.list()));
  assertEquals(calls.events, [
    "start get",
    "error get",
    "asyncEnd get",
    "start list",
    "error list",
    "asyncEnd list",
  ]);
});
