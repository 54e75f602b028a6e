/**
 * What a store needs of ioredis: shapes that `Redis` and `Cluster` of versions 5
 * and 6 have, so that nothing of it is imported.
 *
 * @module
 */

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
    /** Which nodes of a Cluster answer reads. */
    readonly scaleReads?: unknown;
  };
  /** The socket of a client for one server, while there is one. */
  readonly stream?: { cork(): void; uncork(): void };
  /** The clients for the nodes of a Cluster. */
  nodes?(role?: "all" | "master"): RedisClient[];
  /** For each slot of a Cluster its nodes, the master first. */
  readonly slots?: readonly (readonly string[] | undefined)[];
  /** Makes a client for a Cluster find out again which node has which slots. */
  refreshSlotsCache?(callback?: () => void): void;
  /** `MGET`, which no other library has under this name. */
  mgetBuffer(keys: string[]): Promise<(Uint8Array | null)[]>;
  /** Sends a command. */
  sendCommand(command: never): unknown;
}
