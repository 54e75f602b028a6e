/**
 * A store in Durable Objects: the client for a binding to them.
 *
 * @module
 */

import type { KvCall, KvCodec } from "../core/call.ts";
import { KvCasDriver } from "../core/driver.ts";
import type { KvStoredEntry } from "../core/listing.ts";
import {
  type DurableObjectKvNamespace,
  isUnknown,
  mayHelpToRetry,
  RemoteObject,
} from "./client.ts";
import {
  MAX_TEXT_LENGTH,
  MAX_VALUE_BYTES,
  type ObjectAnswer,
  type ObjectCall,
  type ObjectFailure,
} from "./protocol.ts";
import { mergePages, objectName, shardOf } from "./shards.ts";
import { KvCorruptionError, KvOutcomeUnknownError } from "../errors.ts";
import { decodeKey, keyRange } from "../core/key.ts";
import type { KvStoreTraits } from "../store.ts";
import { decodeValue, type EncodedValue, encodeValue } from "../core/value.ts";

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
   * The name of the store: stores of different names share no entries. The
   * name of its only object is `1/1` and a space before this name.
   *
   * @default {"kv"}
   */
  readonly name?: string;
  /**
   * Over how many objects the entries are spread, by a hash of the key, from 1
   * to 256. One object answers about a thousand times a second, each time the
   * calls of a tick, and holds up to 10 GB. The number belongs to the store as its name does: with another one,
   * it is another store, which has none of the entries.
   *
   * @default {1}
   */
  readonly shards?: number;
}

/**
 * A store in Durable Objects: strongly consistent, and the one on Cloudflare
 * with compare-and-swap. Its entries are in objects of the class
 * `KvStoreDurableObject`, which the worker exports; this is the client that
 * speaks to them through a binding.
 *
 * The calls of one tick travel as one call to the object that has their keys,
 * and take effect there one after the other. An object is in one place of the
 * world, near to the worker that used it first: each call from elsewhere goes
 * there and back. Give the binding of a jurisdiction
 * (`env.KV_OBJECTS.jurisdiction("eu")`) to keep the entries in it.
 *
 * The object's clock alone decides when an entry expires. A value takes at most
 * 15 MiB. If the connection to an object breaks, or the object is stopped or
 * overloaded, a read is made once more, unless it is overloaded; a write
 * rejects with `KvOutcomeUnknownError`.
 *
 * Make the store inside `fetch`; it costs nothing. The runtime binds what a
 * request started to that request, so calls of one that was cut off would hold
 * up those of others. Pass calls that nobody awaits to `ctx.waitUntil`.
 *
 * @example Usage
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
 */
export class DurableObjectKvStore extends KvCasDriver {
  /** What the store is; it makes every promise. */
  readonly traits: KvStoreTraits = {
    driver: "durable-object",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {},
  };

  readonly #objects: readonly RemoteObject[];

  /**
   * Makes a store.
   *
   * @param namespace The binding, as `env.KV_OBJECTS`.
   * @param options The name of the store, and over how many objects to spread it.
   * @throws {TypeError} If the binding or an option is of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    namespace: DurableObjectKvNamespace,
    options: DurableObjectKvStoreOptions = {},
  ) {
    super({ codec });
    if (typeof namespace?.idFromName !== "function") {
      throw new TypeError(
        "Cannot make a DurableObjectKvStore: namespace must be a binding to " +
          "Durable Objects: received " +
          `${namespace === null ? "null" : typeof namespace}`,
      );
    }
    const { name = "kv", shards = 1 } = options;
    checkName(name);
    checkShards(shards);
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
      Array.from(shards, ([object, calls]) => carryOut(object, calls)),
    );
  }

  /** Merges what the objects have. */
  protected override async *pages(
    prefix: readonly string[],
  ): AsyncGenerator<KvStoredEntry[]> {
    const listings = this.#objects.map((object) => this.#list(object, prefix));
    yield* mergePages(listings);
  }

  async *#list(
    object: RemoteObject,
    prefix: readonly string[],
  ): AsyncGenerator<(KvStoredEntry & { id: string })[]> {
    const { start, end } = keyRange(prefix);
    let next: string | undefined = start;
    for (
      let limit = 32;
      next !== undefined;
      limit = Math.min(4 * limit, 1024)
    ) {
      const time = Date.now();
      const page = await object.page(next, end, limit);
      next = page.next;
      yield page.rows.map(({ id, value, ttl }) => {
        const expiry = ttl === undefined ? undefined : time + ttl;
        return { id, key: decodeKey(id), value, expiry };
      });
    }
  }
}

/** Has an object carry out calls. */
async function carryOut(
  object: RemoteObject,
  calls: readonly KvCall[],
): Promise<void> {
  let waiting = calls;
  let isRetried = false;
  while (waiting.length > 0) {
    let answers: readonly ObjectAnswer[];
    try {
      answers = await object.execute(waiting.map(message));
    } catch (error) {
      const again = !isRetried && mayHelpToRetry(error);
      isRetried = true;
      waiting = waiting.filter((call) => {
        if (call.kind === "get" && again) return true;
        const isOpen = call.kind !== "get" && isUnknown(error);
        call.reject(error, isOpen ? KvOutcomeUnknownError : undefined);
        return false;
      });
      continue;
    }
    waiting = waiting.filter((call, i) => !settle(call, answers[i]));
  }
}

/** Settles a call, unless it is to be made again. */
function settle(call: KvCall, answer: ObjectAnswer): boolean {
  if (answer === null) return false;
  if (isFailure(answer)) {
    const { error, isCorruption } = answer;
    const cause = new Error(error);
    call.reject(cause, isCorruption ? KvCorruptionError : undefined);
  } else if (call.kind === "get") {
    call.found(answer as EncodedValue | undefined);
  } else if (call.kind === "cas") {
    call.resolve(answer as boolean);
  } else {
    call.resolve();
  }
  return true;
}

function isFailure(answer: ObjectAnswer): answer is ObjectFailure {
  return typeof answer === "object" && answer !== null && "error" in answer;
}

function message({ kind, id, value, expected, expiry }: KvCall): ObjectCall {
  return {
    kind,
    id,
    value,
    expected,
    ttl: expiry === undefined ? undefined : expiry - Date.now(),
  };
}

const encoder = new TextEncoder();

const codec: KvCodec<EncodedValue> = {
  encode(value) {
    let encoded = encodeValue(value);
    if (typeof encoded === "string" && encoded.length > MAX_TEXT_LENGTH) {
      encoded = encoder.encode(encoded);
    }
    return encoded;
  },
  decode: decodeValue,
  bytes: (stored) => stored.length,
};

function checkName(name: unknown): void {
  if (typeof name !== "string") {
    throw new TypeError(
      "Cannot make a DurableObjectKvStore: name must be a string: " +
        `received a value of type ${typeof name}`,
    );
  }
  // The platform takes all lone surrogates for the same character.
  if (!name.isWellFormed()) {
    throw new TypeError(
      "Cannot make a DurableObjectKvStore: name must be well-formed: " +
        "received a lone surrogate",
    );
  }
}

function checkShards(shards: unknown): void {
  if (typeof shards !== "number") {
    throw new TypeError(
      "Cannot make a DurableObjectKvStore: shards must be a number: " +
        `received a value of type ${typeof shards}`,
    );
  }
  if (!Number.isInteger(shards) || shards < 1 || shards > 256) {
    throw new RangeError(
      "Cannot make a DurableObjectKvStore: shards must be a whole number " +
        `from 1 to 256: received ${shards}`,
    );
  }
}
