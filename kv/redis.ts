/**
 * A store on Redis or Redis Cluster.
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { checkOptions } from "./core/options.ts";
import {
  checkClient,
  fullPrefix,
  isOneSlot,
  type RedisClient,
} from "./redis/client.ts";
import { codec, MAX_VALUE_BYTES } from "./redis/codec.ts";
import { RedisCommands } from "./redis/commands.ts";
import { RedisLister } from "./redis/list.ts";
import {
  OPTIONS,
  type RedisKvStoreOptions,
  REPLACEMENTS,
} from "./redis/options.ts";
import { COMMAND_KEYS, RedisWriter } from "./redis/write.ts";
import type { KvStoreTraits } from "./store.ts";

export type { RedisClient } from "./redis/client.ts";
export type { RedisKvStoreOptions } from "./redis/options.ts";

/**
 * A store on Redis or Redis Cluster, through ioredis 5 or 6.
 *
 * An entry is one Redis string. Its name is `keyPrefix` and the parts of the key
 * with `!` between all of them, and a plain value is its JSON, so that
 * `redis-cli GET 'kv!users!alice'` shows it. The calls of one tick travel
 * together. See `docs/stores/redis.md` for durability, broken connections,
 * rights, supported clients and their options, and the cost of a listing.
 *
 * @example Usage
 * ```ts ignore
 * import { RedisKvStore } from "@org/kv/redis";
 * import { assertEquals } from "@std/assert";
 * import { Redis } from "ioredis";
 *
 * const redis = new Redis("redis://localhost:6379");
 * const kv = new RedisKvStore(redis);
 * await kv.set(["users", "alice"], { visits: 1 }, { ttl: 60_000 });
 * assertEquals(await kv.get(["users", "alice"]), { visits: 1 });
 * assertEquals(await redis.get("kv!users!alice"), '{"visits":1}');
 * await redis.quit();
 * ```
 */
export class RedisKvStore extends KvCasDriver {
  /** What the store is and what it does not guarantee. */
  readonly traits: KvStoreTraits;

  readonly #writer: RedisWriter;
  readonly #lister: RedisLister;

  /**
   * Creates a store on a client, which the caller closes.
   *
   * @param redis A client for one server or for a Cluster.
   * @param options The prefix of the keys, and limits.
   * @throws {TypeError} If the client is not supported, or an option is unknown
   * or of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(redis: RedisClient, options: RedisKvStoreOptions = {}) {
    checkClient(redis);
    checkOptions("create a RedisKvStore", options, OPTIONS, REPLACEMENTS);
    const { keyPrefix = "kv", timeout = 30_000, maxPending = Infinity } =
      options;
    super({
      codec,
      maxCalls: redis.nodes === undefined ? COMMAND_KEYS : 4 * COMMAND_KEYS,
      concurrency: 16,
      timeout,
      maxPending,
    });
    this.traits = traitsOf(redis);
    const prefix = fullPrefix(redis, keyPrefix);
    const commands = new RedisCommands(redis);
    const oneSlot = isOneSlot(redis, prefix);
    this.#writer = new RedisWriter(redis, commands, prefix, oneSlot);
    this.#lister = new RedisLister(redis, commands, prefix, oneSlot);
  }

  /** Sends the calls at once, those on one slot in few commands. */
  protected override execute(calls: readonly KvCall[]): Promise<void> {
    return this.#writer.execute(calls);
  }

  /** Collects the keys, and reads the values page by page. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry[]> {
    return this.#lister.pages(prefix, request);
  }
}

function traitsOf({ options }: RedisClient): KvStoreTraits {
  const streaming = "Redis has no order: a listing collects the keys first, " +
    "and then reads the values page by page";
  const linearizable = "scaleReads of the client lets replicas answer reads, " +
    "which may be stale";
  const isScaled = (options?.scaleReads ?? "master") !== "master";
  return {
    driver: "redis",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: isScaled ? { streaming, linearizable } : { streaming },
  };
}
