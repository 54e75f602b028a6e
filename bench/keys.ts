/**
 * Keys for those who take strings.
 *
 * @module
 */

/**
 * The parts of a key, joined, in one piece: what is only put together for each
 * call would have to be copied and hashed by each.
 */
export function joined(key: readonly string[], separator: string): string {
  return new TextDecoder().decode(
    new TextEncoder().encode(key.join(separator)),
  );
}
