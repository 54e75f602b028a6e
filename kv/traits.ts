/**
 * The guarantees of a store: one manifest for types, tests and documentation.
 *
 * @module
 */

/**
 * A guarantee of the contract that a driver may have to leave out.
 *
 * - `cas`: the store has a `cas` method, linearizable per key.
 * - `linearizable`: every client reads what any client has written before.
 * - `isolation`: changing a value after the call never changes the store.
 * - `streaming`: neither memory nor the time to the first entry of a list grows
 *   with the number of entries.
 * - `large-values`: values of 1 MB and more, up to `maxValueBytes`, even if a
 *   single item of the backend holds less.
 * - `stable-list`: an entry that exists throughout a listing is yielded exactly
 *   once, even while others change.
 * - `order`: a list yields entries in key order.
 * - `reverse`: a list can yield entries from the last key to the first.
 * - `operations`: the store has `keys()`, `count()`, `clear()`, `sweep()`,
 *   `check()` and `pending`, and `list()` takes options. Every store of this
 *   module has them; another `KvStore` may leave them out.
 *
 * @example Usage
 * ```ts
 * import { type KvGuarantee, MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const guarantee: KvGuarantee = "streaming";
 * assertEquals(guarantee in new MemoryKvStore().traits.without, false);
 * ```
 */
export type KvGuarantee =
  | "cas"
  | "linearizable"
  | "isolation"
  | "streaming"
  | "large-values"
  | "stable-list"
  | "order"
  | "reverse"
  | "operations";

/**
 * What a store is and what it does not guarantee: one manifest for users, for
 * the conformance suite and for the guarantees table of the documentation.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { assertEquals } from "@std/assert";
 *
 * const { traits } = new MemoryKvStore();
 * assertEquals(traits.persistent, false);
 * assertEquals(traits.without, {});
 * ```
 */
export interface KvStoreTraits {
  /** The driver's name, as in its export path. */
  readonly driver: string;
  /** The table, key prefix or name that tells it from other stores, if it has one. */
  readonly collection?: string;
  /** Whether entries outlive the process. */
  readonly persistent: boolean;
  /** Who can share the entries: one process, one machine, or a network. */
  readonly shared: "process" | "machine" | "network";
  /** The largest size of an encoded value, in bytes. A larger one is rejected. */
  readonly maxValueBytes: number;
  /** The guarantees that the store leaves out, each with its reason. */
  readonly without: { readonly [guarantee in KvGuarantee]?: string };
}
