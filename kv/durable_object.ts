/**
 * A store in Cloudflare Durable Objects: the client for a binding, and the class
 * of the objects to export from a worker.
 *
 * ```ts ignore
 * import { DurableObjectKvStore } from "@org/kv/durable-object";
 *
 * export { KvStoreDurableObject } from "@org/kv/durable-object";
 *
 * export default {
 *   async fetch(_request, env) {
 *     const kv = new DurableObjectKvStore(env.KV_OBJECTS);
 *     const isFirst = await kv.cas(["leader"], undefined, "me", { ttl: 5_000 });
 *     return Response.json({ isFirst });
 *   },
 * };
 * ```
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import type { OptionRule } from "./core/options.ts";
import { checkOptions, MAX_PENDING, TIMEOUT } from "./core/options.ts";
import {
  checkNamespace,
  type DurableObjectKvNamespace,
  RemoteObject,
} from "./durable_object/client.ts";
import { codec } from "./durable_object/codec.ts";
import { listObjects } from "./durable_object/list.ts";
import { MAX_VALUE_BYTES } from "./durable_object/protocol.ts";
import { objectName, shardOf } from "./durable_object/shards.ts";
import { executeCalls } from "./durable_object/write.ts";
import { noteSwept } from "./core/trace.ts";
import type { KvStoreTraits } from "./store.ts";

export type { DurableObjectKvNamespace } from "./durable_object/client.ts";
export { KvStoreDurableObject } from "./durable_object/object.ts";
export type { KvStoreDurableObjectState } from "./durable_object/state.ts";

/**
 * Options of {@linkcode DurableObjectKvStore}.
 *
 * @example Usage
 * ```ts ignore
 * import type { DurableObjectKvStoreOptions } from "@org/kv/durable-object";
 *
 * const options: DurableObjectKvStoreOptions = { name: "federation", shards: 4 };
 * ```
 */
export interface DurableObjectKvStoreOptions {
  /**
   * The name of the store. Stores with different names share no entries.
   *
   * @default {"kv"}
   */
  readonly name?: string;
  /**
   * The number of objects that hold the entries, from 1 to 256. Which object has
   * an entry depends on its key. The number is part of the name: a store with
   * another number is a different, empty store.
   *
   * @default {1}
   */
  readonly shards?: number;
  /**
   * How long an object may be silent, in milliseconds, before the calls that
   * wait for it are rejected.
   *
   * @default {30000}
   */
  readonly timeout?: number;
  /**
   * How many calls may be pending. Further ones are rejected with a
   * `KvOverloadError`.
   *
   * @default {Infinity}
   */
  readonly maxPending?: number;
}

const OPTIONS: Record<keyof DurableObjectKvStoreOptions, OptionRule> = {
  name: { type: "string", must: "be a string" },
  shards: {
    type: "number",
    must: "be a whole number from 1 to 256",
    accepts: (value) =>
      Number.isInteger(value) && 1 <= (value as number) &&
      (value as number) <= 256,
  },
  timeout: TIMEOUT,
  maxPending: MAX_PENDING,
};

/**
 * A store in Durable Objects: strongly consistent, with compare-and-swap. Its
 * entries are in objects of the class `KvStoreDurableObject`, which the worker
 * exports. This class is the client, which uses a binding.
 *
 * The calls of one tick travel as one call to each object and take effect there
 * one after the other. The object's clock decides when an entry expires. A value
 * takes at most 15 MiB. If the connection to an object breaks, reads are
 * repeated once, and writes reject with `KvOutcomeUnknownError`.
 *
 * Create the store inside `fetch`; it costs nothing. See `docs/stores/durable-object.md`
 * for bindings, shards, jurisdictions and the platform's limits.
 *
 * @example Usage
 * ```ts ignore
 * import { DurableObjectKvStore } from "@org/kv/durable-object";
 *
 * const kv = new DurableObjectKvStore(env.KV_OBJECTS);
 * const isFirst = await kv.cas(["leader"], undefined, "me", { ttl: 5_000 });
 * ```
 */
export class DurableObjectKvStore extends KvCasDriver {
  /** What the store is; it gives every guarantee. */
  readonly traits: KvStoreTraits;

  readonly #objects: readonly RemoteObject[];

  /**
   * Creates a store.
   *
   * @param namespace The binding, as `env.KV_OBJECTS`.
   * @param options The name of the store, and the number of objects.
   * @throws {TypeError} If the binding or an option has a wrong type, or an
   * option is unknown.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    namespace: DurableObjectKvNamespace,
    options: DurableObjectKvStoreOptions = {},
  ) {
    checkOptions("make a DurableObjectKvStore", options, OPTIONS);
    const { name = "kv", shards = 1, timeout = 30_000 } = options;
    super({ codec, timeout, maxPending: options.maxPending ?? Infinity });
    checkNamespace(namespace);
    checkName(name);
    this.traits = {
      driver: "durable-object",
      collection: name,
      persistent: true,
      shared: "network",
      maxValueBytes: MAX_VALUE_BYTES,
      without: {},
    };
    this.#objects = Array.from(
      { length: shards },
      (_, i) => new RemoteObject(namespace, objectName(name, i, shards)),
    );
  }

  /** Hands the calls to the objects that have their keys. */
  protected override async execute(calls: readonly KvCall[]): Promise<void> {
    const shards = Map.groupBy(
      calls,
      ({ id }) => this.#objects[shardOf(id, this.#objects.length)]!,
    );
    await Promise.all(
      Array.from(shards, ([object, calls]) => executeCalls(object, calls)),
    );
  }

  /** Merges the entries of the objects. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncIterable<readonly KvStoredEntry[]> {
    return listObjects(this.#objects, prefix, request);
  }

  /** Deletes some expired entries of each object, before their alarms do. */
  protected override async reclaim(): Promise<number> {
    const counts = await Promise.all(
      this.#objects.map((object) => object.reclaim()),
    );
    const entries = counts.reduce((sum, count) => sum + count);
    noteSwept(this.traits, entries);
    return entries;
  }
}

/** The platform takes all lone surrogates for the same character. */
function checkName(name: string): void {
  if (!name.isWellFormed()) {
    throw new TypeError(
      "Cannot make a DurableObjectKvStore: name must be well-formed: " +
        "received a lone surrogate",
    );
  }
}
