/**
 * The entries of the memory store, and what is checked before one is made.
 *
 * @module
 */

import { type Copy, copyValue } from "../core/copy.ts";
import type { Expiring } from "./expiry_queue.ts";
import { rejection } from "../core/message.ts";
import { copyPlain } from "../core/plain.ts";
import type { KvKey, KvStoreSetOptions } from "../store.ts";
import { type Life, lifeOf } from "../core/ttl.ts";

/** A value as it is kept: nobody else has a reference to it. */
export class Entry {
  constructor(readonly value: unknown, readonly plain: boolean) {}

  /** Copies the value for a caller, who may change the copy. */
  copyOfValue(): unknown {
    return this.plain ? copyPlain(this.value) : copyValue(this.value).value;
  }

  /** When it expires, in epoch milliseconds. */
  get expires(): number | undefined {
    return undefined;
  }

  /** Whether it is expired. */
  get isExpired(): boolean {
    return false;
  }
}

/** An entry that expires. */
export class ExpiringEntry extends Entry implements Expiring {
  place = -1;

  constructor(
    value: unknown,
    plain: boolean,
    readonly key: KvKey,
    readonly expiry: number,
  ) {
    super(value, plain);
  }

  override get expires(): number {
    return this.expiry;
  }

  override get isExpired(): boolean {
    return this.expiry <= Date.now();
  }
}

/**
 * Checks a write and copies its value.
 *
 * @param action The method that was called.
 * @param key The key, which was checked.
 * @param value What the caller gave.
 * @param options What the caller gave.
 * @returns The entry, or `undefined` if nothing is to be there.
 */
export function entryOf(
  action: string,
  key: KvKey,
  value: unknown,
  options: KvStoreSetOptions | undefined,
): Entry | undefined {
  const copy = checkedCopy(action, key, value);
  // Last, so that the copying does not pass between the two readings of the clock
  // of a TTL that is the distance to a moment.
  const life = checkedLife(action, key, options);
  if (copy.value === undefined || (life !== undefined && life.ttl <= 0)) {
    return undefined;
  }
  return life === undefined
    ? new Entry(copy.value, copy.plain)
    : new ExpiringEntry(
      copy.value,
      copy.plain,
      key.slice() as unknown as KvKey,
      life.expires ?? Date.now() + life.ttl,
    );
}

/** Checks and copies a value. */
export function checkedCopy(action: string, key: KvKey, value: unknown): Copy {
  try {
    return copyValue(value);
  } catch (error) {
    throw rejection(action, key, error);
  }
}

function checkedLife(
  action: string,
  key: KvKey,
  options: KvStoreSetOptions | undefined,
): Life | undefined {
  if (options === undefined) return undefined;
  try {
    return lifeOf(options);
  } catch (error) {
    throw rejection(action, key, error);
  }
}
