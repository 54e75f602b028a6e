/**
 * The check of a value and its copy: what the contract makes of it.
 *
 * @module
 */

import { MAX_DEPTH } from "./limits.ts";
import { type TypedArray, typedArrays } from "./typed_arrays.ts";

/** How many items an array may have: holes cost nothing until they are kept. */
const MAX_ITEMS = 2 ** 26;

/**
 * Whether a value is plain JSON, that is, whether `JSON.stringify` keeps it as
 * the contract asks. A member that is `undefined` is dropped either way.
 *
 * @param value The value.
 * @returns Whether `JSON.stringify` may have it.
 *
 * @example Usage
 * ```ts
 * import { isPlain } from "@org/kv/driver";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(isPlain({ a: [1, null, "b"] }));
 * assertFalse(isPlain({ a: new Date() }));
 * ```
 */
export function isPlain(value: unknown): boolean {
  return isPlainAt(value, MAX_DEPTH);
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
  if (depth === 0 || (value as { toJSON?: unknown }).toJSON !== undefined) {
    return false;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    for (const name in value) {
      const member = (value as Record<string, unknown>)[name];
      if (typeof member === "string" || member === undefined) continue;
      if (!isPlainAt(member, depth - 1)) return false;
    }
    return true;
  }
  if (prototype !== Array.prototype) return false;
  const array = value as unknown[];
  for (let i = 0; i < array.length; i++) {
    const item = array[i];
    if (typeof item !== "string" && !isPlainAt(item, depth - 1)) return false;
  }
  return true;
}

/**
 * A value that was checked and copied.
 *
 * @example Usage
 * ```ts
 * import { type Copy, copyValue } from "@org/kv/driver";
 *
 * const copy: Copy = copyValue({ a: 1 });
 * ```
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
 * of bytes keep only the bytes that they show.
 *
 * @param value What the caller gave.
 * @returns The copy, and whether it is plain JSON.
 * @throws {TypeError} If it holds a function, a symbol, a `RegExp`, a cycle or
 * another object that no store can hold; the message names its path.
 * @throws {RangeError} If it is nested deeper than 1,000 levels.
 *
 * @example Usage
 * ```ts
 * import { copyValue } from "@org/kv/driver";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(copyValue({ a: 1, b: undefined }), { value: { a: 1 }, plain: true });
 * assertThrows(
 *   () => copyValue({ items: [{ onClick() {} }] }),
 *   TypeError,
 *   "value.items[0].onClick",
 * );
 * ```
 */
export function copyValue(value: unknown): Copy {
  const copied = copyIfPlain(value, MAX_DEPTH);
  if (copied !== NOT_PLAIN) return { value: copied, plain: true };
  const copier = new Copier();
  const copy = copier.copy(value);
  return { value: copy, plain: copier.plain };
}

/**
 * Copies a plain JSON value that was checked before.
 *
 * @typeParam T The type of the value.
 * @param value A copy that {@linkcode copyValue} made and called plain.
 * @returns Another copy.
 *
 * @example Usage
 * ```ts
 * import { copyPlain } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * const value = { a: [1] };
 * const copy = copyPlain(value);
 * copy.a.push(2);
 * assertEquals(value, { a: [1] });
 * ```
 */
export function copyPlain<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const copy = value.slice();
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      if (typeof item === "object" && item !== null) copy[i] = copyPlain(item);
    }
    return copy as T;
  }
  // Spreading defines even a member named "__proto__"; assigning would not.
  const copy = { ...value };
  for (const name in copy) {
    const member = copy[name];
    if (typeof member === "object" && member !== null) {
      copy[name] = copyPlain(member);
    }
  }
  return copy;
}

const NOT_PLAIN = Symbol("not plain");

/** Checks and copies a plain value in one pass: most values are plain. */
function copyIfPlain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return value - value !== 0 ? NOT_PLAIN : value === 0 ? 0 : value;
    case "object":
      return value === null ? null : copyPlainObject(value, depth);
    default:
      return NOT_PLAIN;
  }
}

function copyPlainObject(value: object, depth: number): unknown {
  if (depth === 0 || "toJSON" in value) return NOT_PLAIN;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    if ((value as unknown[]).length > MAX_ITEMS) return NOT_PLAIN;
    const copy = (value as unknown[]).slice();
    for (let i = 0; i < copy.length; i++) {
      const item = copyIfPlain(copy[i], depth - 1);
      if (item === NOT_PLAIN) return NOT_PLAIN;
      copy[i] = item;
    }
    return copy;
  }
  if (prototype !== Object.prototype && prototype !== null) return NOT_PLAIN;
  // Spreading is the fastest copy, and defines even a member "__proto__".
  const copy: Record<string, unknown> = { ...value };
  if (Object.getOwnPropertySymbols(copy).length > 0) return NOT_PLAIN;
  for (const name in copy) {
    const member = copy[name];
    if (typeof member === "string") continue;
    const copied = copyIfPlain(member, depth - 1);
    if (copied === NOT_PLAIN) return NOT_PLAIN;
    if (copied !== member || copied === 0) copy[name] = copied;
  }
  return copy;
}

