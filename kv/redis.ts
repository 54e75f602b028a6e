/**
 * A store on Redis or Redis Cluster.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { PAGE_BYTES } from "./core/paging.ts";
import {
  compareStrings,
  decodeKey,
  encodeKey,
  startsWith,
} from "./core/key.ts";
import { fullPrefix, type RedisClient } from "./redis/client.ts";
import { RedisCommands } from "./redis/commands.ts";
import { Cork } from "./redis/cork.ts";
import { namesUnder } from "./redis/list.ts";
import { isNoScript, isRejection } from "./redis/errors.ts";
import { GET_EXPIRING } from "./redis/scripts.ts";
import { COMMAND_KEYS, RedisWriter } from "./redis/write.ts";
import { codec, MAX_VALUE_BYTES } from "./redis/codec.ts";
import type { KvStoreTraits } from "./store.ts";

export type { RedisClient } from "./redis/client.ts";

/**
 * Options of {@linkcode RedisKvStore}.
 *
 * @example Usage
 * ```ts
 * import type { RedisKvStoreOptions } from "@org/kv/redis";
 *
 * const options: RedisKvStoreOptions = { keyPrefix: "sessions" };
 * ```
 */
export interface RedisKvStoreOptions {
  /**
   * What every key in Redis starts with, before a `!`. Stores with different
   * prefixes share no entries. It contains no `!`.
   *
   * @default {"kv"}
   */
  readonly keyPrefix?: string;
}

/**
 * A store on Redis or Redis Cluster, by ioredis 5 or 6.
 *
 * An entry is one Redis string. Its key is `keyPrefix` and the parts of the key
 * with `!` between all of them, and a plain value is its JSON, so that
 * `redis-cli GET 'kv!users!alice'` shows it. (In a part, `!`, `"`, spaces and
 * control characters are escaped.) The server counts the TTL, in milliseconds.
 *
 * The calls of one tick travel together. On a Cluster each goes to the node
 * that has its slot; with a hash tag in the prefix, as in `"{kv}"`, all entries
 * are in one slot, and more calls fit into one command.
 *
 * **What may be lost.** Redis acknowledges a write before it is on disk, and
 * before a replica has it. With `appendfsync always` nothing acknowledged is
 * lost when the server is killed; with `everysec`, the default of an
 * append-only file, the last second may be, or two while the disk is slow; without an append-only file, all
 * since the last snapshot. When a replica takes over, writes that it had not
 * received are gone, swaps included: compare-and-swap is linearizable as long as
 * no failover loses a write. With `scaleReads` other than `"master"`, reads may
 * be stale. Choose `maxmemory-policy noeviction`, or entries may vanish.
 *
 * **When the connection breaks.** ioredis connects again. A write that was sent
 * and not answered rejects with `KvOutcomeUnknownError`: it is never sent twice,
 * whatever `autoResendUnfulfilledCommands` says. A read is sent again. Calls that
 * were not sent wait for the connection, and fail with a `KvError` past the limits
 * that are yours to set (`maxRetriesPerRequest`, 20 by default; `retryStrategy`;
 * `enableOfflineQueue`).
 *
 * **Other keys.** No key of a store reaches the entries of another prefix. A key
 * of another type under the prefix is not an entry: `get` finds nothing, `list`
 * leaves it out, `cas` does not match or fails, and `set` and `delete` replace
 * it. A string that is damaged is a `KvCorruptionError`.
 *
 * A listing walks all keys of the database, about a million in a second, since
 * Redis has no order: a database of its own, or none too many other keys, makes
 * it fast. It never blocks the server for longer than a few milliseconds.
 *
 * Deno needs `--allow-net` for the servers, all nodes of a Cluster included, and
 * what ioredis asks for besides: `--allow-env` and `--allow-read`. The client
 * stays the caller's, and a process ends only once the caller closes it.
 *
 * @example Usage
 * ```ts ignore
 * import { RedisKvStore } from "@org/kv/redis";
 * import { assertEquals } from "@std/assert";
 * import { Redis } from "ioredis";
 *
 * const redis = new Redis("redis://localhost:6379");
 *
 * const kv = new RedisKvStore(redis);
 * await kv.set(["users", "alice"], { visits: 1 }, { ttl: 60_000 });
 * assertEquals(await kv.get(["users", "alice"]), { visits: 1 });
 * assertEquals(await redis.get("kv!users!alice"), '{"visits":1}');
 *
 * await redis.quit();
 * ```
 */
