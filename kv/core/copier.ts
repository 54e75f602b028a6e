/**
 * The copy of a value that is not plain JSON, and the errors of values that
 * cannot be stored.
 *
 * @module
 */

import {
  type Content,
  contentOf,
  hiddenTypeOf,
  tagOf,
  typedArrayOf,
} from "./built_in.ts";
import {
  CHECK_AFTER,
  CONTAINER_ITEMS,
  MAX_DEPTH,
  MAX_ITEMS,
  MAX_LENGTH,
} from "./limits.ts";
import type { TypedArray } from "./typed_arrays.ts";
import { unfoldsTooFar } from "./unfold.ts";
import { ValuePath } from "./value_path.ts";

/** Copies one value. */
export class Copier {
  readonly #root: unknown;
  /** Whether all that was copied is plain JSON. */
  plain = true;
  readonly #ancestors = new Set<object>();
  readonly #path = new ValuePath();
  #itemsLeft = CHECK_AFTER;
  #bounded = false;
  #lengthLeft = MAX_LENGTH;

  /** Makes a copier of a value. */
  constructor(value: unknown) {
    this.#root = value;
  }

  /** Copies the value. */
  copy(): unknown {
    return this.#copy(this.#root);
  }

  #copy(value: unknown): unknown {
    switch (typeof value) {
      case "string":
        this.#countLength(value.length);
        return value;
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
    if (this.#ancestors.has(value)) {
      throw this.#rejection("refers back to what contains it");
    }
    if (this.#ancestors.size === MAX_DEPTH) {
      throw new RangeError(
        `value must be nested at most ${MAX_DEPTH} levels deep: received more`,
      );
    }
    this.#countItems(CONTAINER_ITEMS);
    this.#ancestors.add(value);
    const copy = Array.isArray(value)
      ? this.#copyArray(value)
      : this.#copySpecial(value) ?? this.#copyMembers(value);
    this.#ancestors.delete(value);
    return copy;
  }

  #copyArray(array: unknown[]): unknown[] {
    this.#countItems(array.length);
    const copy: unknown[] = [];
    for (let i = 0; i < array.length; i++) {
      copy.push(this.#copyAt("index", i, array[i]));
    }
    return copy;
  }

  #copyMembers(object: object): unknown {
    const { toJSON } = object as { toJSON?: unknown };
    // What only inherits from Date has no content for its toJSON().
    if (typeof toJSON === "function" && !(object instanceof Date)) {
      return this.#copyJson(toJSON.call(object, this.#path.name));
    }
    return this.#copyOwn(object, Object.keys(object));
  }

  /** Copies what `toJSON` returned; it is not called again. */
  #copyJson(json: unknown): unknown {
    const isObject = typeof json === "object" && json !== null;
    if (!isObject || Array.isArray(json)) return this.#copy(json);
    const names = Object.keys(json).filter((name) =>
      name !== "toJSON" ||
      typeof (json as { toJSON: unknown }).toJSON !== "function"
    );
    return this.#copySpecial(json) ?? this.#copyOwn(json, names);
  }

  #copyOwn(object: object, names: string[]): Record<string, unknown> {
    const type = hiddenTypeOf(object);
    if (type !== undefined) throw this.#hidden(type);
    if (names.length === 0 && tagOf(object) !== "Object") {
      throw this.#hidden(tagOf(object));
    }
    this.#countItems(names.length);
    const copy: Record<string, unknown> = {};
    for (const name of names) {
      this.#countLength(name.length);
      const { plain } = this;
      const member = (object as Record<string, unknown>)[name];
      const value = this.#copyAt("member", name, member);
      if (value === undefined) {
        this.plain = plain;
      } else if (name in copy) {
        // Assigning would meet what Object.prototype has of that name.
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

  /** Copies what JSON does not know; `undefined` for any other object. */
  #copySpecial(value: object): unknown {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return undefined;
    const content = contentOf(value);
    if (content === undefined) return undefined;
    const unboxed = unbox(value, content);
    if (unboxed !== undefined) return this.#copy(unboxed);
    this.plain = false;
    if (content === "Map") return this.#copyMap(value as Map<unknown, unknown>);
    if (content === "Set") return this.#copySet(value as Set<unknown>);
    if (content === "Date") {
      return new Date(Date.prototype.getTime.call(value));
    }
    return this.#copyBytes(value as ArrayBuffer | TypedArray);
  }

  // The methods of this realm read what is of another one, too.
  #copyMap(map: Map<unknown, unknown>): Map<unknown, unknown> {
    const copy = new Map();
    let i = 0;
    for (const [key, value] of Map.prototype.entries.call(map)) {
      this.#countItems(2);
      const name = this.#copyAt("key", i, key);
      if (copy.has(name)) {
        throw this.#rejection(`has two keys that are stored as one`);
      }
      copy.set(name, this.#copyAt("value", i++, value));
    }
    return copy;
  }

  #copySet(set: Set<unknown>): Set<unknown> {
    const copy = new Set();
    let i = 0;
    for (const value of Set.prototype.values.call(set)) {
      this.#countItems(1);
      copy.add(this.#copyAt("value", i++, value));
    }
    return copy;
  }

  #copyBytes(value: ArrayBuffer | TypedArray): ArrayBuffer | TypedArray {
    this.#countLength(value.byteLength);
    const Type = typedArrayOf(value);
    try {
      // Copying the array, not its buffer, takes only the bytes it shows.
      return Type
        ? new Type(value as TypedArray)
        : new Uint8Array(value as ArrayBuffer).slice().buffer;
    } catch {
      throw this.#rejection("has lost its bytes to another owner");
    }
  }

  #copyAt(
    kind: "index" | "member" | "key" | "value",
    step: string | number,
    value: unknown,
  ): unknown {
    this.#path.push(kind, step);
    const copy = this.#copy(value);
    this.#path.pop();
    return copy;
  }

  #countItems(count: number): void {
    this.#itemsLeft -= count;
    if (this.#itemsLeft >= 0) return;
    if (!this.#bounded && !unfoldsTooFar(this.#root)) {
      this.#bounded = true;
      this.#itemsLeft += MAX_ITEMS - CHECK_AFTER;
      if (this.#itemsLeft >= 0) return;
    }
    throw new RangeError(
      `${this.#path} is too much: a value must hold at most ${MAX_ITEMS} ` +
        `items (an array or object counts as ${CONTAINER_ITEMS}, and again ` +
        "for each reference to it): received more",
    );
  }

  #countLength(length: number): void {
    this.#lengthLeft -= length;
    if (this.#lengthLeft >= 0) return;
    throw new RangeError(
      `${this.#path} is too much: a value must hold at most ${MAX_LENGTH} ` +
        "characters and bytes: received more",
    );
  }

  #hidden(type: string): TypeError {
    return type === "Error"
      ? new TypeError(
        `${this.#path} is of type Error, which cannot be stored: store what ` +
          "you need of it, such as { name, message, stack }",
      )
      : this.#rejection(`is of type ${type}`);
  }

  #rejection(reason: string): TypeError {
    return new TypeError(`${this.#path} ${reason}, which cannot be stored`);
  }
}

/** The primitive in a `Number`, `String`, `Boolean` or `BigInt` object. */
function unbox(value: object, content: Content): unknown {
  switch (content) {
    case "Number":
      return Number.prototype.valueOf.call(value);
    case "String":
      return String.prototype.valueOf.call(value);
    case "Boolean":
      return Boolean.prototype.valueOf.call(value);
    case "BigInt":
      return BigInt.prototype.valueOf.call(value);
    default:
      return undefined;
  }
}
