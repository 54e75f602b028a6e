/**
 * Keys for a `Map` of names, whose hashes nobody can predict.
 *
 * V8 hashes text like "65536" to that number, without a secret, so anyone can
 * choose thousands of names with the same hash, and a `Map` would compare each
 * of them with all others. Such a name goes by a number that a secret of the
 * process decides.
 *
 * @module
 */

/**
 * The secret, once it is needed: Workers have no random numbers before that. It
 * is odd, so that each number below 2 ** 32 has a different product.
 */
let factor = 0;

/** The factor that undoes it. */
let inverse = 0;

/**
 * Returns what stands for a name in a `Map`.
 *
 * @param name The name.
 * @returns A number for text that looks like an index, otherwise the name.
 */
export function hashableOf(name: string): string | number {
  const { length } = name;
  const first = name.charCodeAt(0) - 0x30;
  // Most names are not numbers: `NaN` for the empty one.
  if (!(first >= 0 && first <= 9) || length > 10) return name;
  let index = first;
  if (first === 0 && length > 1) return name;
  for (let i = 1; i < length; i++) {
    const digit = name.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return name;
    index = index * 10 + digit;
  }
  if (index > 0xffff_ffff) return name;
  if (factor === 0) chooseFactor();
  return Math.imul(index, factor);
}

/**
 * Returns the name that something stands for.
 *
 * @param hashable What {@linkcode hashableOf} returned.
 * @returns The name.
 */
export function nameOf(hashable: string | number): string {
  return typeof hashable === "string"
    ? hashable
    : String(Math.imul(hashable, inverse) >>> 0);
}

function chooseFactor(): void {
  factor = crypto.getRandomValues(new Uint32Array(1))[0]! | 1;
  // The inverse modulo 2 ** 32: each step doubles the number of its low bits
  // that are right, of which the factor itself has three.
  inverse = factor;
  for (let bits = 3; bits < 32; bits *= 2) {
    inverse = Math.imul(inverse, 2 - Math.imul(factor, inverse));
  }
}
