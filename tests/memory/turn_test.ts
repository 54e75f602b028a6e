// Callers that never stop leave the event loop its turns.
import { assert } from "@std/assert";
import { cached } from "../../cached/mod.ts";
import { MemoryKvStore } from "../../kv/memory.ts";

const memory = new MemoryKvStore();
const cache = cached(new MemoryKvStore(), { maxAge: 60_000 });

for (
  const [name, call] of Object.entries({
    "get()": () => memory.get(["a"]),
    "set()": () => memory.set(["a"], 1),
    "delete()": () => memory.delete(["a"]),
    "cas()": () => memory.cas(["a"], 1, 2),
    "get() of a cache": () => cache.get(["a"]),
  })
) {
  Deno.test(`${name} in a loop lets timers fire`, async () => {
    let hasFired = false;
    setTimeout(() => hasFired = true, 0);
    let calls = 0;
    while (!hasFired && calls++ < 2_000_000) await call();
    assert(hasFired, `no timer fired during ${calls} calls`);
  });
}
