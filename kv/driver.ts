/**
 * What it takes to write a driver: two abstract classes that check, encode,
 * order and batch the calls, and the functions that they use.
 *
 * A driver extends {@linkcode KvDriver}, or {@linkcode KvCasDriver} if its
 * backend can swap atomically, and implements `execute` and `pages`.
 *
 * @example A driver on a `Map`
 * ```ts
 * import {
 *   compareStrings,
 *   decodeKey,
 *   type EncodedValue,
 *   type KvCall,
 *   KvCasDriver,
 *   type KvStoredEntry,
 *   type KvStoreTraits,
 *   startsWith,
 * } from "@org/kv/driver";
 * import { assert, assertEquals } from "@std/assert";
 *
 * class MapKvStore extends KvCasDriver {
 *   readonly traits: KvStoreTraits = {
 *     driver: "map",
 *     persistent: false,
 *     shared: "process",
 *     maxValueBytes: Infinity,
 *     without: {},
 *   };
 *   readonly #entries = new Map<string, { value: EncodedValue; expiry: number }>();
 *
 *   constructor() {
 *     super({ sequential: true });
 *   }
 *
 *   #alive(id: string): EncodedValue | undefined {
 *     const entry = this.#entries.get(id);
 *     return entry && entry.expiry > Date.now() ? entry.value : undefined;
 *   }
 *
 *   protected override execute(calls: readonly KvCall[]): void {
 *     for (const call of calls) {
 *       const { id, value, expiry = Infinity } = call;
 *       if (call.kind === "get") {
 *         call.found(this.#alive(id));
 *       } else if (call.kind === "cas" && !call.matches(this.#alive(id))) {
 *         call.resolve(false);
 *       } else {
 *         if (value === undefined) this.#entries.delete(id);
 *         else this.#entries.set(id, { value, expiry });
 *         call.resolve(true);
 *       }
 *     }
 *   }
 *
 *   protected override async *pages(
 *     prefix: readonly string[],
 *   ): AsyncGenerator<KvStoredEntry[]> {
 *     for (const id of [...this.#entries.keys()].sort(compareStrings)) {
 *       const key = decodeKey(id);
 *       const value = this.#alive(id);
 *       if (value === undefined || !startsWith(key, prefix)) continue;
 *       yield [{ key, value }];
 *     }
 *   }
 * }
 *
 * const kv = new MapKvStore();
 * assert(await kv.cas(["a"], undefined, { n: 1 }));
 * assertEquals(await kv.get(["a"]), { n: 1 });
 * ```
 *
 * @module
 */

export { KvCasDriver } from "./core/cas_driver.ts";
export { KvDriver, type KvDriverOptions } from "./core/driver.ts";
export type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
export type { BatcherOptions } from "./core/batcher_options.ts";
export type { BatcherNodes } from "./core/places.ts";
export type {
  KvCall,
  KvCallBase,
  KvCasCall,
  KvCodec,
  KvDeleteCall,
  KvGetCall,
  KvSetCall,
} from "./core/call.ts";
export { decodeValue, type EncodedValue, encodeValue } from "./core/value.ts";
export {
  compareStrings,
  decodeKey,
  encodeKey,
  type KeyRange,
  keyRange,
  startsWith,
} from "./core/key.ts";
export { KeyLimit, type PrefixRanges } from "./core/long_key.ts";
export { idAfter, PageSize } from "./core/paging.ts";
export { retry, type RetryOptions } from "./core/retry.ts";
export { checkOptions, type OptionRule } from "./core/options.ts";
export type { KvErrorType } from "./core/message.ts";
export {
  KvCorruptionError,
  KvError,
  KvOutcomeUnknownError,
  KvOverloadError,
} from "./errors.ts";
export type {
  KvExtendedStore,
  KvGuarantee,
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvProgressOptions,
  KvSignal,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
  Ttl,
} from "./store.ts";
