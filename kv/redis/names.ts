/**
 * Which names in Redis are those of entries.
 *
 * @module
 */

import {
  decodeKey,
  encodeKey,
  MAX_KEY_BYTES,
  utf8Length,
} from "../core/key.ts";

/** What no encoded key has, or only as an escape. */
const TO_CHECK = /[^!#-\uffff]/;

/**
 * The encoded key in a name.
 *
 * @param name The name, which starts with the prefix.
 * @param prefix What all names of the store start with.
 * @returns The encoded key, or `undefined` if no store has written the name.
 */
export function idOf(name: string, prefix: string): string | undefined {
  const id = name.slice(prefix.length);
  return isKey(id) ? id : undefined;
}

/** Whether a text is an encoded key, which `get` would take. */
function isKey(id: string): boolean {
  if (TO_CHECK.test(id) && encodeKey(decodeKey(id)) !== id) return false;
  return id.length * 3 <= MAX_KEY_BYTES || bytesOf(id) <= MAX_KEY_BYTES;
}

function bytesOf(id: string): number {
  return decodeKey(id).reduce((bytes, part) => bytes + utf8Length(part), 0);
}
