// Every kind of call, to see whether an option of a client changes an answer.
import { assert, assertEquals } from "@std/assert";
import type { PostgresKvStore } from "../../kv/postgres.ts";
import type { KvKey } from "../../kv/store.ts";

/** Makes every kind of call, and checks each answer. */
export async function exercise(store: PostgresKvStore): Promise<void> {
  const long: KvKey = ["a", "b".repeat(4_000)];
  const value = { text: " NULL,\t\u{1f600}ä", n: 1, none: null };
  for (const keys of [[["x"]], [["x"], ["y"], long]] as KvKey[][]) {
    const each = <T>(call: (key: KvKey) => Promise<T>) =>
      Promise.all(keys.map(call));
    const all = <T>(value: T) => keys.map(() => value);
    assertEquals(await each((key) => store.get(key)), all(undefined));
    assertEquals(
      await each((key) => store.cas(key, undefined, 1, { ttl: 60_000 })),
      all(true),
    );
    assertEquals(await each((key) => store.cas(key, undefined, 2)), all(false));
    assertEquals(await each((key) => store.cas(key, 2, 3)), all(false));
    assertEquals(await each((key) => store.cas(key, 1, value)), all(true));
    assertEquals(await each((key) => store.get(key)), all(value));
    await each((key) => store.set(key, value, { ttl: 60_000 }));
    const entries = await Array.fromAsync(store.list());
    assertEquals(
      new Set(entries.map(({ key }) => key.join())).size,
      keys.length,
    );
    for (const { value: listed, expires } of entries) {
      assertEquals(listed, value);
      assert(Math.abs(expires! - Date.now() - 60_000) < 50_000);
    }
    await each((key) => store.set(key, 5));
    assertEquals((await Array.fromAsync(store.list())).length, keys.length);
    assertEquals(await each((key) => store.cas(key, 5, undefined)), all(true));
    await each((key) => store.delete(key));
    assertEquals(await Array.fromAsync(store.list()), []);
  }
  assertEquals(await store.sweep(), 0);
}
