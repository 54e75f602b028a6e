/**
 * The clients that a store is for, and the names that it uses on them.
 *
 * @module
 */

import { typeName } from "../core/message.ts";
import { commandClassOf } from "./command_class.ts";
import type { RedisClient } from "./ioredis.ts";
import { adapt, isNodeRedis } from "./node_redis.ts";

export type { RedisClient } from "./ioredis.ts";

/** The clients that the store is tested with. */
const SUPPORTED = "a Redis or Cluster of ioredis 5 or 6, or a client, pool, " +
  "cluster or sentinel of node-redis 5 or 6";

/** What tells the clients of other libraries. */
const OTHERS: Readonly<Record<string, string>> = {
  mGet: "a client of node-redis 4, or a part of one",
  isPipeline: "a pipeline",
  customCommand: "a client of Valkey GLIDE",
  hmget: "a client of Bun, or of another library",
  mget: "a client of another library",
};

/**
 * Checks a client.
 *
 * @param redis What the caller gave.
 * @returns The client, or what stands for a client of node-redis.
 * @throws {TypeError} If it is not supported.
 */
export function clientOf(redis: unknown): RedisClient {
  if (isObject(redis)) {
    if (isNodeRedis(redis)) return adapt(redis);
    const isSupported = typeof redis.mgetBuffer === "function" &&
      typeof redis.sendCommand === "function" && !redis.isPipeline;
    const client = redis as unknown as RedisClient;
    if (isSupported && commandClassOf(client)) return client;
  }
  const other = Object.keys(OTHERS)
    .find((name) => isObject(redis) && redis[name]);
  throw new TypeError(
    `Cannot create a RedisKvStore: redis must be ${SUPPORTED}: ` +
      `received ${other ? OTHERS[other] : typeName(redis)}`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A hash tag, which alone decides on the slot of a key that starts with it. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;

/**
 * Whether one command may touch several keys of a store.
 *
 * @param client The client.
 * @param prefix What all names of the store start with.
 * @returns Whether all keys are on one server, or in one slot of a Cluster.
 */
export function isOneSlot(client: RedisClient, prefix: string): boolean {
  return client.nodes === undefined || HASH_TAG.test(prefix);
}

/*
 * A name in Redis is the prefix, "!" and the encoded key, as in `kv!users!alice`.
 * The prefix contains no "!", so the first one ends it: two stores with different
 * prefixes share no name, even if one prefix starts with the other, and no key
 * reaches another store. Encoded keys escape "!" anyway, so this costs a byte.
 */
const SEPARATOR = "!";

/**
 * What all names of a store start with.
 *
 * @param client The client, which may have a prefix too.
 * @param keyPrefix The prefix of the store.
 * @returns Both, and the separator.
 * @throws {TypeError} If a prefix is not a well-formed string without a separator.
 */
export function fullPrefix(client: RedisClient, keyPrefix: unknown): string {
  const outer: unknown = client.options?.keyPrefix ?? "";
  return checked(outer, "the keyPrefix of redis") +
    checked(keyPrefix, "keyPrefix") + SEPARATOR;
}

function checked(prefix: unknown, what: string): string {
  // ioredis takes bytes, too.
  const text = prefix instanceof Uint8Array ? decode(prefix) : prefix;
  if (typeof text !== "string" || !text.isWellFormed()) {
    throw new TypeError(
      `Cannot create a RedisKvStore: ${what} must be a well-formed string: ` +
        `received ${typeName(prefix)}`,
    );
  }
  if (text.includes(SEPARATOR)) {
    throw new TypeError(
      `Cannot create a RedisKvStore: ${what} must not contain "!", which the ` +
        `store adds after it: received ${JSON.stringify(text)}`,
    );
  }
  return text;
}

function decode(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes);
  return text.includes("\ufffd") ? undefined : text;
}
