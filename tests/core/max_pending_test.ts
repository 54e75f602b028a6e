// The option maxPending on the drivers that need no server.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvOverloadError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvExtendedStore } from "../../kv/store.ts";
import { WorkersKvStore } from "../../kv/workers.ts";

Deno.test("maxPending bounds the calls of SqliteKvStore and DenoKvStore", async () => {
  using db = new DatabaseSync(":memory:");
  using kv = await Deno.openKv(":memory:");
  await bounds(new SqliteKvStore(db, { maxPending: 2 }));
  await bounds(new DenoKvStore(kv, { maxPending: 2 }));
});

Deno.test("every store checks maxPending", async () => {
  using db = new DatabaseSync(":memory:");
  using kv = await Deno.openKv(":memory:");
  for (const maxPending of [0, 1.5, NaN]) {
    const options = { maxPending };
    for (
      const make of [
        () => new SqliteKvStore(db, options),
        () => new DenoKvStore(kv, options),
        () => new WorkersKvStore({} as never, options),
      ]
    ) assertThrows(make, RangeError, "maxPending must be a whole number");
  }
});

async function bounds(store: KvExtendedStore): Promise<void> {
  const calls = [store.set(["a"], 1), store.set(["b"], 2)];
  assertEquals(store.pending, 2);
  await assertRejects(() => store.set(["a"], 3), KvOverloadError, "2 calls");
  await Promise.all(calls);
  assertEquals(store.pending, 0);
  assertEquals(await store.get(["a"]), 1);
}
