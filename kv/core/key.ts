/**
 * Keys: the check that every method makes, and an encoding as one string that
 * keeps the order of the contract under a comparison of bytes.
 *
 * @module
 */

import {
  ESCAPE,
  escapePart,
  isShortAndPlain,
  joinEscaped,
  SEPARATOR,
  unescapePart,
} from "./escape.ts";
import type { KvKey } from "../store.ts";

/** The most bytes of UTF-8 that the parts of a key may take together. */
export const MAX_KEY_BYTES = 8192;

/** The most parts that a key may have; empty ones take no bytes. */
const MAX_PARTS = 8192;

/**
 * Checks a key and copies it, so that nobody can change it after the call.
 *
 * @param key What the caller gave.
 * @param action What the caller wants to do, for the message.
 * @returns A copy of the key.
 * @throws {TypeError} If it is no sequence of one or more well-formed strings.
 * @throws {RangeError} If it takes more than 8 KiB of UTF-8.
 */
export function checkKey(key: unknown, action: string): KvKey {
  assertKey(key, action);
  return key.slice() as unknown as KvKey;
}

/**
 * Checks a key that is used before anybody can change it.
 *
 * @param key What the caller gave.
 * @param action What the caller wants to do, for the message.
 * @throws {TypeError} If it is no sequence of one or more well-formed strings.
 * @throws {RangeError} If it takes more than 8 KiB of UTF-8.
 */
export function assertKey(key: unknown, action: string): asserts key is KvKey {
  assertParts(key, action);
  if (key.length === 0) {
    throw new TypeError(
      `Cannot ${action} []: a key must have one or more parts: received none`,
    );
  }
}

/**
 * Checks a prefix, as {@linkcode checkKey} does, but allows that it is
 * `undefined` or empty.
 *
 * @param prefix What the caller gave.
 * @param action What the caller wants to do, for the message.
 * @returns A copy of the parts.
 * @throws {TypeError} If it is no sequence of well-formed strings.
 * @throws {RangeError} If it takes more than 8 KiB of UTF-8.
 */
export function checkPrefix(
  prefix: unknown,
  action: string,
): readonly string[] {
  if (prefix === undefined) return [];
  assertParts(prefix, action);
  return prefix.slice();
}

/** How many parts are remembered. */
const SHARED = 2;

/** The first parts of the key that was last checked. */
const wellFormed = ["", ""];

function assertParts(
  key: unknown,
  action: string,
): asserts key is readonly string[] {
  if (!Array.isArray(key)) {
    throw new TypeError(
      `Cannot ${action} ${describe(key)}: ` +
        `a key must be an array of strings: received ${typeName(key)}`,
    );
  }
  if (key.length > MAX_PARTS) {
    throw new RangeError(
      `Cannot ${action} ${describe(key)}: ` +
        `a key must have at most ${MAX_PARTS} parts: received ${key.length}`,
    );
  }
  let units = 0;
  for (let i = 0; i < key.length; i++) {
    const part = key[i];
    if (typeof part !== "string") {
      throw new TypeError(
        `Cannot ${action} ${describe(key)}: ` +
          `key[${i}] must be a string: received ${typeName(part)}`,
      );
    }
    // Most keys share their first parts with the key before.
    if (part === "" || (i < SHARED && part === wellFormed[i])) {
      units += part.length;
      continue;
    }
    if (!isShortAndPlain(part) && !part.isWellFormed()) {
      throw new TypeError(
        `Cannot ${action} ${describe(key)}: ` +
          `key[${i}] must be well-formed: received a lone surrogate`,
      );
    }
    if (i < SHARED) wellFormed[i] = part;
    units += part.length;
  }
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  if (units * 3 > MAX_KEY_BYTES) {
    let bytes = 0;
    for (const part of key) bytes += utf8Length(part);
    if (bytes > MAX_KEY_BYTES) {
      throw new RangeError(
        `Cannot ${action} ${describe(key)}: ` +
          `a key must take at most ${MAX_KEY_BYTES} bytes: received ${bytes}`,
      );
    }
  }
}

/**
 * Formats a key for a message, shortened if it is long.
 *
 * @param key The key, or what was given for one.
 * @returns JSON, of some 200 characters at most.
 */
export function describe(key: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(Array.isArray(key) ? key.slice(0, 200) : key);
  } catch {
    // A BigInt or a cycle: its type will do.
  }
  text ??= String(typeof key === "object" ? typeName(key) : key);
  return text.length > 200 ? `${text.slice(0, 200)}… (shortened)` : text;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return value === undefined
    ? "undefined"
    : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

/**
 * The number of bytes that a well-formed string takes in UTF-8.
 *
 * @param text The string.
 * @returns The number of bytes.
 */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair adds one: two units become four bytes.
    if (unit > 0x7f) {
      bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1;
    }
  }
  return bytes;
}

/** From this number on, joining parts is faster than adding them. */
const MANY_PARTS = 16;

