/**
 * Plain JSON values: most values are, so their check and copy are fast.
 *
 * @module
 */

import {
  CHECK_AFTER,
  CONTAINER_ITEMS,
  MAX_DEPTH,
  MAX_ITEMS,
} from "./limits.ts";
import { unfoldsTooFar } from "./unfold.ts";

/** What {@linkcode copyIfPlain} returns if a value is not plain. */
export const NOT_PLAIN = Symbol("not plain");

/** Whether members can be assigned that have a name of `Object.prototype`. */
const canAssign =
  Object.getOwnPropertyDescriptor(Object.prototype, "constructor")
    ?.writable === true;

/**
 * Whether `for…in` yields only own members. It does not if something extended
 * `Object.prototype`; values then take the slower path.
 */
export function yieldsOwnMembers(): boolean {
  for (const _ in Object.prototype) return false;
  return true;
}

/** The value that is being checked. */
let root: unknown;

/** How many more items it may hold before the next check. */
let left = 0;

/** Whether it was checked that it does not unfold too far. */
let bounded = false;

function start(value: unknown): void {
  root = value;
  left = CHECK_AFTER;
  bounded = false;
}

/** Whether a value that holds many items may hold more. */
function mayGoOn(): boolean {
  if (bounded || unfoldsTooFar(root)) return false;
  bounded = true;
  left += MAX_ITEMS - CHECK_AFTER;
  return left >= 0;
}

/**
 * Whether a value is plain JSON, that is, whether `JSON.stringify` stores it
 * according to the contract. A member that is `undefined` is dropped either way.
 *
 * @param value The value.
 * @returns Whether `JSON.stringify` may have it.
 */
export function isPlain(value: unknown): boolean {
  if (typeof value !== "object") return isPlainAt(value, MAX_DEPTH);
  start(value);
  const plain = yieldsOwnMembers() && isPlainAt(value, MAX_DEPTH);
  root = undefined;
  return plain;
}

function isPlainAt(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return value - value === 0;
    case "object":
      return value === null || isPlainObject(value, depth);
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  // Loading a member that is missing is faster than asking whether it is there.
  if (
    depth === 0 || ((left -= CONTAINER_ITEMS) < 0 && !mayGoOn()) ||
    (value as { toJSON?: unknown }).toJSON !== undefined
  ) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    let members = 0;
    for (const name in value) {
      members++;
      const member = (value as Record<string, unknown>)[name];
      if (typeof member === "string" || member === undefined) continue;
      if (!isPlainAt(member, depth - 1)) return false;
    }
    left -= members;
    return true;
  }
  if (prototype !== Array.prototype) return false;
  const array = value as unknown[];
  left -= array.length;
  for (let i = 0; i < array.length; i++) {
    const item = array[i];
    if (typeof item !== "string" && !isPlainAt(item, depth - 1)) return false;
  }
  return true;
}

/**
 * Checks and copies a plain value in one pass.
 *
 * @param value What the caller gave.
 * @returns The copy, or {@linkcode NOT_PLAIN} if the value may be richer, is
 * too large or comes from another realm.
 */
export function copyIfPlain(value: unknown): unknown {
  if (typeof value !== "object") return copyAt(value, MAX_DEPTH);
  if (!canAssign || !yieldsOwnMembers()) return NOT_PLAIN;
  start(value);
  const copy = copyAt(value, MAX_DEPTH);
  root = undefined;
  return copy;
}

function copyAt(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return value - value !== 0 ? NOT_PLAIN : value === 0 ? 0 : value;
    case "object":
      return value === null ? null : copyObject(value, depth);
    default:
      return NOT_PLAIN;
  }
}

function copyObject(value: object, depth: number): unknown {
  if (
    depth === 0 || ((left -= CONTAINER_ITEMS) < 0 && !mayGoOn()) ||
    (value as { toJSON?: unknown }).toJSON !== undefined
  ) return NOT_PLAIN;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    return copyArray(value as unknown[], depth - 1);
  }
  if (prototype !== Object.prototype && prototype !== null) return NOT_PLAIN;
  // Spreading would be faster for wide objects, but slower for nested ones and
  // for dictionaries, and copies symbols.
  const copy: Record<string, unknown> = {};
  let members = 0;
  for (const name in value) {
    members++;
    let member = (value as Record<string, unknown>)[name];
    if (typeof member !== "string") {
      if (member === undefined) continue;
      member = copyAt(member, depth - 1);
      if (member === NOT_PLAIN) return NOT_PLAIN;
    }
    // Assigning it would set the prototype.
    if (name === "__proto__") return NOT_PLAIN;
    copy[name] = member;
  }
  left -= members;
  return copy;
}

function copyArray(array: unknown[], depth: number): unknown {
  // A sparse array is not plain; do not copy its holes to find out.
  if (array.length > 0 && array[0] === undefined) return NOT_PLAIN;
  if ((left -= array.length) < 0 && !mayGoOn()) return NOT_PLAIN;
  const copy = array.slice();
  for (let i = 0; i < copy.length; i++) {
    const item = copy[i];
    if (typeof item === "string") continue;
    const copied = copyAt(item, depth);
    if (copied === NOT_PLAIN) return NOT_PLAIN;
    if (copied !== item || copied === 0) copy[i] = copied;
  }
  return copy;
}

/**
 * Copies a plain JSON value that was checked before.
 *
 * @typeParam T The type of the value.
 * @param value A copy that {@linkcode copyValue} made and called plain.
 * @returns Another copy.
 */
export function copyPlain<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  return yieldsOwnMembers() ? copyNested(value) : structuredClone(value);
}

function copyNested<T extends object>(value: T): T {
  if (Array.isArray(value)) {
    const copy = value.slice();
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      if (typeof item === "object" && item !== null) copy[i] = copyNested(item);
    }
    return copy as unknown as T;
  }
  // Spreading defines even a member named "__proto__"; assigning would not.
  const copy = { ...value };
  for (const name in copy) {
    const member = copy[name];
    if (typeof member === "object" && member !== null) {
      copy[name] = copyNested(member);
    }
  }
  return copy;
}
