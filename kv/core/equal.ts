/**
 * Equality by content.
 *
 * @module
 */

import { yieldsOwnMembers } from "./plain.ts";
import { bytesOf, type TypedArray } from "./typed_arrays.ts";
import { ValueIds } from "./value_ids.ts";

/**
 * Whether two values are equal by content: the order of object members does not
 * matter, nor that of a `Map` or a `Set`; `NaN` equals `NaN`; dates compare by
 * time, typed arrays and buffers by type and bytes.
 *
 * Both must be what a store returns: values that were checked and copied. It
 * takes time almost proportional to their size.
 *
 * @param a A value.
 * @param b Another.
 * @returns Whether they are equal.
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
    if (ArrayBuffer.isView(a)) {
      return equalBytes(a as TypedArray, b as TypedArray);
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
  if (!yieldsOwnMembers()) return equalOwnMembers(a, b);
  let more = 0;
  for (const name in a) {
    if (!Object.hasOwn(b, name) || !equalValues(a[name], b[name])) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}

function equalOwnMembers(
  a: Record<string, unknown>,
  b: Record<string, unknown>,
): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) =>
      Object.hasOwn(b, name) && equalValues(a[name], b[name])
    );
}

function equalMaps(
  a: Map<unknown, unknown>,
  b: Map<unknown, unknown>,
): boolean {
  if (a.size !== b.size) return false;
  const left: [unknown, unknown][] = [];
  for (const [key, value] of a) {
    if (isObject(key)) left.push([key, value]);
    else if (!b.has(key) || !equalValues(value, b.get(key))) return false;
  }
  if (left.length === 0) return true;
  // Keys that are objects may equal one another in any order.
  const right = [...b].filter(([key]) => isObject(key));
  if (left.length !== right.length) return false;
  if (left.length === 1) return equalArrays(left[0]!, right[0]!);
  const ids = new ValueIds();
  return ids.ofEntries(left) === ids.ofEntries(right);
}

function equalSets(a: Set<unknown>, b: Set<unknown>): boolean {
  if (a.size !== b.size) return false;
  const left: unknown[] = [];
  for (const value of a) {
    if (isObject(value)) left.push(value);
    else if (!b.has(value)) return false;
  }
  if (left.length === 0) return true;
  const right = [...b].filter(isObject);
  if (left.length !== right.length) return false;
  if (left.length === 1) return equalValues(left[0], right[0]);
  const ids = new ValueIds();
  return ids.ofAll(left) === ids.ofAll(right);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function equalBytes(
  a: ArrayBuffer | TypedArray,
  b: ArrayBuffer | TypedArray,
): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const x = bytesOf(a);
  const y = bytesOf(b);
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}
