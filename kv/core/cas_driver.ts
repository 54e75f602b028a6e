/**
 * What all drivers with compare-and-swap share.
 *
 * @module
 */

import { KvDriver } from "./driver.ts";
import type { KvKey, KvStoreSetOptions } from "../store.ts";
import type { EncodedValue } from "./value.ts";

/**
 * A store with compare-and-swap, on any backend.
 *
 * @typeParam Stored The stored form of values.
 *
 * @example Usage
 * ```ts
 * import { KvCasDriver } from "@org/kv/driver";
 * import { MemoryKvStore } from "@org/kv/memory";
 * import { assert } from "@std/assert";
 *
 * assert(!(MemoryKvStore.prototype instanceof KvCasDriver));
 * ```
 */
export abstract class KvCasDriver<Stored = EncodedValue>
  extends KvDriver<Stored> {
  /**
   * Writes an entry if, and only if, its value equals the expected one by
   * content. `undefined` means no entry, on both sides.
   *
   * @param key The key to swap.
   * @param expectedValue What must be there.
   * @param newValue What will be there.
   * @param options The TTL or the expiry.
   * @returns Whether the swap was made.
   * @throws {TypeError} If the key, a value or an option has a wrong type.
   * @throws {RangeError} If the key or a value is too large, or the TTL or the
   * expiry is not finite.
   * @throws {KvOutcomeUnknownError} If the swap may have been applied.
   * @throws {KvError} If the backend fails.
   */
  cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    return this.compareAndSwap(key, expectedValue, newValue, options);
  }
}
