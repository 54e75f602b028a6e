/**
 * What a store needs of a binding to Durable Objects, and of the objects.
 *
 * @module
 */

import { typeName } from "../core/message.ts";
import { isTransient } from "./errors.ts";
import type {
  ObjectMethods,
  ObjectPage,
  ObjectPageRequest,
} from "./protocol.ts";

/**
 * A binding to a namespace of Durable Objects: the `DurableObjectNamespace` of
 * `@cloudflare/workers-types` and of `wrangler types`, of one jurisdiction too.
 *
 * @example Usage
 * ```ts ignore
 * import type { DurableObjectKvNamespace } from "@org/kv/durable-object";
 *
 * interface Env {
 *   KV_OBJECTS: DurableObjectKvNamespace; // or DurableObjectNamespace
 * }
 * ```
 */
export interface DurableObjectKvNamespace {
  /** The id of the object of a name. */
  idFromName(name: string): unknown;
  /** A stub for an object. */
  // deno-lint-ignore no-explicit-any
  get(id: any): unknown;
}

/** One of the objects of a store. */
export class RemoteObject {
  readonly #namespace: DurableObjectKvNamespace;
  readonly #id: unknown;

  constructor(namespace: DurableObjectKvNamespace, name: string) {
    this.#namespace = namespace;
    this.#id = namespace.idFromName(name);
  }

  /** A new stub for every use: once a call fails, its stub is broken. */
  get #stub(): ObjectMethods {
    return this.#namespace.get(this.#id) as ObjectMethods;
  }

  /** Executes calls, once. */
  execute(
    ...parameters: Parameters<ObjectMethods["kvExecute"]>
  ): ReturnType<ObjectMethods["kvExecute"]> {
    return this.#stub.kvExecute(...parameters);
  }

  /** Executes calls that are all reads. */
  read(
    ...parameters: Parameters<ObjectMethods["kvExecute"]>
  ): ReturnType<ObjectMethods["kvExecute"]> {
    return repeatOnce(() => this.#stub.kvExecute(...parameters));
  }

  /** Reads a page of a listing. */
  page(request: ObjectPageRequest): Promise<ObjectPage> {
    return repeatOnce(() => this.#stub.kvPage(request));
  }

  /** Deletes some expired entries. */
  reclaim(): Promise<number> {
    return repeatOnce(() => this.#stub.kvReclaim());
  }
}

async function repeatOnce<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isTransient(error)) throw error;
    return await read();
  }
}

/** Rejects what is no binding to Durable Objects. */
export function checkNamespace(namespace: unknown): void {
  const { idFromName, get } = Object(namespace);
  if (typeof idFromName !== "function" || typeof get !== "function") {
    throw new TypeError(
      "Cannot make a DurableObjectKvStore: namespace must be a binding to " +
        `Durable Objects: received ${typeName(namespace)}`,
    );
  }
}
