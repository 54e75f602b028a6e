/**
 * What `DenoKvStore` needs of its client: `Deno.Kv`, or the `Kv` of
 * `@deno/kv` for Node.
 *
 * @module
 */

import { typeName } from "../core/message.ts";

/**
 * A key of Deno KV.
 *
 * @example Usage
 * ```ts
 * import type { DenoKvKey } from "@org/kv/deno";
 *
 * const key: DenoKvKey = ["users", 1];
 * ```
 */
export type DenoKvKey = readonly (
  | Uint8Array
  | string
  | number
  | bigint
  | boolean
)[];

/**
 * An entry of Deno KV, or the absence of one.
 *
 * @example Usage
 * ```ts
 * import type { DenoKvEntry } from "@org/kv/deno";
 *
 * const none: DenoKvEntry = { key: ["a"], value: null, versionstamp: null };
 * ```
 */
export interface DenoKvEntry {
  /** The key. */
  readonly key: readonly unknown[];
  /** The value; `null` if there is no entry. */
  readonly value: unknown;
  /** The version; `null` if there is no entry. */
  readonly versionstamp: string | null;
}

/**
 * A commit of Deno KV in preparation.
 *
 * @example Usage
 * ```ts
 * import type { DenoKvAtomic } from "@org/kv/deno";
 *
 * const kv = await Deno.openKv(":memory:");
 * const atomic: DenoKvAtomic = kv.atomic();
 * atomic.set(["a"], 1);
 * await atomic.commit();
 * kv.close();
 * ```
 */
export interface DenoKvAtomic {
  /** Makes the commit depend on the version of an entry. */
  check(check: { key: DenoKvKey; versionstamp: string | null }): unknown;
  /** Writes an entry. */
  set(key: DenoKvKey, value: unknown, options?: { expireIn?: number }): unknown;
  /** Deletes an entry. */
  delete(key: DenoKvKey): unknown;
  /** Applies everything, or nothing. */
  commit(): Promise<{ ok: true; versionstamp: string } | { ok: false }>;
}

/**
 * The part of `Deno.Kv` that `DenoKvStore` uses.
 *
 * @example Usage
 * ```ts
 * import { type DenoKvClient, DenoKvStore } from "@org/kv/deno";
 *
 * const kv = await Deno.openKv(":memory:");
 * const client: DenoKvClient = kv;
 * new DenoKvStore(client);
 * kv.close();
 * ```
 */
export interface DenoKvClient {
  /** Reads an entry. */
  get(key: DenoKvKey): Promise<DenoKvEntry>;
  /** Reads at most ten entries at once. */
  getMany(keys: readonly DenoKvKey[]): Promise<DenoKvEntry[]>;
  /** Reads the entries from one key on, before another. */
  list(
    selector: { start: DenoKvKey; end: DenoKvKey },
    options: {
      limit: number;
      batchSize: number;
      reverse?: boolean;
      cursor?: string;
    },
  ): AsyncIterable<DenoKvEntry> & { readonly cursor: string };
  /** Begins a commit. */
  atomic(): DenoKvAtomic;
}

const METHODS = ["get", "getMany", "list", "atomic"] as const;

/**
 * Checks what a caller gave as a client.
 *
 * @throws {TypeError} If it is not one.
 */
export function checkClient(kv: unknown): void {
  const client = kv as Record<string, unknown> | null | undefined;
  if (METHODS.every((name) => typeof client?.[name] === "function")) return;
  const received = typeof client?.then === "function"
    ? "a promise, which must be awaited"
    : typeName(kv);
  throw new TypeError(
    "Cannot create a DenoKvStore: kv must be what Deno.openKv() or openKv() of " +
      `@deno/kv returned: received ${received}`,
  );
}
