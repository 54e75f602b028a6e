/**
 * A part of a store, as a separate store.
 *
 * @module
 */

import { assertKey } from "./core/key.ts";
import {
  PartOfStore,
  SwappingPartOfStore,
  type Swaps,
} from "./core/part_of_store.ts";
import type { KvExtendedStore, KvKey, KvStore } from "./store.ts";

/**
 * A store that holds the entries of another one whose keys start with a prefix,
 * under the rest of their keys. Several applications, or several parts of one,
 * can share a store this way.
 *
 * An entry whose key is the prefix itself does not belong to it. The prefix
 * counts toward the 8 KiB that a key may take. Messages of the underlying store
 * name whole keys.
 *
 * @typeParam Store The type of the store.
 * @param store The store that holds the entries.
 * @param prefix The leading parts of their keys.
 * @returns The store of what follows the prefix; it has `cas()` if the store has.
 * @throws {TypeError} If the prefix is not a key.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore, withPrefix } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const sessions = withPrefix(kv, ["sessions"]);
 * await sessions.set(["x1"], "alice");
 *
 * assertEquals(await kv.get(["sessions", "x1"]), "alice");
 * assertEquals(await sessions.count(), 1);
 * ```
 */
export function withPrefix<Store extends KvExtendedStore>(
  store: Store,
  prefix: KvKey,
): Store extends Required<Pick<KvStore, "cas">>
  ? KvExtendedStore & Required<Pick<KvStore, "cas">>
  : KvExtendedStore {
  assertKey(prefix, "make a store with the prefix");
  const copy = prefix.slice() as unknown as KvKey;
  const part = store.cas === undefined
    ? new PartOfStore(store, copy)
    : new SwappingPartOfStore(store as Store & Swaps, copy);
  return part as unknown as ReturnType<typeof withPrefix<Store>>;
}
