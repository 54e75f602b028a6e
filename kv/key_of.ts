/**
 * Making a key of parts whose number is known only when the program runs.
 *
 * @module
 */

import { checkKey } from "./core/key.ts";
import type { KvKey } from "./store.ts";

/**
 * Makes a key of an array of parts. TypeScript accepts an array literal such as
 * `["users", id]` as a {@linkcode KvKey}, but not a `string[]`, which may be
 * empty.
 *
 * @param parts The parts, at least one.
 * @returns The key, which does not change with the array.
 * @throws {TypeError} If there are no parts, or one is not a well-formed string.
 * @throws {RangeError} If the parts take more than 8 KiB of UTF-8.
 *
 * @example Usage
 * ```ts
 * import { keyOf, MemoryKvStore } from "@org/kv";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const url = new URL("https://a.example/users/alice");
 * const parts = url.pathname.split("/").slice(1);
 * await kv.set(keyOf(parts), "Alice");
 * assertEquals(await kv.get(["users", "alice"]), "Alice");
 *
 * assertThrows(() => keyOf([]), TypeError, "one or more parts");
 * ```
 */
export function keyOf(parts: readonly string[]): KvKey {
  return checkKey(parts, "make a key of");
}
