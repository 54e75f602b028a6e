/**
 * The layout of Fedify's Redis store.
 *
 * @module
 */

import { Buffer } from "../kv/core/builtin.ts";
import { checkOptions } from "../kv/core/options.ts";
import { typeName } from "../kv/core/message.ts";
import { clientOf, type RedisClient } from "../kv/redis/client.ts";
import { isWholeAndStill, layoutOf, mastersOf } from "../kv/redis/cluster.ts";
import type { NodeRedisClient } from "../kv/redis/node_redis.ts";
import { RedisCommands } from "../kv/redis/commands.ts";
import { isForbidden, isWrongType } from "../kv/redis/errors.ts";
import { keyOfName } from "./redis_key.ts";
import type { MigrationSource, SourceEntry } from "./source.ts";

/**
 * Options of {@linkcode fedifyRedis}.
 *
 * @example Usage
 * ```ts
 * import type { FedifyRedisOptions } from "@org/kv/migrate";
 *
 * const options: FedifyRedisOptions = { keyPrefix: "bot::" };
 * ```
 */
export interface FedifyRedisOptions {
  /**
   * The prefix of the names, as Fedify's store had it.
   *
   * @default {"fedify::"}
   */
  readonly keyPrefix?: string | Uint8Array | undefined;
  /**
   * Decodes a value, if Fedify's store had a codec of your own.
   *
   * @default {JSON}
   */
  decode?(bytes: Uint8Array): unknown;
}

/** How many names a step looks at. */
const STEP = "512";

/** How many values are read at once. */
const READS = 64;

/**
 * Reads the entries of a `RedisKvStore` of Fedify, on one server or a Cluster.
 *
 * Redis has no order, so a migration cannot continue at a cursor. Run it again
 * from the start: it leaves equal entries as they are.
 *
 * @param redis The client: `Redis` or `Cluster` of ioredis 5 or 6.
 * @param options The prefix and the codec of Fedify's store.
 * @returns The source.
 * @throws {TypeError} If the client or an option is invalid.
 *
 * @example Usage
 * ```ts ignore
 * import { fedifyRedis, migrate } from "@org/kv/migrate";
 * import { Redis } from "ioredis";
 *
 * const redis = new Redis("redis://localhost");
 * await migrate(fedifyRedis(redis, { keyPrefix: "bot::" }), kv);
 * ```
 */
export function fedifyRedis(
  redis: RedisClient | NodeRedisClient,
  options: FedifyRedisOptions = {},
): MigrationSource {
  const { keyPrefix = "fedify::", decode = decodeJson, ...others } = options;
  checkOptions("migrate from Redis", { ...others, decode }, {
    keyPrefix: { type: "string", must: "be a string or bytes" },
    decode: { type: "function", must: "be a function" },
  });
  if (typeof keyPrefix !== "string" && !(keyPrefix instanceof Uint8Array)) {
    throw new TypeError(
      "Cannot migrate from Redis: keyPrefix must be a string or bytes: " +
        `received ${typeName(keyPrefix)}`,
    );
  }
  redis = clientOf(redis);
  // ioredis itself puts its own prefix before each name of Fedify's store.
  const prefix = Buffer.concat(
    [redis.options.keyPrefix ?? "", keyPrefix].map((each) => Buffer.from(each)),
  );
  const commands = new RedisCommands(redis);
  const reader = new Reader(commands, prefix, decode);
  return {
    name: `Redis, names that start with ${JSON.stringify(prefix.toString())}`,
    notes: [],
    keepsExpiry: true,
    async count(_prefix, signal) {
      let count = 0;
      for await (const names of scan(redis, commands, prefix)) {
        signal?.throwIfAborted();
        count += names.length;
      }
      return count;
    },
    async *pages({ wants }) {
      for await (const names of scan(redis, commands, prefix)) {
        for (let i = 0; i < names.length; i += READS) {
          const some = names.slice(i, i + READS);
          yield { entries: await reader.read(some, wants) };
        }
      }
    },
  };
}

