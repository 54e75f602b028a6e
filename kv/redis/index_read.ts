/**
 * Reading ids from the index, in order.
 *
 * @module
 */

import { compareStrings, type KeyRange } from "../core/key.ts";
import type { RedisClient } from "./client.ts";
import { unexpected } from "./codec.ts";
import type { RedisCommands } from "./commands.ts";
import { Cork } from "./cork.ts";
import { COMPLETE } from "./index_scripts.ts";

/** How often to build the index for a listing; more often, somebody deletes it. */
const MAX_BUILDS = 3;

/** What to read, and what to do about an index that is not complete. */
export interface IndexRequest {
  /** The range of ids. */
  readonly range: KeyRange;
  /** The id to continue after, if any. */
  readonly after: string | undefined;
  /** Whether to read from the last id to the first. */
  readonly reverse: boolean;
  /** Notes that the server has answered. */
  alive(): void;
  /** Builds the index. */
  build(): Promise<unknown>;
  /** Looks for entries that are missing from the index. */
  repair(): Promise<void>;
}

/** What was read of a sorted set, and not returned yet. */
interface Part {
  readonly set: string;
  ids: string[];
  next: number;
  /** The last id that was read. */
  last: string | undefined;
  isOver: boolean;
}

/** Reads ids from sorted sets, and merges them. */
export class IndexReader {
  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #request: IndexRequest;
  readonly #parts: Part[];

  /**
   * Makes a reader.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param sets The names of the sorted sets.
   * @param request What to read.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    sets: readonly string[],
    request: IndexRequest,
  ) {
    this.#client = client;
    this.#commands = commands;
    this.#request = request;
    this.#parts = sets.map((set) => ({
      set,
      ids: [],
      next: 0,
      last: request.after,
      isOver: false,
    }));
  }

  /**
   * Returns the next ids.
   *
   * @param count The largest number of ids.
   * @returns The ids; none if all were returned.
   */
  async take(count: number): Promise<string[]> {
    const ids: string[] = [];
    const repaired = this.#request.repair();
    // Hashes share the ids out evenly, so a part holds few more than its share.
    const share = count / this.#parts.length;
    const size = this.#parts.length === 1
      ? count
      : Math.ceil(share + 3 * Math.sqrt(share));
    while (ids.length < count) {
      while (this.#parts.some(isEmpty)) await this.#fill(size);
      const first = this.#first();
      if (first === undefined) break;
      ids.push(first.ids[first.next++]!);
    }
    await repaired;
    return ids;
  }

  /** The part with the next id. */
  #first(): Part | undefined {
    let first: Part | undefined;
    for (const part of this.#parts) {
      if (part.next === part.ids.length) continue;
      if (first !== undefined) {
        const order = compareStrings(
          part.ids[part.next]!,
          first.ids[first.next]!,
        );
        if (this.#request.reverse ? order <= 0 : order >= 0) continue;
      }
      first = part;
    }
    return first;
  }

  /** Reads on where less than half of what was read is left. */
  async #fill(size: number): Promise<void> {
    for (let builds = 0;; builds++) {
      const parts = this.#parts.filter(({ ids, next, isOver }) =>
        !isOver && ids.length - next <= size / 2
      );
      const cork = new Cork(this.#client);
      let reads: Promise<boolean>[];
      try {
        reads = parts.map((part) => this.#read(part, size));
      } finally {
        cork.remove();
      }
      const areComplete = (await Promise.all(reads)).every(Boolean);
      this.#request.alive();
      if (areComplete) return;
      if (builds === MAX_BUILDS) {
        throw new Error("the index was deleted while it was read");
      }
      await this.#request.build();
    }
  }

  /** Reads on in a set, if it is complete. */
  async #read(part: Part, size: number): Promise<boolean> {
    const { range: { start, end }, reverse } = this.#request;
    const edge = part.last === undefined ? undefined : `(${part.last}`;
    const min = `[${start}`;
    const max = end === undefined ? "+" : `(${end}`;
    const range = reverse ? [edge ?? max, min] : [edge ?? min, max];
    const name = reverse ? "zrevrangebylex" : "zrangebylex";
    const args = [part.set, ...range, "LIMIT", "0", `${size}`];
    const [reply, complete] = await Promise.all([
      this.#commands.read(name, args),
      this.#commands.read("zscore", [part.set, COMPLETE]),
    ]);
    if (complete === null) return false;
    if (!Array.isArray(reply)) throw unexpected(reply);
    const ids = reply.map(String);
    part.last = ids.at(-1) ?? part.last;
    part.isOver = ids.length < size;
    part.ids = part.ids.slice(part.next)
      .concat(ids.filter((id) => id !== COMPLETE));
    part.next = 0;
    return true;
  }
}

function isEmpty({ ids, next, isOver }: Part): boolean {
  return next === ids.length && !isOver;
}
