/**
 * What drivers use of Node's modules, which Deno, Node and Bun have, without an
 * import: the root module, which exports every driver, loads anywhere.
 *
 * @module
 */

/** What drivers use of a `Buffer`. */
export interface Buffer extends Uint8Array {
  /** Decodes the bytes, as UTF-8 unless told otherwise. */
  toString(encoding?: "latin1"): string;
  /** Whether the other bytes are the same. */
  equals(other: Uint8Array): boolean;
  /** Returns a part, which shares the memory. */
  subarray(start?: number, end?: number): Buffer;
}

interface BufferClass {
  from(data: string | Uint8Array, encoding?: "latin1"): Buffer;
  from(memory: ArrayBufferLike, offset: number, length: number): Buffer;
  concat(parts: readonly Uint8Array[]): Buffer;
  isBuffer(value: unknown): value is Buffer;
}

interface Hash {
  update(data: Uint8Array): Hash;
  digest(form: "hex"): string;
}

interface Builtins {
  (name: "node:buffer"): {
    readonly Buffer: BufferClass;
    isAscii(bytes: Uint8Array): boolean;
  };
  (name: "node:crypto"): { createHash(name: "sha256"): Hash } | undefined;
  (name: "node:v8"): { serialize(value: unknown): Uint8Array } | undefined;
}

const builtin = (globalThis as {
  process?: { getBuiltinModule?: Builtins };
}).process?.getBuiltinModule;

const buffer = builtin?.("node:buffer");

/** The class `Buffer`. The clients that use it exist only where it does. */
export const Buffer: BufferClass = buffer?.Buffer!;

/** Whether all bytes are below 128. */
export const isAscii: (bytes: Uint8Array) => boolean = buffer?.isAscii!;

/** V8's serialization, which Deno KV stores; `undefined` in runtimes without it. */
export const serialize: ((value: unknown) => Uint8Array) | undefined =
  builtin?.("node:v8")?.serialize;

/** Hashes at twice the speed of `crypto.subtle`; `undefined` where it is missing. */
export const createHash: ((name: "sha256") => Hash) | undefined = builtin?.(
  "node:crypto",
)?.createHash;