/** What has to be escaped, or may be a lone surrogate. */
const NOT_PLAIN = /[^#-\ud7ff\ue000-\uffff]/;

/**
 * Encodes a key as one printable string. Different keys have different
 * encodings, and their order by code point is the order of the contract.
 *
 * @param key A key that was checked, or the parts of a prefix.
 * @returns The parts joined by `!`, with the characters up to `"` escaped.
 *
 * @example Usage
 * ```ts
 * import { encodeKey } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeKey(["users", "https://a.example/b"]), "users!https://a.example/b");
 * assertEquals(encodeKey(["a b", "!"]), 'a"Cb!"D');
 * ```
 */
export function encodeKey(key: readonly string[]): string {
  // Adding up many parts would make a string of thousands of pieces.
  if (key.length > MANY_PARTS) return joinEscaped(key);
  let encoded = escapePart(key[0] ?? "");
  for (let i = 1; i < key.length; i++) {
    encoded += SEPARATOR + escapePart(key[i]!);
  }
  return encoded;
}

/**
 * Checks a key and encodes it, in one pass over a key like most.
 *
 * @param key What the caller gave.
 * @param action What the caller wants to do, for the message.
 * @returns What {@linkcode encodeKey} returns.
 * @throws {TypeError} If it is no sequence of one or more well-formed strings.
 * @throws {RangeError} If it takes more than 8 KiB of UTF-8.
 */
export function checkAndEncodeKey(key: unknown, action: string): string {
  const encoded = encodePlainKey(key);
  if (encoded !== undefined) return encoded;
  assertKey(key, action);
  return encodeKey(key);
}

/** The first parts of the key that was last encoded so. */
const plain = ["", ""];

/** Encodes a key that is well-formed, short and free of what is escaped. */
function encodePlainKey(key: unknown): string | undefined {
  if (!Array.isArray(key) || key.length === 0) return undefined;
  let encoded = "";
  for (let i = 0; i < key.length; i++) {
    const part = key[i];
    if (typeof part !== "string") return undefined;
    if (part !== plain[i]) {
      if (NOT_PLAIN.test(part)) return undefined;
      if (i < plain.length) plain[i] = part;
    }
    encoded = i === 0 ? part : encoded + SEPARATOR + part;
    if (encoded.length * 3 > MAX_KEY_BYTES) return undefined;
  }
  return encoded;
}

/**
 * Decodes what {@linkcode encodeKey} encoded.
 *
 * @param encoded The encoded key.
 * @returns The key.
 *
 * @example Usage
 * ```ts
 * import { decodeKey, encodeKey } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeKey(encodeKey(["a b", "!", ""])), ["a b", "!", ""]);
 * ```
 */
export function decodeKey(encoded: string): KvKey {
  const parts = encoded.split(SEPARATOR);
  if (encoded.includes(ESCAPE)) {
    for (let i = 0; i < parts.length; i++) {
      parts[i] = unescapePart(parts[i]!);
    }
  }
  return parts as unknown as KvKey;
}

/**
 * The encoded keys under a prefix: from `start` on, before `end`.
 *
 * @example Usage
 * ```ts
 * import { type KeyRange, keyRange } from "@org/kv/driver";
 *
 * const range: KeyRange = keyRange(["users"]);
 * ```
 */
export interface KeyRange {
  /** The first encoded key that may be meant. */
  readonly start: string;
  /** The first one past the range, or `undefined` if it has no end. */
  readonly end: string | undefined;
}

/**
 * The range of encoded keys that start with a prefix, itself included.
 *
 * @param prefix The parts of the prefix; none for all keys.
 * @returns The range, for a comparison by bytes or code points.
 *
 * @example Usage
 * ```ts
 * import { keyRange } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(keyRange(["a"]), { start: "a", end: 'a"' });
 * assertEquals(keyRange([]), { start: "", end: undefined });
 * ```
 */
export function keyRange(prefix: readonly string[]): KeyRange {
  const start = encodeKey(prefix);
  return { start, end: prefix.length === 0 ? undefined : start + ESCAPE };
}

/**
 * Whether a key starts with a prefix, part by part.
 *
 * @param key The key.
 * @param prefix The parts of the prefix.
 * @returns Whether it does.
 *
 * @example Usage
 * ```ts
 * import { startsWith } from "@org/kv/driver";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(startsWith(["a", "b"], ["a"]));
 * assertFalse(startsWith(["ab"], ["a"]));
 * ```
 */
export function startsWith(
  key: readonly string[],
  prefix: readonly string[],
): boolean {
  if (key.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) {
    if (key[i] !== prefix[i]) return false;
  }
  return true;
}

/**
 * Compares two well-formed strings by code point, as UTF-8 sorts them.
 * JavaScript's own `<` compares code units and puts astral characters before
 * U+E000 to U+FFFF.
 *
 * @param a A string, such as an encoded key.
 * @param b Another.
 * @returns A negative number, zero, or a positive one.
 *
 * @example Usage
 * ```ts
 * import { compareStrings } from "@org/kv/driver";
 * import { assert } from "@std/assert";
 *
 * assert("\u{1F600}" < "\uFFFD");
 * assert(compareStrings("\u{1F600}", "\uFFFD") > 0);
 * ```
 */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      // Among different units, surrogates stand for the highest code points.
      const astralX = (x & 0xf800) === 0xd800;
      const astralY = (y & 0xf800) === 0xd800;
      return astralX === astralY ? x - y : astralX ? 1 : -1;
    }
  }
  return a.length - b.length;
}
