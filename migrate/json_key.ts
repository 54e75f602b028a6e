/**
 * Keys that Fedify's stores write as JSON.
 *
 * @module
 */

import type { KvKey } from "../kv/store.ts";

/**
 * Reads a key.
 *
 * @param text What is stored.
 * @returns The key, or `undefined` if no key is stored like this.
 */
export function keyOfJson(text: string): KvKey | undefined {
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    return undefined;
  }
  // Another spelling of a key is not where Fedify looks for it.
  return isKey(key) && JSON.stringify(key) === text ? key : undefined;
}

/** Whether a value has the form of a key. */
export function isKey(key: unknown): key is KvKey {
  return Array.isArray(key) && key.length > 0 &&
    key.every((part) => typeof part === "string");
}

/** Why an entry without a key is left out. */
export const NO_KEY = "its name is not the JSON of a key";
