/**
 * What a store needs of a binding to Workers KV.
 *
 * @module
 */

/**
 * The result of a read of Workers KV.
 *
 * @typeParam Value The type of the requested value.
 *
 * @example Usage
 * ```ts
 * import type { WorkersKvResult } from "@org/kv/workers";
 *
 * const nothing: WorkersKvResult<string> = { value: null, metadata: null };
 * ```
 */
export interface WorkersKvResult<Value> {
  /** The value, or `null` if there is no entry. */
  readonly value: Value | null;
  /** The metadata of the value, or `null`. */
  readonly metadata: unknown;
}

/**
 * A binding to a namespace of Workers KV: the `KVNamespace` of
 * `@cloudflare/workers-types` and of `wrangler types`.
 *
 * @example Usage
 * ```ts
 * import { type WorkersKvNamespace, WorkersKvStore } from "@org/kv/workers";
 *
 * interface Env {
 *   KV: WorkersKvNamespace; // or KVNamespace
 * }
 *
 * function greeting(env: Env): Promise<string | undefined> {
 *   return new WorkersKvStore(env.KV).get<string>(["greeting"]);
 * }
 * ```
 */
export interface WorkersKvNamespace {
  /** Reads a value as bytes. */
  getWithMetadata(
    name: string,
    type: "arrayBuffer",
  ): Promise<WorkersKvResult<ArrayBuffer>>;
  /** Reads up to a hundred values as text. */
  getWithMetadata(
    names: string[],
    type: "text",
  ): Promise<Map<string, WorkersKvResult<string> | null>>;
  /** Writes a value. */
  put(
    name: string,
    value: string | Uint8Array,
    options: { expirationTtl?: number; metadata?: unknown },
  ): Promise<void>;
  /** Deletes a value. */
  delete(name: string): Promise<void>;
  /** Lists the names that start with a prefix, up to a thousand at once. */
  list(
    options: { prefix: string; cursor?: string },
  ): Promise<WorkersKvNames>;
}

/**
 * A page of names.
 *
 * @example Usage
 * ```ts
 * import type { WorkersKvNames } from "@org/kv/workers";
 *
 * const last: WorkersKvNames = { keys: [{ name: "kv!a" }], list_complete: true };
 * ```
 */
export interface WorkersKvNames {
  /** The names in the order of their UTF-8, and the metadata of each. */
  readonly keys: readonly {
    readonly name: string;
    readonly metadata?: unknown;
  }[];
  /** Whether there are no more. */
  readonly list_complete: boolean;
  /** Where the next page starts, if there are more. */
  readonly cursor?: string;
}
