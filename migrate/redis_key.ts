/**
 * Keys in the names of Fedify's Redis store.
 *
 * Each colon in a part is written as `_:`, and parts are joined by `::`. In a run
 * of colons after `_`, an odd length means that the first colon belongs to the
 * part; all others are separators.
 *
 * @module
 */

import type { KvKey } from "../kv/store.ts";

/**
 * Decodes a name.
 *
 * @param name The name without the prefix of the store.
 * @returns The key, or `undefined` if no key has this name.
 */
export function keyOfName(name: string): KvKey | undefined {
  const parts: string[] = [];
  let part = "";
  let end = 0;
  for (const { index, 0: run } of name.matchAll(/:+/g)) {
    part += name.slice(end, index);
    end = index + run.length;
    let separators = run.length;
    if (separators % 2 === 1) {
      if (!part.endsWith("_")) return undefined;
      part = `${part.slice(0, -1)}:`;
      separators--;
    }
    for (; separators > 0; separators -= 2) {
      parts.push(part);
      part = "";
    }
  }
  parts.push(part + name.slice(end));
  return parts as unknown as KvKey;
}
