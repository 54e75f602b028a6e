/**
 * The metadata of entries: `expires`, the exact expiry in epoch milliseconds,
 * and `bytes`, about how large a large value is. Metadata that other programs
 * stored has neither.
 *
 * @module
 */

/** The metadata of an entry. */
export interface WorkersMetadata {
  readonly expires?: number;
  readonly bytes?: number;
}

/** Values that take less have no `bytes`. */
export const LARGE_BYTES = 65_536;

/** When an entry expires, in epoch milliseconds; `undefined` for never. */
export function expiryOf(metadata: unknown): number | undefined {
  return numberOf(metadata, "expires");
}

/** About how many bytes a value takes at most. */
export function bytesOf(metadata: unknown): number {
  return Math.max(numberOf(metadata, "bytes") ?? 0, LARGE_BYTES);
}

function numberOf(
  metadata: unknown,
  name: keyof WorkersMetadata,
): number | undefined {
  const value: unknown = Object(metadata)[name];
  return typeof value === "number" ? value : undefined;
}
