/**
 * What a writing call adds to a commit of Deno KV, and how calls share commits.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { LargeWrite } from "./chunks.ts";
import type { DenoKvAtomic } from "./client.ts";
import { type DenoValue, type Envelope, seal, sealChunks } from "./codec.ts";
import type { DenoDatabase } from "./database.ts";
import { keyBytes, storedKey } from "./key.ts";
import type { KvKey } from "../store.ts";

/** About how many bytes a commit has, below the 819,200 that it may take. */
export const COMMIT_BYTES = 700_000;
/** The bytes of all keys of a commit, below the 81,920 that they may take. */
const COMMIT_KEY_BYTES = 80_000;
/** The longest `expireIn`, some 3,000 years: dates overflow later on. */
const MAX_EXPIRE_IN = 1e14;

/** A call that writes, and what it writes. */
export class Write {
  readonly call: KvCall<DenoValue>;
  /** The key, as it is stored. */
  readonly key: KvKey;
  /** The chunks of a value that is too large for one entry. */
  readonly large: LargeWrite | undefined = undefined;
  /** The bytes of the value in the entry. */
  readonly bytes: number = 0;
  /** What to store, unless it is in chunks; `undefined` to delete. */
  readonly #value: unknown = undefined;

  constructor(db: DenoDatabase, call: KvCall<DenoValue>) {
    this.call = call;
    this.key = storedKey(call.key);
    if (call.value === undefined) return;
    const sealed = seal(call.value, this.#envelope);
    if (sealed instanceof Uint8Array) {
      this.large = new LargeWrite(db, this.key, sealed, this.#expireIn);
    } else {
      this.#value = sealed.value;
      this.bytes = sealed.bytes;
    }
  }

  /** Whether it swaps from nothing to a value that fits. */
  get creates(): boolean {
    return this.call.expected === undefined && this.call.value !== undefined &&
      this.large === undefined;
  }

  /** Adds what is to be written to a commit. */
  addTo(atomic: DenoKvAtomic): void {
    const expireIn = this.#expireIn;
    let value = this.#value;
    if (this.large !== undefined) {
      this.large.complete(atomic);
      value = sealChunks(this.large.chunks, this.#envelope);
    }
    if (value === undefined) atomic.delete(this.key);
    else if (expireIn === undefined) atomic.set(this.key, value);
    else atomic.set(this.key, value, { expireIn });
  }

  get #envelope(): Envelope {
    const { key, expiry } = this.call;
    return { expires: expiry, key: this.key === key ? undefined : key };
  }

  get #expireIn(): number | undefined {
    const { ttl } = this.call;
    return ttl === undefined || ttl > MAX_EXPIRE_IN ? undefined : ttl;
  }
}

/** Cuts writes into commits, in which a key counts for up to three times. */
export function commitsOf(
  writes: readonly Write[],
  most = Infinity,
): Write[][] {
  const groups: Write[][] = [];
  let group: Write[] = [];
  let [bytes, keys] = [0, 0];
  for (const write of writes) {
    const key = keyBytes(write.key);
    bytes += write.bytes + 3 * key;
    keys += key;
    if (
      group.length === 0 || group.length === most ||
      bytes > COMMIT_BYTES || keys > COMMIT_KEY_BYTES
    ) {
      group = [];
      groups.push(group);
      [bytes, keys] = [write.bytes + 3 * key, key];
    }
    group.push(write);
  }
  return groups;
}
