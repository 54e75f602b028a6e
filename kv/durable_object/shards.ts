/**
 * Several objects that hold one store.
 *
 * @module
 */

import { compareStrings } from "../core/key.ts";

/**
 * Which of several objects has a key. As entries stay where they are, this must
 * never change: FNV-1a, in 32 bits, of the code units of the encoded key, and
 * then a mix of the bits.
 *
 * @param id The encoded key.
 * @param shards The number of objects.
 * @returns Its index.
 */
export function shardOf(id: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return ((hash ^ hash >>> 16) >>> 0) % shards;
}

/**
 * The name of one of the objects of a store. The two numbers come first, so
 * that no name of a store makes the name of another store's object.
 *
 * @param name The name of the store.
 * @param index The index of the object.
 * @param shards The number of objects.
 * @returns The name, such as `1/1 kv`.
 */
export function objectName(
  name: string,
  index: number,
  shards: number,
): string {
  return `${index + 1}/${shards} ${name}`;
}

/**
 * Merges listings that are in order, as far as they were read.
 *
 * @typeParam Row What is listed.
 * @param listings The pages of each listing.
 * @param reverse Whether they are from the last key to the first.
 * @returns The pages of all, in order.
 */
export async function* mergePages<Row extends { readonly id: string }>(
  listings: readonly AsyncIterable<readonly Row[]>[],
  reverse: boolean,
): AsyncGenerator<Row[]> {
  const pages = listings.map((each) => each[Symbol.asyncIterator]());
  let heads: Head<Row>[] = pages.map((pages) => ({ pages, rows: [], next: 0 }));
  while (true) {
    await Promise.all(heads.map(refill));
    heads = heads.filter(({ rows }) => rows.length > 0);
    if (heads.length === 0) return;
    const merged: Row[] = [];
    let first: Head<Row>;
    do {
      first = heads.reduce((a, b) =>
        compareHeads(a, b) <= 0 === reverse ? b : a
      );
      merged.push(first.rows[first.next++]!);
    } while (first.next < first.rows.length);
    yield merged;
  }
}

/** A listing that is under way, and how much of its page is used up. */
interface Head<Row> {
  readonly pages: AsyncIterator<readonly Row[]>;
  rows: readonly Row[];
  next: number;
}

async function refill<Row>(head: Head<Row>): Promise<void> {
  while (head.next === head.rows.length) {
    const page = await head.pages.next();
    head.rows = page.done ? [] : page.value;
    head.next = 0;
    if (page.done) return;
  }
}

function compareHeads<Row extends { readonly id: string }>(
  a: Head<Row>,
  b: Head<Row>,
): number {
  return compareStrings(a.rows[a.next]!.id, b.rows[b.next]!.id);
}
