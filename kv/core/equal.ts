/**
 * Equality by content.
 *
 * @module
 */

import { type TypedArray, typedArrays } from "./typed_arrays.ts";

/**
 * Whether two values are equal by content: the order of object members does not
 * matter, nor that of a `Map` or a `Set`; `NaN` equals `NaN`; dates compare by
 * time, typed arrays and buffers by type and bytes.
 *
 * Both must be what a store returns: values that were checked and copied.
 *
 * @param a A value.
 * @param b Another.
 * @returns Whether they are equal.
 *
 * @example Usage
 * ```ts
 * import { equalValues } from "@org/kv/driver";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(equalValues({ a: 1, b: [NaN] }, { b: [NaN], a: 1 }));
 * assertFalse(equalValues([undefined], [null]));
 * ```
 */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (
    typeof a !== "object" || typeof b !== "object" || a === null || b === null
  ) {
    return a !== a && b !== b;
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && equalArrays(a, b);
  }
  const prototype = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (prototype !== Object.prototype) {
    if (a instanceof Date) return Object.is(+a, +(b as Date));
    if (a instanceof Map) return equalMaps(a, b as Map<unknown, unknown>);
    if (a instanceof Set) return equalSets(a, b as Set<unknown>);
    if (a instanceof ArrayBuffer) return equalBytes(a, b as ArrayBuffer);
    for (const Type of typedArrays) {
      if (a instanceof Type) return equalBytes(a, b as TypedArray);
    }
  }
  return equalMembers(
    a as Record<string, unknown>,
    b as Record<string, unknown>,
  );
}

function equalArrays(a: unknown[], b: unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (!equalValues(a[i], b[i])) return false;
  }
  return true;
}

function equalMembers(
  a: Record<string, unknown>,
  b: Record<string, unknown>,
): boolean {
  let more = 0;
  for (const name in a) {
    if (!Object.hasOwn(b, name) || !equalValues(a[name], b[name])) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}

function equalMaps(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
): boolean {
  if (a.size !== b.size) return false;
  // Keys that are objects may equal one another in any order.
  const left = [...b.keys()].filter((key) => !a.has(key));
  for (const [key, value] of a) {
    if (b.has(key)) {
      if (!equalValues(value, b.get(key))) return false;
      continue;
    }
    let i = 0;
    while (
      i < left.length &&
      !(equalValues(key, left[i]) && equalValues(value, b.get(left[i])))
    ) i++;
    if (i === left.length) return false;
    left.splice(i, 1);
  }
  return true;
}

function equalSets(a: Set<unknown>, b: Set<unknown>): boolean {
  if (a.size !== b.size) return false;
  const left = [...b].filter((value) => !a.has(value));
  for (const value of a) {
    if (b.has(value)) continue;
    let i = 0;
    while (i < left.length && !equalValues(value, left[i])) i++;
    if (i === left.length) return false;
    left.splice(i, 1);
  }
  return true;
}

function equalBytes(
  a: ArrayBuffer | TypedArray,
  b: ArrayBuffer | TypedArray,
): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const x = bytesOf(a);
  const y = bytesOf(b);
  return x.every((byte, i) => byte === y[i]);
}

function bytesOf(data: ArrayBuffer | TypedArray): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
