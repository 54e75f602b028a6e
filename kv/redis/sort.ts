/**
 * Sorting many keys without blocking the process.
 *
 * @module
 */

import { compareStrings } from "../core/key.ts";

/** How many keys are sorted at once, which takes a few milliseconds. */
const RUN_LENGTH = 8192;

/** What UTF-16 sorts differently from code points. */
const HIGH = /[\ud800-\uffff]/;

/**
 * Collects encoded keys in any order, and returns them in key order, each once.
 * It sorts short runs while they are collected, and merges the runs while they
 * are returned. So no step takes long, however many keys there are.
 */
export class KeySorter {
  readonly #reverse: boolean;
  #runs: string[][] = [];
  #run: string[] = [];
  #compare: (a: string, b: string) => number = compareUnits;
  /** A heap of runs, by the last key of each. */
  #heap: string[][] | undefined;
  #last: string | undefined;

  /**
   * Makes a sorter.
   *
   * @param reverse Whether to return the last key first.
   */
  constructor(reverse: boolean) {
    this.#reverse = reverse;
  }

  /**
   * Adds a key.
   *
   * @param id The encoded key.
   */
  add(id: string): void {
    if (this.#compare === compareUnits && HIGH.test(id)) {
      this.#compare = compareStrings;
      // The runs so far have no such keys: their order is the same.
    }
    if (this.#run.push(id) === RUN_LENGTH) this.#endRun();
  }

  /**
   * Returns the next keys. After the first time, no key may be added.
   *
   * @param count The largest number of keys.
   * @returns The keys; none if all were returned.
   */
  take(count: number): string[] {
    const heap = this.#heap ??= this.#begin();
    const ids: string[] = [];
    while (ids.length < count && heap.length > 0) {
      const run = heap[0]!;
      const id = run.pop()!;
      if (run.length === 0) {
        const moved = heap.pop()!;
        if (heap.length > 0) heap[0] = moved;
      }
      this.#sink(heap, 0);
      if (id !== this.#last) ids.push(id);
      this.#last = id;
    }
    return ids;
  }

  #begin(): string[][] {
    this.#endRun();
    const heap = this.#runs.filter((run) => run.length > 0);
    this.#runs = [];
    for (let i = heap.length >> 1; i >= 0; i--) this.#sink(heap, i);
    return heap;
  }

  /** Sorts a run, so that the first key to return is its last one. */
  #endRun(): void {
    const run = this.#run;
    this.#run = [];
    if (this.#compare === compareUnits) run.sort();
    else run.sort(this.#compare);
    if (!this.#reverse) run.reverse();
    this.#runs.push(run);
  }

  #sink(heap: string[][], i: number): void {
    const run = heap[i];
    if (run === undefined) return;
    while (true) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (
        child + 1 < heap.length &&
        this.#isBefore(heap[child + 1]!, heap[child]!)
      ) child++;
      if (!this.#isBefore(heap[child]!, run)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = run;
  }

  #isBefore(a: string[], b: string[]): boolean {
    const order = this.#compare(a.at(-1)!, b.at(-1)!);
    return this.#reverse ? order > 0 : order < 0;
  }
}

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
