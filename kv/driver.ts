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
 *   decodeValue,
 *   type EncodedValue,
 *   type KvCall,
 *   KvCasDriver,
 *   type KvPageEntry,
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
 *       const { kind, id, value, expiry = Infinity } = call;
 *       if (kind === "get") {
 *         call.found(this.#alive(id));
 *       } else if (kind === "cas" && !call.matches(this.#alive(id))) {
 *         call.resolve(false);
 *       } else {
 *         if (value === undefined) this.#entries.delete(id);
 *         else this.#entries.set(id, { value, expiry });
 *         call.resolve(kind === "cas" ? true : undefined);
 *       }
 *     }
 *   }
 *
 *   protected override async *pages(
 *     prefix: readonly string[],
 *   ): AsyncGenerator<KvPageEntry[]> {
 *     for (const id of [...this.#entries.keys()].sort(compareStrings)) {
 *       const key = decodeKey(id);
 *       const value = this.#alive(id);
 *       if (value === undefined || !startsWith(key, prefix)) continue;
 *       yield [{ key, value: decodeValue(value) }];
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

export {
  KvCasDriver,
  KvDriver,
  type KvDriverOptions,
  type KvPageEntry,
} from "./core/driver.ts";
export type { BatchOptions } from "./core/batcher.ts";
export { failure, KvCall, type KvCodec } from "./core/call.ts";
export { decodeCbor, encodeCbor, isCbor } from "./core/cbor.ts";
export { type Copy, copyPlain, copyValue, isPlain } from "./core/copy.ts";
export { equalValues } from "./core/equal.ts";
export { KvCorruptionError, KvError, KvOutcomeUnknownError } from "./errors.ts";
export {
  assertKey,
  checkKey,
  checkPrefix,
  compareStrings,
  decodeKey,
  describe,
  encodeKey,
  type KeyRange,
  keyRange,
  startsWith,
  utf8Length,
} from "./core/key.ts";
export { KeyLimit, type PrefixRanges } from "./core/long_key.ts";
export type {
  KvGuarantee,
  KvKey,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  KvStoreTraits,
  Ttl,
} from "./store.ts";
export { ttlMilliseconds } from "./core/ttl.ts";
export { decodeValue, type EncodedValue, encodeValue } from "./core/value.ts";