export class RedisKvStore extends KvCasDriver {
  /** What the store is; a listing collects its keys first. */
  readonly traits: KvStoreTraits = {
    driver: "redis",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {
      streaming: "Redis has no order: a listing collects its keys, and then " +
        "reads the values page by page",
    },
  };

  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #writer: RedisWriter;

  /**
   * Makes a store. The client stays the caller's, to be closed by the caller.
   *
   * @param redis A client for one server or for a Cluster.
   * @param options The prefix of the keys.
   * @throws {TypeError} If the client or an option is of a wrong type.
   */
  constructor(redis: RedisClient, options: RedisKvStoreOptions = {}) {
    super({
      codec,
      maxCalls: redis?.nodes === undefined ? COMMAND_KEYS : 4 * COMMAND_KEYS,
      concurrency: 16,
    });
    if (typeof redis?.mgetBuffer !== "function") {
      throw new TypeError(
        "Cannot make a RedisKvStore: redis must be a client of ioredis: " +
          `received ${redis === null ? "null" : typeof redis}`,
      );
    }
    const { keyPrefix = "kv" } = options;
    this.#prefix = fullPrefix(redis, keyPrefix);
    this.#client = redis;
    this.#commands = new RedisCommands(redis);
    this.#writer = new RedisWriter(redis, this.#commands, this.#prefix);
  }

  /** Sends the calls at once, those on one slot in few commands. */
  protected override execute(calls: readonly KvCall[]): Promise<void> {
    return this.#writer.execute(calls);
  }

  /** Collects the keys, and reads the values page by page. */
  protected override async *pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry[]> {
    const ids = await this.#ids(prefix, request);
    let end = 0;
    while (end < ids.length) {
      const start = end;
      end += Math.max(
        16,
        Math.min(1024, Math.floor(PAGE_BYTES / this.#writer.valueBytes)),
      );
      const page = await this.#page(ids.slice(start, end));
      if (page.length > 0) yield page;
    }
  }

  /** The ids of the entries that may start with a prefix, in key order. */
  async #ids(
    prefix: readonly string[],
    request: KvPageRequest,
  ): Promise<string[]> {
    const start = prefix.length === 0 ? "" : encodeKey(prefix);
    const names = await namesUnder(
      this.#client,
      this.#commands,
      this.#prefix + start,
      request.alive,
    );
    const ids: string[] = [];
    for (const name of names) {
      const id = name.slice(this.#prefix.length);
      const key = decodeKey(id);
      if (startsWith(key, prefix) && encodeKey(key) === id) ids.push(id);
    }
    return ids.sort(compareStrings);
  }

  async #page(ids: readonly string[]): Promise<KvStoredEntry[]> {
    const entries = new Map<string, KvStoredEntry>();
    const read = async (ids: readonly string[]): Promise<void> => {
      const time = Date.now();
      const names = ids.map((id) => this.#prefix + id);
      let answer: (Buffer | number | null)[];
      try {
        answer = await this.#evaluate(names) as typeof answer;
      } catch (error) {
        if (ids.length === 1 || !isRejection(error)) throw error;
        await Promise.all(ids.map((id) => read([id])));
        return;
      }
      const values = ids.map((_, i) => answer[2 * i] as Buffer | null);
      for (const value of values) this.#writer.learn(value);
      for (const [i, id] of ids.entries()) {
        const value = values[i];
        const left = Number(answer[2 * i + 1]);
        // -2: it has expired between the two questions.
        if (!value || left === -2) continue;
        const expiry = left < 0 ? undefined : time + left;
        entries.set(id, { key: decodeKey(id), value, expiry });
      }
    };
    const cork = new Cork(this.#client);
    const reads: Promise<void>[] = [];
    try {
      const keys = this.#writer.isOneSlot ? this.#writer.readKeys : 1;
      for (let i = 0; i < ids.length; i += keys) {
        reads.push(read(ids.slice(i, i + keys)));
      }
    } finally {
      cork.remove();
    }
    await Promise.all(reads);
    return ids.flatMap((id) => entries.get(id) ?? []);
  }

  async #evaluate(names: readonly string[]): Promise<unknown> {
    const args = [`${names.length}`, ...names];
    try {
      return await this.#commands.read("evalsha", [GET_EXPIRING.sha1, ...args]);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await this.#commands.read("eval", [GET_EXPIRING.source, ...args]);
    }
  }
}
