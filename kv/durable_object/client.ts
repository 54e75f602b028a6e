/**
 * What a store needs of a binding to Durable Objects, and the objects behind it.
 *
 * @module
 */

import type { ObjectMethods } from "./protocol.ts";

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

  /** A stub of its own for every use: once a call fails, a stub is broken. */
  get #stub(): ObjectMethods {
    return this.#namespace.get(this.#id) as ObjectMethods;
  }

  execute(
    ...parameters: Parameters<ObjectMethods["kvExecute"]>
  ): ReturnType<ObjectMethods["kvExecute"]> {
    return this.#stub.kvExecute(...parameters);
  }

  async page(
    ...parameters: Parameters<ObjectMethods["kvPage"]>
  ): ReturnType<ObjectMethods["kvPage"]> {
    try {
      return await this.#stub.kvPage(...parameters);
    } catch (error) {
      if (!mayHelpToRetry(error)) throw error;
      return await this.#stub.kvPage(...parameters);
    }
  }
}

interface StubError {
  /** It was thrown by the object, not on the way there. */
  readonly remote?: boolean;
  /** The object has more to do than it can. */
  readonly overloaded?: boolean;
  /** The object was stopped, wherever it was. */
  readonly durableObjectReset?: boolean;
}

/** Whether a write that failed like this may have been carried out. */
export function isUnknown(error: unknown): boolean {
  const { remote, durableObjectReset } = fieldsOf(error);
  return !remote || durableObjectReset === true;
}

/** Whether a read that failed like this may succeed the next time. */
export function mayHelpToRetry(error: unknown): boolean {
  return isUnknown(error) && !fieldsOf(error).overloaded;
}

function fieldsOf(error: unknown): StubError {
  return typeof error === "object" && error !== null ? error : {};
}
