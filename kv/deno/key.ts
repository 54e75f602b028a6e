/**
 * Keys in Deno KV: the parts as they are, unless they are too long.
 *
 * @module
 */

import type { DenoKvKey } from "./client.ts";
import { utf8Length } from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import type { KvKey } from "../store.ts";

/** The most bytes that Deno KV takes for a key. */
const MAX_KEY_BYTES = 2_048;

/** Shortens the keys that would take more bytes. */
export const keyLimit: KeyLimit = new KeyLimit(MAX_KEY_BYTES, partBytes);

/** The first half of a surrogate pair, which the last part of every shortened key starts with. */
const DIGEST_START = KeyLimit.digests.first.charCodeAt(0);

/** The key to store an entry under: itself, unless it is too long. */
export function storedKey(key: KvKey): KvKey {
  let most = 0;
  for (let i = 0; i < key.length; i++) {
    const part = key[i]!;
    // A UTF-16 code unit takes at most three bytes.
    most += 3 * part.length + 2;
    if (part.charCodeAt(0) === DIGEST_START) return keyLimit.stored(key);
  }
  return most <= MAX_KEY_BYTES ? key : keyLimit.stored(key);
}

/** A part begins and ends with its own byte, and a NUL takes two. */
function partBytes(part: string): number {
  let bytes = utf8Length(part) + 2;
  for (let i = part.indexOf("\0"); i >= 0; i = part.indexOf("\0", i + 1)) {
    bytes++;
  }
  return bytes;
}

/** How many bytes an encoded key takes. */
export function keyBytes(key: KvKey): number {
  let bytes = 0;
  for (let i = 0; i < key.length; i++) bytes += partBytes(key[i]!);
  return bytes;
}

/** Whether a stored key is a shortened one. */
export function isShortened(stored: KvKey): boolean {
  return stored.at(-1)!.charCodeAt(0) === DIGEST_START &&
    keyLimit.isShortened(stored);
}

/** Whether a key may be one of ours. */
export function isOfStrings(key: readonly unknown[]): key is KvKey {
  return key.every((part) => typeof part === "string");
}

/** Whether two keys have the same parts. */
export function isSameKey(
  a: readonly unknown[],
  b: readonly unknown[],
): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}

/** Whether a value is a key that an entry can be stored under. */
export function isStoredKey(value: unknown): value is KvKey {
  return Array.isArray(value) && value.length > 0 && isOfStrings(value) &&
    keyBytes(value) <= MAX_KEY_BYTES;
}

/** A range of stored keys. */
export interface Range {
  /** The first key. */
  readonly start: DenoKvKey;
  /** The key after the last one. */
  readonly end: DenoKvKey;
  /** Whether only shortened keys count. */
  readonly onlyShortened: boolean;
}

/**
 * The ranges of the keys that start with a prefix, in key order. The key to
 * continue after bounds the first range, or in reverse the last one. A long one
 * may be in the first range itself.
 *
 * @param prefix The parts of the prefix.
 * @param after The key to continue after, if any.
 * @param reverse Whether to continue before it.
 */
export function rangesOf(
  prefix: readonly string[],
  after: KvKey | undefined,
  reverse: boolean,
): Range[] {
  const { whole, shortened } = keyLimit.ranges(prefix);
  const ranges: Range[] = [];
  if (whole !== undefined) ranges.push(wholeRange(whole));
  if (shortened !== undefined) {
    const { first, last } = KeyLimit.digests;
    ranges.push({
      start: [...shortened, first],
      end: [...shortened, last],
      onlyShortened: true,
    });
  }
  if (after !== undefined) {
    const bound = storedKey(after);
    const i = isShortened(bound) ? ranges.length - 1 : 0;
    if (reverse) ranges.splice(i, 2, { ...ranges[i]!, end: bound });
    else ranges.splice(0, i + 1, { ...ranges[i]!, start: next(bound) });
  }
  return reverse ? ranges.reverse() : ranges;
}

/**
 * The range of all keys of strings that start with a prefix. A boolean comes
 * after every string, and takes the one byte that a bound may be longer than a
 * key; the driver's own keys come before the first string.
 */
function wholeRange(prefix: readonly string[]): Range {
  return {
    start: prefix.length > 0 ? prefix : [""],
    end: [...prefix, false],
    onlyShortened: false,
  };
}

/** The first key that may follow another one: itself if there is no room. */
function next(key: KvKey): KvKey {
  const child: KvKey = [...key, ""];
  return keyBytes(child) <= MAX_KEY_BYTES ? child : key;
}
