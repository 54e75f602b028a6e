/**
 * Reading a listing page by page.
 *
 * @module
 */

/**
 * The first encoded key that may follow another one. No character of an encoded
 * key is as small as a space.
 *
 * @param id An encoded key.
 * @returns The smallest text after it, under a comparison of bytes.
 *
 * @example Usage
 * ```ts
 * import { encodeKey, idAfter } from "@org/kv/driver";
 * import { assert } from "@std/assert";
 *
 * const next = idAfter(encodeKey(["a"]));
 * assert(encodeKey(["a"]) < next && next < encodeKey(["a", ""]));
 * ```
 */
export function idAfter(id: string): string {
  return `${id} `;
}

/** About how many bytes a page has. */
export const PAGE_BYTES = 1_048_576;

/**
 * How many entries to read next: pages start small, so that the first entry
 * comes soon, and grow as long as the values are small.
 *
 * @example Usage
 * ```ts
 * import { PageSize } from "@org/kv/driver";
 * import { assertEquals } from "@std/assert";
 *
 * const size = new PageSize();
 * assertEquals(size.limit, 32);
 * size.learn(32, 3_200);
 * assertEquals(size.limit, 128);
 * ```
 */
export class PageSize {
  readonly #max: number;
  #limit: number;

  /**
   * Makes the size of a first page.
   *
   * @param first The number of entries in the first page.
   * @param max The largest number of entries in a page.
   */
  constructor(first = 32, max = 1024) {
    this.#limit = first;
    this.#max = max;
  }

  /** The number of entries in the next page. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * Learns from a page that was read.
   *
   * @param entries The number of entries that it had.
   * @param bytes The bytes that they took together.
   */
  learn(entries: number, bytes: number): void {
    if (entries === 0) return;
    const fitting = Math.floor(PAGE_BYTES * entries / Math.max(1, bytes));
    this.#limit = Math.max(1, Math.min(this.#limit * 4, this.#max, fitting));
  }
}
