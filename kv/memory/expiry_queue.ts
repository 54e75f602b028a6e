/**
 * What expires, the soonest first.
 *
 * @module
 */

/** Something with a time, which knows where it stands in a queue. */
export interface Expiring {
  /** When it expires, in epoch milliseconds. */
  readonly expiry: number;
  /** Its place in the queue; kept by the queue. */
  place: number;
}

/**
 * A binary heap from which any item can be removed. Adding and removing take
 * time logarithmic in the number of items; adding the latest one, as equal TTLs
 * do, takes constant time.
 */
export class ExpiryQueue<Item extends Expiring> {
  readonly #heap: Item[] = [];

  /** The number of items. */
  get size(): number {
    return this.#heap.length;
  }

  /** The item that expires first. */
  get first(): Item | undefined {
    return this.#heap[0];
  }

  /** Adds an item. */
  add(item: Item): void {
    this.#rise(item, this.#heap.length);
  }

  /** Removes an item that is in the queue. */
  remove(item: Item): void {
    const last = this.#heap.pop()!;
    if (last === item) return;
    if (last.expiry < item.expiry) this.#rise(last, item.place);
    else this.#sink(last, item.place);
  }

  #rise(item: Item, place: number) {
    const heap = this.#heap;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above]!;
      if (parent.expiry <= item.expiry) break;
      heap[place] = parent;
      parent.place = place;
      place = above;
    }
    heap[place] = item;
    item.place = place;
  }

  #sink(item: Item, place: number) {
    const heap = this.#heap;
    while (true) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (
        below + 1 < heap.length &&
        heap[below + 1]!.expiry < heap[below]!.expiry
      ) below++;
      const child = heap[below]!;
      if (child.expiry >= item.expiry) break;
      heap[place] = child;
      child.place = place;
      place = below;
    }
    heap[place] = item;
    item.place = place;
  }
}
