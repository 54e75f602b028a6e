/**
 * A store on Redis or Redis Cluster.
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { failure } from "./core/message.ts";
import { checkProgressOptions } from "./core/operations.ts";
import { checkOptions } from "./core/options.ts";
import {
  clientOf,
  fullPrefix,
  isOneSlot,
  type RedisClient,
} from "./redis/client.ts";
import { codec, MAX_VALUE_BYTES } from "./redis/codec.ts";
import { RedisCommands } from "./redis/commands.ts";
import { nodesOf } from "./redis/cluster.ts";
import { ClusterIndex } from "./redis/cluster_index.ts";
import type { KeyIndex } from "./redis/key_index.ts";
import { reasonOf } from "./redis/errors.ts";
import { RedisLister } from "./redis/list.ts";
import type { NodeRedisClient } from "./redis/node_redis.ts";
import {
  OPTIONS,
  type RedisKvStoreOptions,
  REPLACEMENTS,
} from "./redis/options.ts";
import { EntryReader } from "./redis/read.ts";
import { ServerIndex, serverIndexOf } from "./redis/server_index.ts";
import { COMMAND_KEYS, RedisWriter } from "./redis/write.ts";
import type { KvProgressOptions, KvStoreTraits } from "./store.ts";

export type { RedisClient } from "./redis/client.ts";
export type { NodeRedisClient } from "./redis/node_redis.ts";
export type { RedisKvStoreOptions } from "./redis/options.ts";

/**
 * A store on Redis or Redis Cluster, through ioredis or node-redis 5 or 6.
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

  readonly #executor: Pick<RedisWriter, "execute">;
  readonly #index: KeyIndex | undefined;
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
  constructor(
    redis: RedisClient | NodeRedisClient,
    options: RedisKvStoreOptions = {},
  ) {
    redis = clientOf(redis);
    checkOptions("create a RedisKvStore", options, OPTIONS, REPLACEMENTS);
    const {
      keyPrefix = "kv",
      timeout = 30_000,
      maxPending = Infinity,
      index = false,
    } = options;
    const prefix = fullPrefix(redis, keyPrefix);
    super({
      codec,
      maxCalls: redis.nodes === undefined ? COMMAND_KEYS : 4 * COMMAND_KEYS,
      concurrency: 16,
      timeout,
      maxPending,
      nodes: nodesOf(redis, prefix),
    });
    this.traits = { ...traitsOf(redis, index), collection: keyPrefix };
    const commands = new RedisCommands(redis);
    const oneSlot = isOneSlot(redis, prefix);
    const reader = new EntryReader(redis, commands, oneSlot);
    const isServer = redis.nodes === undefined;
    const swapIndex = index && isServer ? serverIndexOf(prefix) : undefined;
    const writer = new RedisWriter(
      redis,
      commands,
      prefix,
      oneSlot,
      swapIndex,
    );
    if (index) {
      this.#index = isServer
        ? new ServerIndex(redis, commands, prefix, writer)
        : new ClusterIndex(redis, commands, prefix, reader, writer);
    }
    this.#executor = this.#index ?? writer;
    this.#lister = new RedisLister(
      redis,
      commands,
      prefix,
      reader,
      this.#index,
    );
  }

  /** Sends the calls at once, those on one slot in few commands. */
  protected override execute(calls: readonly KvCall[]): Promise<void> {
    return this.#executor.execute(calls);
  }

  /** Finds the keys, and reads the values page by page. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry[]> {
    return this.#lister.pages(prefix, request);
  }

  /** Cleans the index; the server itself reclaims entries. */
  protected override reclaim(): number | Promise<number> {
    return this.#index?.reclaim() ?? 0;
  }

  /**
   * Puts all entries into the index: after the option `index` was switched on
   * everywhere, and when other programs have written entries. Listings do the
   * same for an index that was never built or that was deleted.
   *
   * @param options A signal, and what to tell about the progress.
   * @returns How many keys it found.
   * @throws {TypeError} If the store has no index, or an option has a wrong type.
   * @throws {KvError} If the backend fails.
   */
  async reindex(options: KvProgressOptions = {}): Promise<number> {
    checkProgressOptions("reindex", options);
    if (this.#index === undefined) {
      throw new TypeError("Cannot reindex: the store has no option index");
    }
    try {
      return await this.#index.build((keys) => {
        options.signal?.throwIfAborted();
        options.onProgress?.(keys);
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      throw failure("reindex", reasonOf(error));
    }
  }
}

function traitsOf({ options }: RedisClient, index: boolean): KvStoreTraits {
  const streaming = "Redis has no order: without the option index, a listing " +
    "collects the keys first, and then reads the values page by page";
  const linearizable = "scaleReads of the client lets replicas answer reads, " +
    "which may be stale";
  const isScaled = (options?.scaleReads ?? "master") !== "master";
  return {
    driver: "redis",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {
      ...index ? {} : { streaming },
      ...isScaled ? { linearizable } : {},
    },
  };
}
