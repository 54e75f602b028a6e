// Operations on many entries when the backend fails.
import { assertEquals, assertRejects } from "@std/assert";
import { clearEntries } from "../../kv/core/operations.ts";
import type { KvKey } from "../../kv/store.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Lists two keys, the second one a turn later. */
async function* keys(): AsyncGenerator<{ key: KvKey }> {
  yield { key: ["a"] };
  await turn();
  yield { key: ["b"] };
}

Deno.test("clearEntries() rejects with the error of a deletion that fails while it lists", async () => {
  // Without a handler, the error of the first deletion would end the process.
  await assertRejects(
    () => clearEntries(keys, ([part]) => Promise.reject(new Error(part))),
    Error,
    "a",
  );
});

Deno.test("clearEntries() waits for its deletions before it rejects", async () => {
  const deleted: KvKey[] = [];
  async function* broken(): AsyncGenerator<{ key: KvKey }> {
    yield* keys();
    throw new Error("the listing failed");
  }
  await assertRejects(
    () =>
      clearEntries(broken, async (key) => {
        await turn();
        deleted.push(key);
      }),
    Error,
    "the listing failed",
  );
  assertEquals(deleted, [["a"], ["b"]]);
});