/** Finds all names, in no order, and some more than once. */
async function* scan(
  client: RedisClient,
  commands: RedisCommands,
  prefix: Buffer,
): AsyncGenerator<Buffer[]> {
  // Bytes, as a prefix need not be UTF-8.
  const pattern = Buffer.from(
    prefix.toString("latin1").replace(/[\\*?[\]]/g, "\\$&") + "*",
    "latin1",
  );

  async function* walk(node?: RedisClient): AsyncGenerator<Buffer[]> {
    let cursor = "0";
    do {
      const args = [cursor, "MATCH", pattern, "COUNT", STEP];
      const reply = await commands.read("scan", args, node);
      const [next, names] = reply as [unknown, Buffer[]];
      cursor = String(next);
      const different = new Map(names.map((it) => [it.toString("latin1"), it]));
      yield [...different.values()];
    } while (cursor !== "0");
  }

  async function* walkAll(): AsyncGenerator<Buffer[]> {
    for (const node of mastersOf(client)) yield* walk(node);
  }

  if (client.nodes === undefined) return yield* walk();
  const before = await layoutOf(client, commands, "fedify");
  yield* walkAll();
  const after = await layoutOf(client, commands, "fedify");
  // A key that moved to a node that was walked before is found by a second walk.
  if (!isWholeAndStill(before, after)) yield* walkAll();
}

/** The expiry of a key within 1 ms, for servers before Redis 7. */
const EXPIRY = `
local left = redis.call("PTTL", KEYS[1])
if left < 0 then return left end
local time = redis.call("TIME")
return time[1] * 1000 + math.floor(time[2] / 1000) + left`;

/** Reads entries by their names. */
class Reader {
  readonly #commands: RedisCommands;
  readonly #prefix: Buffer;
  readonly #decode: (bytes: Buffer) => unknown;
  /** Whether the server has PEXPIRETIME, as Redis 7 and later. */
  #hasExpireTime = true;

  constructor(
    commands: RedisCommands,
    prefix: Buffer,
    decode: (bytes: Buffer) => unknown,
  ) {
    this.#commands = commands;
    this.#prefix = prefix;
    this.#decode = decode;
  }

  async read(
    names: readonly Buffer[],
    wants: (key: readonly string[]) => boolean,
  ): Promise<SourceEntry[]> {
    const entries = await Promise.all(
      names.map((name) => this.#readOne(name, wants)),
    );
    return entries.filter((entry) => entry !== undefined);
  }

  async #readOne(
    name: Buffer,
    wants: (key: readonly string[]) => boolean,
  ): Promise<SourceEntry | undefined> {
    const text = textOf(name.subarray(this.#prefix.length));
    const key = text === undefined ? undefined : keyOfName(text);
    if (key === undefined) {
      return {
        key: name.toString(),
        error: "its name is not one that Fedify gives to a key",
      };
    }
    if (!wants(key)) return undefined;
    try {
      const [bytes, expires] = await Promise.all([
        this.#commands.read("get", [name]) as Promise<Buffer | null>,
        this.#expiryOf(name),
      ]);
      // It has expired or was deleted.
      if (bytes === null || expires === -2) return undefined;
      const value = this.#valueOf(bytes);
      if ("error" in value) return { key, ...value };
      return { key, ...value, expires: expires === -1 ? undefined : expires };
    } catch (error) {
      if (!isWrongType(error)) throw error;
      return { key, error: "it is not a string of Redis" };
    }
  }

  #valueOf(bytes: Buffer): { value: unknown } | { error: unknown } {
    try {
      return { value: this.#decode(bytes) };
    } catch (error) {
      return { error };
    }
  }

  /** The expiry in epoch milliseconds, -1 for none, -2 for no entry. */
  async #expiryOf(name: Buffer): Promise<number> {
    if (this.#hasExpireTime) {
      try {
        return Number(await this.#commands.read("pexpiretime", [name]));
      } catch (error) {
        if (!isForbidden(error)) throw error;
        this.#hasExpireTime = false;
      }
    }
    return Number(await this.#commands.read("eval", [EXPIRY, "1", name]));
  }
}

function decodeJson(bytes: Buffer): unknown {
  const text = textOf(bytes);
  if (text === undefined) throw new TypeError("its value is not UTF-8");
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError("its value is not JSON");
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; other bytes are `undefined`. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
