/**
 * A cache in front of a store, and the memoizing of slow functions.
 *
 * @module
 */

export { cached, CachedKvStore, type CachedOptions } from "./cached.ts";
export { memoize, type MemoizeOptions } from "./memoize.ts";
