/**
 * The digest by which a value in chunks is recognized as whole.
 *
 * @module
 */

import { createHash } from "../core/builtin.ts";

/**
 * The SHA-256 of some bytes, in hexadecimal digits.
 *
 * @param data The bytes.
 * @returns Their digest.
 */
export async function digestOf(data: Uint8Array): Promise<string> {
  const hash = createHash?.("sha256");
  if (hash !== undefined) return hash.update(data).digest("hex");
  const bytes = data as Uint8Array<ArrayBuffer>;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
