// Increments a counter by compare-and-swap.
import type { KvStore } from "../../../kv/store.ts";

/** Adds one to the counter under `["counter"]`, as often as asked. */
export async function increment(
  kv: Required<KvStore>,
  times: number,
): Promise<void> {
  for (let i = 0; i < times; i++) {
    while (true) {
      const count = await kv.get<number>(["counter"]);
      if (await kv.cas(["counter"], count, (count ?? 0) + 1)) break;
    }
  }
}
