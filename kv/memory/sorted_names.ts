/**
 * Names that are sorted as far as they are listed.
 *
 * @module
 */

import { compareStrings } from "../core/key.ts";

/** How many names are sorted at once. */
const LEAF = 512;

/** After how many names a long step pauses. */
const PAUSE = 4096;

/** How many names are compared to find a middle. */
const SAMPLE = 31;

/** What UTF-16 sorts otherwise than Unicode: surrogates, and what follows. */
const UNLIKE_UTF16 = /[\ud800-\uffff]/;

/** Names from `first` on, up to the first of the next leaf. */
interface Leaf {
  readonly first: string;
  names: string[];
  isSorted: boolean;
}

/** The place of the next name, valid while the version stays the same. */
export interface Place {
  leaf: number;
  index: number;
}

/** What a step returns that cannot be made before a new seek. */
export const NOT_READY = Symbol("not ready");

/**
 * A list of leaves in order, whose names are not. A listing sorts only the leaf
 * that it reads, after halving it until it is small: the first entry of many
 * takes one pass over the names, once, and writes take no time for the order.
 *
 * The generators pause in long steps; the list may change meanwhile.
 */
export class SortedNames {
  /** Changes with the places. */
  version = 0;
  #leaves: Leaf[] = [{ first: "", names: [], isSorted: true }];
  #isLikeUtf16 = true;

  /** Adds a name. */
  add(name: string): void {
    if (this.#isLikeUtf16 && UNLIKE_UTF16.test(name)) this.#isLikeUtf16 = false;
    const leaf = this.#leaves[this.#leafOf(name)]!;
    leaf.names.push(name);
    leaf.isSorted = false;
    this.version++;
  }

  /** Adds names; pauses now and then. */
  *addAll(names: Iterable<string>): Generator<undefined> {
    let i = 0;
    for (const name of names) {
      this.add(name);
      if (++i % PAUSE === 0) yield;
    }
  }

  /**
   * Finds where to begin; pauses now and then.
   *
   * @param name Where to begin; the end of the list if `undefined`.
   * @param reverse Whether to go from there to the first name.
   * @param inclusive Whether the name itself is wanted.
   */
  *seek(
    name: string | undefined,
    reverse: boolean,
    inclusive: boolean,
  ): Generator<undefined, Place> {
    while (true) {
      const place = this.#locate(name, reverse, inclusive);
      if (!("names" in place)) return place;
      if (place.names.length > LEAF) {
        yield* this.#split(place);
      } else {
        const sorted = this.#sort(place.names);
        // A name that was deleted and added again is there twice.
        place.names = sorted.filter((name, i) => name !== sorted[i - 1]);
        place.isSorted = true;
      }
    }
  }

  /** Returns the name at a place, if any, and moves the place on. */
  step(place: Place, reverse: boolean): string | undefined | typeof NOT_READY {
    const by = reverse ? -1 : 1;
    let leaf = this.#leaves[place.leaf];
    while (leaf !== undefined) {
      if (!leaf.isSorted) return NOT_READY;
      const name = leaf.names[place.index];
      if (name !== undefined) {
        place.index += by;
        return name;
      }
      leaf = this.#leaves[place.leaf += by];
      place.index = reverse && leaf !== undefined ? leaf.names.length - 1 : 0;
    }
    return undefined;
  }

  /** The place of the first name that is wanted, or a leaf to sort before. */
  #locate(
    name: string | undefined,
    reverse: boolean,
    inclusive: boolean,
  ): Place | Leaf {
    const end = reverse ? this.#leaves.length - 1 : 0;
    let i = name === undefined ? end : this.#leafOf(name);
    let leaf = this.#leaves[i];
    let index: number | undefined;
    while (leaf?.isSorted) {
      const { names } = leaf;
      index = index === undefined && name !== undefined
        ? this.#indexOf(names, name, reverse, inclusive)
        : reverse
        ? names.length - 1
        : 0;
      if (index in names) return { leaf: i, index };
      leaf = this.#leaves[i += reverse ? -1 : 1];
    }
    return leaf ?? { leaf: i, index: 0 };
  }

  #indexOf(
    names: string[],
    name: string,
    reverse: boolean,
    inclusive: boolean,
  ): number {
    let index = 0;
    let end = names.length;
    while (index < end) {
      const middle = (index + end) >> 1;
      if (this.#isBefore(names[middle]!, name)) index = middle + 1;
      else end = middle;
    }
    const isHere = names[index] === name;
    if (reverse) return isHere && inclusive ? index : index - 1;
    return isHere && !inclusive ? index + 1 : index;
  }

  /** Halves a leaf, unless somebody else does it meanwhile. */
  *#split(leaf: Leaf): Generator<undefined> {
    const { names } = leaf;
    const every = Math.floor(names.length / SAMPLE);
    const sample = this.#sort(
      Array.from({ length: SAMPLE }, (_, i) => names[i * every]!),
    );
    const first = sample[SAMPLE >> 1]!;
    const low: string[] = [];
    const high: string[] = [];
    // Names that are added meanwhile are at the end.
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      if (this.#isBefore(name, first)) low.push(name);
      else high.push(name);
      if (i % PAUSE === PAUSE - 1) {
        yield;
        if (leaf.names !== names) return;
      }
    }
    this.version++;
    if (low.length === 0) {
      // The first name is there many times.
      leaf.names = [...new Set(names)];
      return;
    }
    leaf.names = [];
    this.#leaves.splice(
      this.#leaves.indexOf(leaf),
      1,
      { first: leaf.first, names: low, isSorted: false },
      { first, names: high, isSorted: false },
    );
  }

  /** The leaf to which a name belongs. */
  #leafOf(name: string): number {
    const leaves = this.#leaves;
    let low = 0;
    let high = leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#isBefore(name, leaves[middle]!.first)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  #sort(names: string[]): string[] {
    return this.#isLikeUtf16 ? names.sort() : names.sort(compareStrings);
  }

  #isBefore(a: string, b: string): boolean {
    return this.#isLikeUtf16 ? a < b : compareStrings(a, b) < 0;
  }
}
