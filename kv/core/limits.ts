/**
 * The limits of values.
 *
 * @module
 */

/** How many levels deep a value may be nested. */
export const MAX_DEPTH = 1000;