class Copier {
  plain = true;
  readonly #ancestors: object[] = [];
  readonly #path: string[] = [];
  /** The same steps as `toJSON` is told of them. */
  readonly #names: string[] = [];

  copy(value: unknown): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        if (!Number.isFinite(value)) this.plain = false;
        return value === 0 ? 0 : value;
      case "undefined":
      case "bigint":
        this.plain = false;
        return value;
      case "object":
        return value === null ? null : this.#copyObject(value);
      default:
        throw this.#rejection(`is a ${typeof value}`);
    }
  }

  #copyObject(value: object): unknown {
    if (this.#ancestors.includes(value)) {
      throw this.#rejection("refers back to what contains it");
    }
    if (this.#ancestors.length === MAX_DEPTH) {
      throw new RangeError(
        `value must be nested at most ${MAX_DEPTH} levels deep: received more`,
      );
    }
    this.#ancestors.push(value);
    const copy = Array.isArray(value)
      ? this.#copyArray(value)
      : this.#copySpecial(value) ?? this.#copyMembers(value);
    this.#ancestors.pop();
    return copy;
  }

  #copyArray(array: unknown[]): unknown[] {
    if (array.length > MAX_ITEMS) {
      throw new RangeError(
        `value${this.#path.join("")} must have at most ${MAX_ITEMS} items: ` +
          `received ${array.length}`,
      );
    }
    const copy: unknown[] = [];
    for (let i = 0; i < array.length; i++) {
      copy.push(this.#copyAt(`[${i}]`, array[i], `${i}`));
    }
    return copy;
  }

  #copyMembers(object: object): unknown {
    if ("toJSON" in object && typeof object.toJSON === "function") {
      return this.#copyJson(object.toJSON(this.#names.at(-1) ?? ""));
    }
    const entries = Object.entries(object);
    if (entries.length === 0) this.#refuseOpaque(object);
    return this.#copyEntries(entries);
  }

  /** Copies what `toJSON` returned; it is not called again. */
  #copyJson(json: unknown): unknown {
    const isObject = typeof json === "object" && json !== null;
    if (!isObject || Array.isArray(json)) return this.copy(json);
    return this.#copySpecial(json) ??
      this.#copyEntries(
        Object.entries(json).filter(([name, member]) =>
          name !== "toJSON" || typeof member !== "function"
        ),
      );
  }

  #copyEntries(entries: [string, unknown][]): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const [name, member] of entries) {
      const { plain } = this;
      const value = this.#copyAt(memberPath(name), member, name);
      if (value === undefined) {
        this.plain = plain;
      } else if (name === "__proto__") {
        Object.defineProperty(copy, name, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      } else {
        copy[name] = value;
      }
    }
    return copy;
  }

  /** Refuses what would become an empty object without a word. */
  #refuseOpaque(object: object): void {
    const type = Object.prototype.toString.call(object).slice(8, -1);
    if (type !== "Object") throw this.#rejection(`is of type ${type}`);
  }

  /** Copies what JSON does not know; `undefined` for any other object. */
  #copySpecial(value: object): unknown {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return undefined;
    if (
      value instanceof Number || value instanceof String ||
      value instanceof Boolean || value instanceof BigInt
    ) {
      return this.copy(value.valueOf());
    }
    const copy = this.#copyRich(value);
    if (copy !== undefined) this.plain = false;
    return copy;
  }

  #copyRich(value: object): object | undefined {
    if (value instanceof Date) return new Date(value.getTime());
    if (value instanceof Map) return this.#copyMap(value);
    if (value instanceof Set) return this.#copySet(value);
    if (value instanceof ArrayBuffer) return value.slice(0);
    if (ArrayBuffer.isView(value)) {
      for (const Type of typedArrays) {
        // Copying the array, not its buffer, takes only the bytes it shows.
        if (value instanceof Type) return new Type(value as TypedArray);
      }
    }
    if (value instanceof RegExp || ArrayBuffer.isView(value)) {
      throw this.#rejection(`is a ${value.constructor.name}`);
    }
    return undefined;
  }

  #copyMap(map: Map<unknown, unknown>): Map<unknown, unknown> {
    const copy = new Map();
    let i = 0;
    for (const [key, value] of map) {
      copy.set(
        this.#copyAt(`.keys()[${i}]`, key),
        this.#copyAt(`.values()[${i++}]`, value),
      );
    }
    return copy;
  }

  #copySet(set: Set<unknown>): Set<unknown> {
    const copy = new Set();
    let i = 0;
    for (const value of set) {
      copy.add(this.#copyAt(`.values()[${i++}]`, value));
    }
    return copy;
  }

  #copyAt(step: string, value: unknown, name = ""): unknown {
    this.#path.push(step);
    this.#names.push(name);
    const copy = this.copy(value);
    this.#path.pop();
    this.#names.pop();
    return copy;
  }

  #rejection(reason: string): TypeError {
    return new TypeError(
      `value${this.#path.join("")} ${reason}, which cannot be stored`,
    );
  }
}

function memberPath(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? `.${name}`
    : `[${JSON.stringify(name)}]`;
}
