/**
 * The index of keys: sorted sets that hold the ids of all entries, in key order.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import { encodeKey, keyRange } from "../core/key.ts";
import type { KvPageRequest } from "../core/listing.ts";
import type { RedisClient } from "./client.ts";
import type { RedisCommands } from "./commands.ts";
import { IndexBuilder } from "./index_build.ts";
import { IndexReader } from "./index_read.ts";
import { COMPLETE } from "./index_scripts.ts";

/*
 * The rule: what has data is in the index. So an id is put there before its data
 * is written, or in the same step, and is taken out only when it has no data and
 * no write of it can be under way. What is in the index without data costs
 * little: a listing reads each entry anyway, and leaves it out.
 *
 * Ids without data come from entries that expire, from crashes, and from other
 * programs. A listing takes out those that it meets. And while entries with a TTL
 * are written, ids are looked at in turn, so that most of the index has data, even if
 * nobody lists.
 *
 * Data without an id comes from stores without the index, from other programs,
 * and from a failover that loses the end of one of several sorted sets. Listings
 * look for it, a few keys per second; `reindex()` looks at all keys at once.
 *
 * Each sorted set has a member that says that it was built. So a set that was
 * deleted, evicted or never built is built by the next listing.
 */

/** How many ids are looked at in one step of cleaning. */
const WINDOW = 256;

/** After how many writes to clean, while there is little to clean. */
const SELDOM = 512;

/** What cleaning has found. */
export interface Cleaned {
  /** How many ids had no data. */
  readonly stale: number;
  /** How many of them were taken out. */
  readonly removed: number;
}

/** An index of keys; where it is kept depends on the client. */
export abstract class KeyIndex {
  /** The names of the sorted sets. */
  readonly sets: readonly string[];
  protected readonly client: RedisClient;
  protected readonly commands: RedisCommands;
  protected readonly prefix: string;
  readonly #builder: IndexBuilder;
  /** The number of writes since the last cleaning that may leave ids behind. */
  #writes = 0;
  #interval = SELDOM;
  #isCleaning = false;
  /** The set to clean next, and the id after which to go on. */
  #set = 0;
  #after: string | undefined;

  /**
   * Makes an index.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param prefix What all names of the store start with.
   * @param sets The names of the sorted sets.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    prefix: string,
    sets: readonly string[],
  ) {
    this.client = client;
    this.commands = commands;
    this.prefix = prefix;
    this.sets = sets;
    this.#builder = new IndexBuilder(client, commands, prefix, this);
  }

  /** Executes calls, and keeps the index in step. */
  abstract execute(calls: readonly KvCall[]): Promise<void>;

  /** Puts ids into the index, in any number. */
  abstract add(ids: readonly string[]): Promise<void>;

  /**
   * Takes those ids out that have no data, if no write of them can be under way.
   *
   * @param ids The ids, which had no data a moment ago.
   * @returns How many were taken out.
   */
  abstract drop(ids: readonly string[]): Promise<number>;

  /** Takes those ids out that have no data, if no write can be under way. */
  protected abstract clean(ids: readonly string[]): Promise<Cleaned>;

  /** After how many writes to clean, while there is much to clean. */
  protected abstract readonly often: number;

  /** Reads ids under a prefix, in order. */
  read(prefix: readonly string[], request: KvPageRequest): IndexReader {
    return new IndexReader(this.client, this.commands, this.sets, {
      range: keyRange(prefix),
      after: request.after && encodeKey(request.after),
      reverse: request.reverse,
      alive: request.alive,
      build: () => this.#builder.buildOnce(request.alive),
      repair: () => this.#builder.repair(),
    });
  }

  /**
   * Puts all entries into the index.
   *
   * @param onStep Receives the number of keys that were found so far.
   * @returns How many keys were found, some more than once.
   */
  build(onStep: (keys: number) => void): Promise<number> {
    return this.#builder.build(onStep);
  }

  /**
   * Looks for ids without data until some are found or all were looked at.
   *
   * @returns How many were taken out.
   */
  async reclaim(): Promise<number> {
    const steps = this.sets.length;
    for (let ended = 0; ended < steps;) {
      const { removed } = await this.#cleanNext();
      if (removed > 0) return removed;
      if (this.#after === undefined) ended++;
    }
    return 0;
  }

  /**
   * Notes writes that may leave ids without data, and cleans when it is time.
   *
   * @param writes The number of writes.
   */
  protected async wrote(writes: number): Promise<void> {
    this.#writes += writes;
    if (this.#writes < this.#interval || this.#isCleaning) return;
    this.#isCleaning = true;
    try {
      while (this.#writes >= this.#interval) {
        this.#writes -= this.#interval;
        const { stale } = await this.#cleanNext();
        this.#interval = stale > WINDOW / 8 ? this.often : SELDOM;
      }
    } catch {
      // The writes were answered already; the next ones clean.
    } finally {
      this.#isCleaning = false;
    }
  }

  /** Looks at the next ids of a set. */
  async #cleanNext(): Promise<Cleaned> {
    const set = this.sets[this.#set]!;
    const min = this.#after === undefined ? "-" : `(${this.#after}`;
    const reply = await this.commands.read("zrangebylex", [
      set,
      min,
      "+",
      "LIMIT",
      "0",
      `${WINDOW}`,
    ]);
    const ids = (reply as unknown[]).map(String);
    if (ids.length < WINDOW) {
      this.#after = undefined;
      this.#set = (this.#set + 1) % this.sets.length;
    } else {
      this.#after = ids.at(-1)!;
    }
    return await this.clean(ids.filter((id) => id !== COMPLETE));
  }
}
