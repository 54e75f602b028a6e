/**
 * The traits of the memory store.
 *
 * @module
 */

import type { KvStoreTraits } from "../store.ts";

/** What the store is; it leaves no guarantee out. */
export const TRAITS: KvStoreTraits = {
  driver: "memory",
  persistent: false,
  shared: "process",
  maxValueBytes: Infinity,
  without: {},
};
