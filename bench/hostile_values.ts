/**
 * Keys and values that cost too much where something is not linear.
 *
 * @module
 */
import type { KvKey } from "../mod.ts";

function array<T>(size: number, item: (i: number) => T): T[] {
  return Array.from({ length: size }, (_, i) => item(i));
}

function nested(size: number): unknown {
  let value: unknown = array(size, (i) => [i]);
  for (let i = 0; i < 900; i++) value = [value];
  return value;
}

/** Values by what is hostile in them; each holds about so many items. */
export const values: Record<string, (size: number) => unknown> = {
  "members": (size) =>
    Object.fromEntries(array(size, (i) => [`member ${i}`, i])),
  "names of 8 KiB": (size) =>
    Object.fromEntries(
      array(size / 500, (i) => [`${i}`.padEnd(8_192, "x"), 1n]),
    ),
  "nesting around many items": (size) => [nested(size), 1n],
  "sets of objects": (size) => new Set(array(size, (i) => ({ i }))),
  "maps with objects as keys": (size) =>
    new Map(array(size, (i) => [{ i }, [i]])),
  "lone surrogates next to a date": (size) => [
    "\ud800".repeat(100 * size),
    new Date(0),
  ],
  "shared references": (size) => {
    const shared = { a: [1n] };
    return array(size, () => shared);
  },
  "a sparse array": (size) => {
    const sparse: unknown[] = [];
    sparse[100 * size] = 1;
    return sparse;
  },
  "a bigint": (size) => 1n << BigInt(800 * size),
  "dates": (size) => array(size, (i) => new Date(i)),
};

/** Keys by what is hostile in them; each takes about so many bytes. */
export const keys: Record<string, (size: number) => KvKey> = {
  "a key of one part": (size) => ["x".repeat(size)],
  "a key of empty parts": (size) =>
    ["x", ...array(size - 1, () => "")] as unknown as KvKey,
  "a key of parts to escape": (size) => ["!".repeat(size)],
  "a key of short parts": (size) =>
    array(size / 2, (i) => `${i % 10}`) as unknown as KvKey,
};
