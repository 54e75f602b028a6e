/**
 * How large a value is once every reference in it is followed.
 *
 * @module
 */

import { contentOf } from "./built_in.ts";
import { CONTAINER_ITEMS, MAX_DEPTH, MAX_ITEMS } from "./limits.ts";

/**
 * Whether a value, stored with a copy of an object for every reference to it,
 * would hold too many items. Each object is counted once and remembered, so this
 * takes time proportional to the memory that the value takes.
 *
 * @param value What the caller gave.
 * @returns Whether it would exceed {@linkcode MAX_ITEMS}.
 */
export function unfoldsTooFar(value: unknown): boolean {
  return itemsOf(value, new Map(), MAX_DEPTH) > MAX_ITEMS;
}

function itemsOf(
  value: unknown,
  known: Map<object, number>,
  depth: number,
): number {
  if (typeof value !== "object" || value === null) return 1;
  const before = known.get(value);
  if (before !== undefined) return before;
  // Deeper levels and cycles are rejected when they are copied.
  known.set(value, 1);
  if (depth === 0) return 1;
  let items = CONTAINER_ITEMS;
  for (const item of itemsIn(value)) items += itemsOf(item, known, depth - 1);
  known.set(value, items);
  return items;
}

function itemsIn(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value;
  switch (contentOf(value)) {
    case "Map":
      return [...Map.prototype.entries.call(value)].flat();
    case "Set":
      return Set.prototype.values.call(value);
    case undefined:
      return "toJSON" in value ? [] : Object.values(value);
    default:
      return [];
  }
}
