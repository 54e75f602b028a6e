/**
 * The limits of values. An object that is referred to many times is stored many
 * times, so a small value can unfold to an enormous one: its size is bounded
 * while it is checked.
 *
 * @module
 */

/** How many levels deep a value may be nested. */
export const MAX_DEPTH = 1000;

/** How many items a value may hold, each array or object counting for more. */
export const MAX_ITEMS = 2 ** 26;

/** How many items an array or an object counts for, besides what it holds. */
export const CONTAINER_ITEMS = 16;

/** After how many items it is checked how far the value unfolds. */
export const CHECK_AFTER = 2 ** 20;

/** How much text and how many bytes a rich value may hold. */
export const MAX_LENGTH = 2 ** 29;
