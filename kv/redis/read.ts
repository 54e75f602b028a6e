/**
 * Reading entries with their expiry, in bounded memory.
 *
 * @module
 */

import type { EncodedValue } from "../core/value.ts";
import type { RedisClient } from "./client.ts";
import {
  MAX_VALUE_BYTES,
  readNumber,
  readValue,
  stored,
  unexpected,
} from "./codec.ts";
import type { RedisCommands } from "./commands.ts";
import { Cork } from "./cork.ts";
import { isForbidden, isNoScript, isRejection, isWrongType } from "./errors.ts";
import { READ } from "./scripts.ts";

/** The most keys in one command. */
const COMMAND_KEYS = 64;

/** How often to read a value again that changes while it is read. */
const MAX_ATTEMPTS = 8;

/** `PTTL` of a key that does not exist, and of one that does not expire. */
const ABSENT = -2;
const FOREVER = -1;

/** The expiry where the server, or the rights of the user, do not tell. */
const UNKNOWN = -2;

/** What was found under a name. */
export interface FoundEntry {
  /** The value, unless it did not fit the bytes that may be read. */
  readonly value: EncodedValue | undefined;
  /** The bytes that the value takes. */
  readonly bytes: number;
  /** When it expires, in epoch milliseconds by the clock of this process. */
  readonly expiry: number | undefined;
  /** The same by the clock of the server, if the server tells. */
  readonly expires: number | undefined;
}

/** Reads the entries of a store. */
export class EntryReader {
  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #keys: number;
  /** Whether the user of the connection may run scripts. */
  #mayRunScripts = true;

  /**
   * Makes a reader.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param isOneSlot Whether a command may touch several keys.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    isOneSlot: boolean,
  ) {
    this.#client = client;
    this.#commands = commands;
    this.#keys = isOneSlot ? COMMAND_KEYS : 1;
  }

  /**
   * Reads entries.
   *
   * @param names Their names in Redis.
   * @param maxBytes About how many bytes of values to read; 0 for none.
   * @returns What was found under each name, if anything.
   */
  async read(
    names: readonly string[],
    maxBytes = Infinity,
  ): Promise<(FoundEntry | undefined)[]> {
    const chunks: string[][] = [];
    for (let i = 0; i < names.length; i += this.#keys) {
      chunks.push(names.slice(i, i + this.#keys));
    }
    const limit = Math.min(
      Math.floor(maxBytes / chunks.length),
      MAX_VALUE_BYTES,
    );
    const cork = new Cork(this.#client);
    let reads: Promise<(FoundEntry | undefined)[]>[];
    try {
      reads = chunks.map((chunk) => this.#readChunk(chunk, limit));
    } finally {
      cork.remove();
    }
    return (await Promise.all(reads)).flat();
  }

  async #readChunk(
    names: readonly string[],
    limit: number,
  ): Promise<(FoundEntry | undefined)[]> {
    if (this.#mayRunScripts) {
      try {
        return await this.#evaluate(names, limit);
      } catch (error) {
        if (isForbidden(error)) this.#mayRunScripts = false;
        // While a slot moves, its keys are in two places.
        else if (names.length === 1 || !isRejection(error)) throw error;
      }
    }
    return await Promise.all(
      names.map((name) =>
        this.#mayRunScripts
          ? this.#evaluate([name], limit).then(([entry]) => entry)
          : this.#readAlone(name, limit)
      ),
    );
  }

  async #evaluate(
    names: readonly string[],
    limit: number,
  ): Promise<(FoundEntry | undefined)[]> {
    const args = [`${names.length}`, ...names, `${limit}`];
    const time = Date.now();
    let reply: unknown;
    try {
      reply = await this.#commands.read("evalsha", [READ.sha1, ...args]);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      reply = await this.#commands.read("eval", [READ.source, ...args]);
    }
    if (!Array.isArray(reply) || reply.length !== 3 * names.length) {
      throw unexpected(reply);
    }
    return names.map((_, i) =>
      found(reply[3 * i], reply[3 * i + 1], reply[3 * i + 2], time)
    );
  }

  /** Reads an entry by plain commands. */
  async #readAlone(
    name: string,
    limit: number,
  ): Promise<FoundEntry | undefined> {
    for (let i = 0;; i++) {
      const time = Date.now();
      const replies = await Promise.all([
        this.#commands.read("pttl", [name]),
        this.#commands.read("getrange", [name, "0", `${limit}`])
          .catch(unlessWrongType),
        this.#commands.read("strlen", [name]).catch(unlessWrongType),
        this.#commands.read("pexpiretime", [name]).catch(unlessForbidden),
        this.#commands.read("pttl", [name]),
      ]);
      const [before, value, bytes, expires, after] = replies;
      // A write may have come in between.
      const isTorn = !isSameLife(readNumber(before), readNumber(after), time);
      if (isTorn && i < MAX_ATTEMPTS) continue;
      const isWhole = bytes === null ||
        readValue(value)?.length === readNumber(bytes);
      return found(isWhole ? value : bytes, after, expires, time);
    }
  }
}

function unlessWrongType(error: unknown): null {
  if (!isWrongType(error)) throw error;
  return null;
}

function unlessForbidden(error: unknown): number {
  if (!isForbidden(error)) throw error;
  return UNKNOWN;
}

/** Whether two answers of `PTTL` are about the same entry. */
function isSameLife(before: number, after: number, time: number): boolean {
  if (before < 0 || after < 0) return before === after || after === ABSENT;
  return after <= before && before - after <= Date.now() - time + 1;
}

/** What a value, or its length, and its times tell about an entry. */
function found(
  reply: unknown,
  left: unknown,
  end: unknown,
  time: number,
): FoundEntry | undefined {
  const milliseconds = readNumber(left);
  if (reply === null || milliseconds === ABSENT) return undefined;
  const expiry = milliseconds === FOREVER ? undefined : time + milliseconds;
  const expires = readNumber(end) < 0 ? expiry : readNumber(end);
  if (typeof reply === "number" || typeof reply === "string") {
    return { value: undefined, bytes: readNumber(reply), expiry, expires };
  }
  const value = readValue(reply)!;
  return { value: stored(value), bytes: value.length, expiry, expires };
}
