/**
 * Keys that are too long for a backend: stored under their leading parts and a
 * digest of the rest.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { encodeKey, utf8Length } from "./key.ts";
import type { KvKey } from "../store.ts";

/** What a digest starts with: it sorts after all that anyone would write. */
const MARK = "\u{10ffff}\u{10ffff}";
const DIGEST = /^\u{10ffff}{2}[-\w]{43}$/u;

/**
 * Where a prefix is to be looked for in a backend that shortens keys.
 *
 * @example Usage
 * ```ts
 * import { KeyLimit, type PrefixRanges } from "@org/kv/driver";
 *
 * const ranges: PrefixRanges = new KeyLimit(512).ranges(["users"]);
 * ```
 */
export interface PrefixRanges {
  /** The prefix to list under, or `undefined` if no key stands there. */
  readonly whole: readonly string[] | undefined;
  /**
   * The parts under which shortened keys stand that may start with the prefix,
   * or `undefined` if `whole` holds them all. Only what
   * {@linkcode KeyLimit.isShortened} says to be shortened counts, and only if
   * its true key starts with the prefix. They come after those under `whole`.
   */
  readonly shortened: readonly string[] | undefined;
}

/**
 * A backend's limit on the size of a key, and what to store in place of the
 * keys beyond it.
 *
 * A key that fits is stored as it is. Any other one is stored under as many
 * leading parts as fit and the SHA-256 of the rest; the driver keeps the true
 * key together with the value. So is a key with a part that looks like a digest.
 *
 * @example Usage
 * ```ts
 * import { KeyLimit } from "@org/kv/driver";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const limit = new KeyLimit(512);
 * assertEquals(limit.stored(["a", "b"]), ["a", "b"]);
 *
 * const stored = limit.stored(["a", "b".repeat(600), "c"]);
 * assertEquals(stored.length, 2);
 * assert(limit.isShortened(stored));
 * ```
 */
export class KeyLimit {
  readonly #limit: number;
  readonly #partBytes: (part: string) => number;
  readonly #digestBytes: number;

  /**
   * Makes a limit.
   *
   * @param limit The most bytes that a stored key may take.
   * @param partBytes How many bytes a part takes in a stored key. By default,
   * those of its encoding by {@linkcode encodeKey} and of a separator.
   */
  constructor(
    limit: number,
    partBytes: (part: string) => number = encodedBytes,
  ) {
    this.#limit = limit;
    this.#partBytes = partBytes;
    this.#digestBytes = partBytes(digest([""]));
  }

  /**
   * The key to store an entry under.
   *
   * @param key The true key.
   * @returns The key itself if it fits, else the shortened one.
   *
   * @example Usage
   * ```ts
   * import { KeyLimit } from "@org/kv/driver";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(new KeyLimit(512).stored(["a"]), ["a"]);
   * ```
   */
  stored(key: KvKey): KvKey {
    if (this.#fits(key)) return key;
    const leading = this.#leading(key);
    return [
      ...key.slice(0, leading),
      digest(key.slice(leading)),
    ] as unknown as KvKey;
  }

  /**
   * Whether a stored key is a shortened one.
   *
   * @param stored The stored key.
   * @returns Whether it ends in a digest.
   *
   * @example Usage
   * ```ts
   * import { KeyLimit } from "@org/kv/driver";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(new KeyLimit(512).isShortened(["a"]), false);
   * ```
   */
  isShortened(stored: readonly string[]): boolean {
    return DIGEST.test(stored.at(-1) ?? "");
  }

  /**
   * Where the keys that start with a prefix are stored.
   *
   * @param prefix The prefix.
   * @returns The ranges, in the order in which to list them.
   *
   * @example Usage
   * ```ts
   * import { KeyLimit } from "@org/kv/driver";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(new KeyLimit(512).ranges(["a", "b".repeat(600)]), {
   *   whole: undefined,
   *   shortened: ["a"],
   * });
   * ```
   */
  ranges(prefix: readonly string[]): PrefixRanges {
    const leading = this.#leading(prefix);
    if (leading === prefix.length) {
      return { whole: prefix, shortened: undefined };
    }
    return {
      whole: this.#fits(prefix) ? prefix : undefined,
      shortened: prefix.slice(0, leading),
    };
  }

  /**
   * The first part of every shortened key under some parts, and what all of
   * them are smaller than: `[...parts, first] <= key < [...parts, last]`.
   *
   * @example Usage
   * ```ts
   * import { KeyLimit } from "@org/kv/driver";
   * import { assert } from "@std/assert";
   *
   * const limit = new KeyLimit(512);
   * const [part] = limit.stored(["a".repeat(600)]);
   * assert(KeyLimit.digests.first <= part && part < KeyLimit.digests.last);
   * ```
   */
  static readonly digests: { readonly first: string; readonly last: string } = {
    first: MARK,
    last: MARK + "\u{10ffff}",
  };

  #fits(parts: readonly string[]): boolean {
    let bytes = 0;
    for (const part of parts) {
      bytes += this.#partBytes(part);
      if (bytes > this.#limit || DIGEST.test(part)) return false;
    }
    return true;
  }

  /** How many leading parts leave room for a digest. */
  #leading(parts: readonly string[]): number {
    let bytes = this.#digestBytes;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      bytes += this.#partBytes(part);
      if (bytes > this.#limit || DIGEST.test(part)) return i;
    }
    return parts.length;
  }
}

const encoder = new TextEncoder();

function encodedBytes(part: string): number {
  return utf8Length(encodeKey([part])) + 1;
}

function digest(parts: readonly string[]): string {
  const bytes = sha256(encoder.encode(encodeKey(parts)));
  const base64 = btoa(String.fromCharCode(...bytes));
  return MARK + base64.replaceAll("+", "-").replaceAll("/", "_").slice(0, 43);
}
