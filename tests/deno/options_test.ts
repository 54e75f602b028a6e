// The options of the Deno KV store, and the clients that it accepts.
import { assertEquals, assertThrows } from "@std/assert";
import { DenoKvStore, type DenoKvStoreOptions } from "../../kv/deno.ts";

Deno.test("DenoKvStore tells the location of its database in its traits", async () => {
  using db = await Deno.openKv(":memory:");
  const stores: [DenoKvStoreOptions | undefined, boolean, string][] = [
    [undefined, true, "machine"],
    [{ location: "file" }, true, "machine"],
    [{ location: "memory" }, false, "process"],
    [{ location: "remote" }, true, "network"],
  ];
  for (const [options, persistent, shared] of stores) {
    const { traits } = new DenoKvStore(db, options);
    assertEquals([traits.persistent, traits.shared], [persistent, shared]);
    assertEquals(traits.driver, "deno");
  }
});

Deno.test("new DenoKvStore() rejects other clients", async () => {
  using db = await Deno.openKv(":memory:");
  const clients: [unknown, string][] = [
    [undefined, "received undefined"],
    [null, "received null"],
    ["kv.db", "received a string"],
    [{}, "received an object"],
    [new Map(), "received an object"],
    [localStorage, "received an object"],
    [{ atomic() {}, get() {}, list() {} }, "received an object"],
    [Promise.resolve(db), "received a promise, which must be awaited"],
  ];
  for (const [client, received] of clients) {
    const error = assertThrows(
      () => new DenoKvStore(client as Deno.Kv),
      TypeError,
      "kv must be what Deno.openKv() or openKv() of @deno/kv returned",
    );
    assertEquals(error.message.split(": ").at(-1), received);
  }
});

Deno.test("new DenoKvStore() rejects wrong and unknown options", async () => {
  using db = await Deno.openKv(":memory:");
  function create(options: unknown) {
    return () => new DenoKvStore(db, options as DenoKvStoreOptions);
  }
  for (const busyTimeout of [-1, NaN, Infinity]) {
    const message = `received ${busyTimeout}`;
    assertThrows(create({ busyTimeout }), RangeError, message);
  }
  assertThrows(create({ timeout: 0 }), RangeError, "timeout must");
  assertThrows(create({ location: "here" }), RangeError, 'received "here"');
  const wrong = [
    { busyTimeout: "1" },
    { timeout: "1" },
    { location: 1 },
    { codec: {} },
    { busyTimeOut: 1 },
    "options",
  ];
  for (const options of wrong) {
    assertThrows(create(options), TypeError, "Cannot create a DenoKvStore: ");
  }
});
