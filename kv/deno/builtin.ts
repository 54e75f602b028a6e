/**
 * Two modules of Node that Deno, Node and Bun have without an import, so that
 * this module loads in any other runtime too.
 *
 * @module
 */

interface Builtins {
  (name: "node:v8"): { serialize(value: unknown): Uint8Array } | undefined;
  (name: "node:crypto"): { createHash(name: "sha256"): Hash } | undefined;
}

interface Hash {
  update(data: Uint8Array): Hash;
  digest(form: "hex"): string;
}

const builtin = (globalThis as {
  process?: { getBuiltinModule?: Builtins };
}).process?.getBuiltinModule;

/** V8's serialization, which Deno KV stores; `undefined` where there is none. */
export const serialize: ((value: unknown) => Uint8Array) | undefined =
  builtin?.(
    "node:v8",
  )?.serialize;

/**
 * The SHA-256 of some bytes, in hexadecimal digits. `node:crypto` takes half the time of `crypto.subtle`.
 *
 * @param data The bytes.
 * @returns Their digest.
 */
export async function digestOf(data: Uint8Array): Promise<string> {
  const hash = builtin?.("node:crypto")?.createHash("sha256");
  if (hash !== undefined) return hash.update(data).digest("hex");
  const bytes = data as Uint8Array<ArrayBuffer>;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
