/**
 * Putting entries into the index that are not there.
 *
 * @module
 */

import type { RedisClient } from "./client.ts";
import type { RedisCommands } from "./commands.ts";
import { COMPLETE } from "./index_scripts.ts";
import { idOf } from "./names.ts";
import { NameScan, scanNames } from "./scan.ts";

/** How long a store waits between two steps of repair, in milliseconds. */
const REPAIR_INTERVAL = 1_000;

/** What is built. */
export interface Buildable {
  /** The names of the sorted sets. */
  readonly sets: readonly string[];
  /** Puts ids into them. */
  add(ids: readonly string[]): Promise<void>;
}

/** Builds and repairs an index. */
export class IndexBuilder {
  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #index: Buildable;
  readonly #repair: NameScan;
  #building: Promise<number> | undefined;
  readonly #listeners = new Set<() => void>();
  #repaired = -Infinity;

  /**
   * Makes a builder.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param prefix What all names of the store start with.
   * @param index The index.
   */
  constructor(
    client: RedisClient,
    commands: RedisCommands,
    prefix: string,
    index: Buildable,
  ) {
    this.#client = client;
    this.#commands = commands;
    this.#prefix = prefix;
    this.#index = index;
    this.#repair = new NameScan(client, commands, prefix);
  }

  /**
   * Builds the index for a listing. Who comes while it is being built waits for
   * the same end.
   *
   * @param alive Notes each step.
   */
  async buildOnce(alive: () => void): Promise<void> {
    this.#listeners.add(alive);
    try {
      await (this.#building ??= this.build(() => {
        for (const alive of this.#listeners) alive();
      }));
    } finally {
      this.#listeners.delete(alive);
      this.#building = undefined;
    }
  }

  /**
   * Puts all entries into the index, step by step, and notes that it is complete.
   *
   * @param onStep Receives the number of keys that were found so far.
   * @returns How many keys were found, some more than once.
   */
  async build(onStep: (keys: number) => void): Promise<number> {
    let keys = 0;
    await scanNames(
      this.#client,
      this.#commands,
      this.#prefix,
      async (names) => {
        keys += await this.#add(names);
        onStep(keys);
      },
    );
    await Promise.all(
      this.#index.sets.map((set) =>
        this.#commands.send("zadd", [set, "0", COMPLETE]).reply
      ),
    );
    return keys;
  }

  /** Looks at some keys, if it is time. */
  async repair(): Promise<void> {
    const now = performance.now();
    if (now - this.#repaired < REPAIR_INTERVAL) return;
    this.#repaired = now;
    try {
      await this.#add(await this.#repair.next());
    } catch {
      // The listing that caused it says what is wrong, if it fails too.
    }
  }

  async #add(names: readonly string[]): Promise<number> {
    const ids = names.map((name) => idOf(name, this.#prefix))
      .filter((id) => id !== undefined);
    if (ids.length > 0) await this.#index.add(ids);
    return ids.length;
  }
}
