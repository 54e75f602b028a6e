/**
 * Keys in Deno KV: the parts as they are, unless they are too long.
 *
 * @module
 */

import type { DenoKvKey } from "./client.ts";
import { utf8Length } from "../key.ts";
import { KeyLimit } from "../long_key.ts";
import type { KvKey } from "../store.ts";

/** Shortens the keys that would take more than the 2,048 bytes of Deno KV. */
export const keyLimit: KeyLimit = new KeyLimit(2_048, partBytes);

/** A part begins and ends with a byte of its own, and a NUL takes two. */
function partBytes(part: string): number {
  let bytes = utf8Length(part) + 2;
  for (let i = part.indexOf("\0"); i >= 0; i = part.indexOf("\0", i + 1)) {
    bytes++;
  }
  return bytes;
}

/** How many bytes an encoded key takes. */
export function keyBytes(key: KvKey): number {
  return key.reduce((bytes, part) => bytes + partBytes(part), 0);
}

/** Whether a key may be one of ours. */
export function isOfStrings(key: readonly unknown[]): key is KvKey {
  return key.every((part) => typeof part === "string");
}

/**
 * The range of all keys of strings that start with a prefix. A boolean comes
 * after every string, and takes the one byte that a bound may be longer than a
 * key; the driver's own keys come before the first string.
 */
export function rangeOf(
  prefix: readonly string[],
): { start: DenoKvKey; end: DenoKvKey } {
  return {
    start: prefix.length > 0 ? prefix : [""],
    end: [...prefix, false],
  };
}
