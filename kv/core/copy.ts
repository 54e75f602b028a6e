/**
 * The check of a value and its copy: what the contract makes of it.
 *
 * @module
 */

import { Copier } from "./copier.ts";
import { copyIfPlain, NOT_PLAIN } from "./plain.ts";

/**
 * A value that was checked and copied.
 */
export interface Copy {
  /** The copy, in which nothing is shared with the original. */
  readonly value: unknown;
  /** Whether it is plain JSON. */
  readonly plain: boolean;
}

/**
 * Checks and copies a value: members that are `undefined` are dropped, `toJSON`
 * is called, class instances become plain objects, `-0` becomes `0`, and views
 * of bytes keep only the bytes that they show. A value from another realm, such
 * as `node:vm`, becomes one of this realm.
 *
 * @param value What the caller gave.
 * @returns The copy, and whether it is plain JSON.
 * @throws {TypeError} If it holds a function, a symbol, a `RegExp`, an `Error`,
 * a cycle or another object that no store can hold; the message names its path.
 * @throws {RangeError} If it is nested deeper than 1,000 levels, or too large,
 * counting an object once for every reference to it.
 */
export function copyValue(value: unknown): Copy {
  const copied = copyIfPlain(value);
  if (copied !== NOT_PLAIN) return { value: copied, plain: true };
  const copier = new Copier(value);
  const copy = copier.copy();
  return { value: copy, plain: copier.plain };
}
