/**
 * Encoding what a call writes, when it is made.
 *
 * @module
 */

import type { KvCodec, Write } from "./call.ts";
import { utf8Length } from "./key.ts";
import { rejection } from "./message.ts";
import type { KvKey, KvStoreSetOptions, KvStoreTraits } from "../store.ts";
import { type Life, lifeOf } from "./ttl.ts";

/** Checks and encodes the values and TTLs of a store. */
export class Encoder<Stored> {
  readonly #codec: KvCodec<Stored>;
  readonly #store: { readonly traits: KvStoreTraits };

  constructor(
    codec: KvCodec<Stored>,
    store: { readonly traits: KvStoreTraits },
  ) {
    this.#codec = codec;
    this.#store = store;
  }

  /** Encodes what a `set` or `cas` writes; nothing if it is expired already. */
  encodeWrite(
    action: string,
    key: KvKey,
    value: unknown,
    options: KvStoreSetOptions | undefined,
  ): Write<Stored> {
    const stored = this.encode(action, key, value);
    // Last, so that the time for the value does not pass between the two readings
    // of the clock of a TTL that is the distance to a moment.
    let life: Life | undefined;
    try {
      life = lifeOf(options);
    } catch (error) {
      throw rejection(action, key, error);
    }
    return stored === undefined || life !== undefined && life.ttl <= 0
      ? { value: undefined, life: undefined }
      : { value: stored, life };
  }

  /** Encodes a value. */
  encode(action: string, key: KvKey, value: unknown): Stored | undefined {
    try {
      const stored = this.#codec.encode(value);
      if (stored !== undefined) this.#checkSize(stored);
      return stored;
    } catch (error) {
      throw rejection(action, key, error);
    }
  }

  #checkSize(stored: Stored): void {
    const { maxValueBytes } = this.#store.traits;
    let bytes = this.#codec.bytes(stored);
    // A UTF-16 code unit takes at most three bytes of UTF-8.
    if (bytes * 3 <= maxValueBytes) return;
    if (typeof stored === "string") bytes = utf8Length(stored);
    if (bytes <= maxValueBytes) return;
    throw new RangeError(
      `value must take at most ${maxValueBytes} bytes: received ${bytes}`,
    );
  }
}
