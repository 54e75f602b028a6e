/**
 * Numbers for values: equal ones have the same.
 *
 * @module
 */

import { bytesOf, type TypedArray } from "./typed_arrays.ts";

/**
 * Gives values numbers, so that sets of objects can be compared in time almost
 * proportional to their size. A container is known by the numbers of what it
 * holds, so each value is walked once. A `Map` keeps them, whose hashes nobody
 * outside can predict.
 *
 * The values must be copies that a store made.
 */
export class ValueIds {
  readonly #ids = new Map<string, number>();

  /** The number of a value. */
  of(value: unknown): number {
    const form = this.#form(value);
    let id = this.#ids.get(form);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(form, id);
    }
    return id;
  }

  /** The numbers of the keys and values of a `Map`, in a certain order. */
  ofEntries(entries: Iterable<readonly [unknown, unknown]>): string {
    return Array.from(
      entries,
      ([key, value]) => `${this.of(key)}:${this.of(value)}`,
    ).sort().join();
  }

  /** The numbers of values, in a certain order. */
  ofAll(values: Iterable<unknown>): string {
    return Array.from(values, (value) => this.of(value)).sort().join();
  }

  /** A string that only equal values have. */
  #form(value: unknown): string {
    switch (typeof value) {
      case "string":
        return `"${value}`;
      case "bigint":
        return `i${value.toString(16)}`;
      case "object":
        return value === null ? "null" : this.#formOfObject(value);
      default:
        return `${value}`;
    }
  }

  #formOfObject(value: object): string {
    if (Array.isArray(value)) {
      return `[${value.map((item) => this.of(item)).join()}`;
    }
    if (value instanceof Date) return `d${value.getTime()}`;
    if (value instanceof Map) return `m${this.ofEntries(value)}`;
    if (value instanceof Set) return `S${this.ofAll(value)}`;
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      return formOfBytes(value as ArrayBuffer | TypedArray);
    }
    return `{${this.ofEntries(Object.entries(value))}`;
  }
}

const CHUNK = 8192;

function formOfBytes(value: ArrayBuffer | TypedArray): string {
  const bytes = bytesOf(value);
  let form = `b${value.constructor.name}:`;
  for (let i = 0; i < bytes.length; i += CHUNK) {
    form += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return form;
}
