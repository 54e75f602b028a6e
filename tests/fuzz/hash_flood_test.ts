// Keys whose hashes anyone can predict, as V8 hashes text like "65536" to a
// number without a seed.
import { assert, assertEquals } from "@std/assert";
import { MemoryKvStore } from "../../kv/memory.ts";

Deno.test("the memory store stores 100,000 keys whose hashes collide", async () => {
  const kv = new MemoryKvStore();
  const count = 100_000;
  // In linear time this takes a fraction of a second, in quadratic time more
  // than three minutes.
  const deadline = performance.now() + 60_000;
  for (let i = 0; i < count; i++) {
    kv.set(["inbox", `${i * 65_536}`], i);
    if (i % 1_000 !== 0) continue;
    await kv.get(["inbox", "0"]);
    assert(performance.now() < deadline, `only ${i} keys were stored in time`);
  }
  assertEquals(await kv.get(["inbox", `${(count - 1) * 65_536}`]), count - 1);
  assertEquals(kv.size, count);
});
