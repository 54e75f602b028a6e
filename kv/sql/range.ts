/**
 * Ranges of stored keys.
 *
 * @module
 */

import {
  compareStrings,
  encodeKey,
  type KeyRange,
  keyRange,
} from "../core/key.ts";
import { KeyLimit } from "../core/long_key.ts";
import { idAfter } from "../core/paging.ts";

/** A range of stored keys, and one of the true keys of shortened ones. */
export interface Range extends KeyRange {
  readonly fullKeys?: KeyRange;
}

/** What a bound of a page compares a parameter with. */
export type Bound = "key >=" | "key <" | "full_key >=" | "full_key <";

/** The ranges of the keys that start with a prefix, in key order. */
export function rangesOf(prefix: readonly string[], limit: KeyLimit): Range[] {
  const { whole, shortened } = limit.ranges(prefix);
  const ranges: Range[] = whole === undefined ? [] : [keyRange(whole)];
  if (shortened !== undefined) {
    const { first, last } = KeyLimit.digests;
    ranges.push({
      start: encodeKey([...shortened, first]),
      end: encodeKey([...shortened, last]),
      fullKeys: keyRange(prefix),
    });
  }
  return ranges;
}

/** What is left of a range past a stored key. */
export function past(range: Range, key: string, reverse: boolean): Range {
  const { start, end } = range;
  if (!reverse) {
    const next = idAfter(key);
    return compareStrings(next, start) > 0 ? { ...range, start: next } : range;
  }
  return end === undefined || compareStrings(key, end) < 0
    ? { ...range, end: key }
    : range;
}

/** The bounds of a range, and what each compares with. */
export function boundsOf({ start, end, fullKeys }: Range): [Bound, string][] {
  const bounds: [Bound, string][] = [["key >=", start]];
  if (end !== undefined) bounds.push(["key <", end]);
  if (fullKeys !== undefined) {
    bounds.push(["full_key >=", fullKeys.start]);
    bounds.push(["full_key <", fullKeys.end!]);
  }
  return bounds;
}
