/**
 * The names of entries in a namespace of Workers KV.
 *
 * @module
 */

import type { WorkersKvNamespace } from "./client.ts";
import { retryKv } from "./errors.ts";
import { bytesOf, expiryOf } from "./metadata.ts";
import { decodeKey, encodeKey, utf8Length } from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import type { KvKey } from "../store.ts";

/** The longest name that Workers KV takes, in bytes. */
const MAX_NAME_BYTES = 512;

/** Half of it, so that there is room for a key, shortened or not. */
const MAX_PREFIX_BYTES = 256;

/** What follows the prefix, and each part of an encoded key but the last. */
const SEPARATOR = "!";

/** The name of an entry. */
export interface EntryName {
  readonly name: string;
  /** The key, which is a shortened one if `isShortened`. */
  readonly key: KvKey;
  /** Whether the true key is stored with the value. */
  readonly isShortened: boolean;
}

/** A name as it was listed. */
export interface WorkersName extends EntryName {
  /** When the entry expires, in epoch milliseconds; `undefined` for never. */
  readonly expiry: number | undefined;
  /** About how many bytes the value takes at most. */
  readonly bytes: number;
}

/** The names of one store, which all start with its prefix. */
export class WorkersNames {
  readonly #prefix: string;
  readonly #limit: KeyLimit;

  /** Takes a prefix that was checked. */
  constructor(keyPrefix: string) {
    // The first separator ends the prefix, which has none: no key of this store
    // makes the name of another store's entry.
    this.#prefix = keyPrefix + SEPARATOR;
    this.#limit = new KeyLimit(MAX_NAME_BYTES - utf8Length(this.#prefix));
  }

  /** The name of an entry. */
  of(key: KvKey): EntryName {
    const stored = this.#limit.stored(key);
    return {
      name: this.#prefix + encodeKey(stored),
      key: stored,
      isShortened: this.#limit.isShortened(stored),
    };
  }

  /**
   * Lists the names of the entries whose key may start with some parts, in key
   * order.
   */
  async *list(
    namespace: WorkersKvNamespace,
    prefix: readonly string[],
    alive: () => void,
  ): AsyncGenerator<WorkersName> {
    const { whole, shortened } = this.#limit.ranges(prefix);
    if (whole !== undefined) {
      const start = encodeKey(whole);
      for await (const found of this.#startingWith(namespace, start, alive)) {
        // The separator comes before all else that may follow.
        if (whole.length > 0 && found.id[start.length]! > SEPARATOR) break;
        yield found;
      }
    }
    if (shortened !== undefined) {
      const start = encodeKey([...shortened, KeyLimit.digests.first]);
      for await (const found of this.#startingWith(namespace, start, alive)) {
        if (found.isShortened) yield found;
      }
    }
  }

  async *#startingWith(
    namespace: WorkersKvNamespace,
    start: string,
    alive: () => void,
  ): AsyncGenerator<WorkersName & { id: string }> {
    const prefix = this.#prefix + start;
    let page = await retryKv(() => namespace.list({ prefix }));
    while (true) {
      alive();
      for (const { name, metadata } of page.keys) {
        const expiry = expiryOf(metadata);
        if (expiry !== undefined && expiry <= Date.now()) continue;
        const id = name.slice(this.#prefix.length);
        const key = decodeKey(id);
        if (encodeKey(key) !== id) continue;
        const isShortened = this.#limit.isShortened(key);
        const bytes = bytesOf(metadata);
        yield { name, key, isShortened, expiry, bytes, id };
      }
      const { cursor } = page;
      if (page.list_complete || cursor === undefined) return;
      page = await retryKv(() => namespace.list({ prefix, cursor }));
    }
  }
}

/**
 * Checks a prefix of names.
 *
 * @throws {TypeError} If it is not a well-formed string without a separator.
 * @throws {RangeError} If it leaves too little room for a key.
 */
export function checkKeyPrefix(keyPrefix: string): void {
  if (!keyPrefix.isWellFormed()) {
    throw new TypeError(
      "Cannot make a WorkersKvStore: keyPrefix must be well-formed: " +
        "received a lone surrogate",
    );
  }
  if (keyPrefix.includes(SEPARATOR)) {
    throw new TypeError(
      'Cannot make a WorkersKvStore: keyPrefix must not contain "!", which ' +
        `the store adds after it: received ${JSON.stringify(keyPrefix)}`,
    );
  }
  const bytes = utf8Length(keyPrefix);
  if (bytes > MAX_PREFIX_BYTES) {
    throw new RangeError(
      "Cannot make a WorkersKvStore: keyPrefix must take at most " +
        `${MAX_PREFIX_BYTES} bytes: received ${bytes}`,
    );
  }
}
