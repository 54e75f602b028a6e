/**
 * What a store needs of ioredis: shapes that `Redis` and `Cluster` of versions 5
 * and 6 have, so that nothing of it is imported.
 *
 * @module
 */

import type { Buffer } from "node:buffer";

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
  /** Whether it is connected: `"ready"`, or else. */
  readonly status: string;
  /** The options that it was made with. */
  readonly options: {
    /** What ioredis puts in front of every key. */
    readonly keyPrefix?: string | undefined;
    /** Whether unanswered commands are sent again on the next connection. */
    readonly autoResendUnfulfilledCommands?: boolean | undefined;
  };
  /** The socket of a client for one server, while there is one. */
  readonly stream?: { cork(): void; uncork(): void };
  /** The clients for the nodes of a Cluster. */
  nodes?(role?: "all" | "master"): RedisClient[];
  /** Makes a client for a Cluster ask it anew which node has which slots. */
  refreshSlotsCache?(callback?: () => void): void;

  /** `GET`. */
  getBuffer(key: string): Promise<Buffer | null>;
  /** `MGET`. */
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>;
  /** `SET`. */
  set(key: string, value: string | Buffer): Promise<unknown>;
  /** `SET` unless the key exists. */
  set(key: string, value: string | Buffer, mode: "NX"): Promise<unknown>;
  /** `SET` with a TTL, unless the key exists. */
  set(
    key: string,
    value: string | Buffer,
    unit: "PX",
    milliseconds: number,
    mode: "NX",
  ): Promise<unknown>;
  /** `PSETEX`. */
  psetex(
    key: string,
    milliseconds: number,
    value: string | Buffer,
  ): Promise<unknown>;
  /** `MSET`. */
  mset(...keysAndValues: (string | Buffer)[]): Promise<unknown>;
  /** `DEL`. */
  del(keys: string[]): Promise<unknown>;
  /** `SCAN`, which a client for a Cluster sends to any one node. */
  scan(
    cursor: string,
    match: "MATCH",
    pattern: string,
    count: "COUNT",
    number: number,
  ): Promise<[cursor: string, names: string[]]>;
  /** `CLUSTER NODES`. */
  cluster(subcommand: "NODES"): Promise<unknown>;

  /** Calls back when the state of the connection changes. */
  // deno-lint-ignore no-explicit-any
  on(event: string, listener: (...values: any[]) => void): unknown;
}

/**
 * What every client has besides: a variant with buffers of each command, which
 * for these the types of ioredis do not tell.
 */
export interface RedisEvaluator {
  /** `EVALSHA`. */
  evalshaBuffer(
    sha1: string,
    keyCount: number,
    ...keysAndArguments: (string | Buffer | number)[]
  ): Promise<unknown>;
  /** `EVAL`. */
  evalBuffer(
    script: string,
    keyCount: number,
    ...keysAndArguments: (string | Buffer | number)[]
  ): Promise<unknown>;
}

/** Whether the server answered a command with an error, and so refused it. */
export function isServerError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether a server, or every node asked, would not carry out a command. */
export function isRejectedCommand(error: unknown): boolean {
  return isServerError(error) ||
    /Too many Cluster redirections/.test(String(error));
}

/** Whether a server found something else than a string. */
export function isWrongType(error: unknown): boolean {
  return isServerError(error) && error.message.startsWith("WRONGTYPE");
}
