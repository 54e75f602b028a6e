/**
 * What a store needs of ioredis: shapes that `Redis` and `Cluster` of versions 5
 * and 6 have, so that nothing of it is imported.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { typeName } from "../core/message.ts";

/**
 * A client for one server or for a Cluster: `Redis` or `Cluster` of ioredis 5
 * or 6.
 *
 * @example Usage
 * ```ts
 * import type { RedisClient } from "@org/kv/redis";
 * import { Redis } from "ioredis";
 *
 * const redis: RedisClient = new Redis({ lazyConnect: true });
 * ```
 */
export interface RedisClient {
  /** The options that it was made with. */
  readonly options: {
    /** What ioredis puts before every key. */
    readonly keyPrefix?: string | undefined;
    /** Whether unanswered commands are sent again on the next connection. */
    readonly autoResendUnfulfilledCommands?: boolean | undefined;
    /** How often a command may wait for a connection. */
    readonly maxRetriesPerRequest?: number | null | undefined;
  };
  /** The socket of a client for one server, while there is one. */
  readonly stream?: { cork(): void; uncork(): void };
  /** The clients for the nodes of a Cluster. */
  nodes?(role?: "all" | "master"): RedisClient[];
  /** Makes a client for a Cluster find out again which node has which slots. */
  refreshSlotsCache?(callback?: () => void): void;
  /** `MGET`, which no other library has under this name. */
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>;
  /** Sends a command. */
  sendCommand(command: never): unknown;
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
      `Cannot make a RedisKvStore: ${what} must be a well-formed string: ` +
        `received ${typeName(prefix)}`,
    );
  }
  if (text.includes(SEPARATOR)) {
    throw new TypeError(
      `Cannot make a RedisKvStore: ${what} must not contain "!", which the ` +
        `store adds after it: received ${JSON.stringify(text)}`,
    );
  }
  return text;
}

function decode(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes);
  return text.includes("\ufffd") ? undefined : text;
}
