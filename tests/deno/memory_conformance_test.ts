// The conformance suite on Deno KV in memory.
import { assertThrows } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";

Deno.test("new DenoKvStore() refuses bad arguments", async () => {
  using db = await Deno.openKv(":memory:");
  assertThrows(
    () => new DenoKvStore({} as Deno.Kv),
    TypeError,
    "kv must have a method atomic()",
  );
  for (const busyTimeout of [-1, NaN, Infinity]) {
    assertThrows(
      () => new DenoKvStore(db, { busyTimeout }),
      RangeError,
      `received ${busyTimeout}`,
    );
  }
  const text = "1" as unknown as number;
  assertThrows(() => new DenoKvStore(db, { busyTimeout: text }), TypeError);
});
