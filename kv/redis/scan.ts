/**
 * Finding the keys that a server or a Cluster has under a prefix.
 *
 * @module
 */

import type { RedisClient } from "./client.ts";
import { isWholeAndStill, layoutOf, mastersOf } from "./cluster.ts";
import { unexpected } from "./codec.ts";
import type { RedisCommands } from "./commands.ts";

/** How many keys the server looks at in one step, of about a millisecond. */
const STEP = 1024;

/** How many keys the server looks at for a step of a `NameScan`. */
const SMALL_STEP = 256;

/** One step of a walk over the keys of a node: the next cursor, and names. */
async function scan(
  commands: RedisCommands,
  node: RedisClient,
  start: string,
  cursor: string,
  count: number,
): Promise<[cursor: string, names: string[]]> {
  const pattern = start.replace(/[\\*?[\]]/g, "\\$&") + "*";
  const args = [cursor, "MATCH", pattern, "COUNT", `${count}`];
  const reply = await commands.read("scan", args, node);
  if (!Array.isArray(reply) || !Array.isArray(reply[1])) {
    throw unexpected(reply);
  }
  return [String(reply[0]), reply[1].map(String)];
}

/**
 * Finds all names that start with some text, in no order, some more than once.
 *
 * @param client The client.
 * @param commands Issues its commands.
 * @param start What the names start with, every prefix included.
 * @param found Receives the names of one step.
 */
export async function scanNames(
  client: RedisClient,
  commands: RedisCommands,
  start: string,
  found: (names: readonly string[]) => void | Promise<void>,
): Promise<void> {
  async function walk(node: RedisClient): Promise<void> {
    let cursor = "0";
    do {
      const step = await scan(commands, node, start, cursor, STEP);
      cursor = step[0];
      await found(step[1]);
    } while (cursor !== "0");
  }

  if (client.nodes === undefined) return await walk(client);
  const before = await layoutOf(client, commands, start);
  await Promise.all(mastersOf(client).map(walk));
  const after = await layoutOf(client, commands, start);
  // A key that moves may leave a node before it is walked for one that was
  // walked before it came. As it was somewhere throughout one of two walks, the
  // second one finds it.
  if (!isWholeAndStill(before, after)) {
    await Promise.all(mastersOf(client).map(walk));
  }
}

/** A walk over the names that start with some text that never ends. */
export class NameScan {
  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #start: string;
  readonly #cursors = new WeakMap<RedisClient, string>();
  #node = 0;

  /**
   * Begins a walk.
   *
   * @param client The client.
   * @param commands Issues its commands.
   * @param start What the names start with, every prefix included.
   */
  constructor(client: RedisClient, commands: RedisCommands, start: string) {
    this.#client = client;
    this.#commands = commands;
    this.#start = start;
  }

  /** Finds some names, on one master after the other. */
  async next(): Promise<string[]> {
    const nodes = this.#client.nodes?.("master") ?? [this.#client];
    const node = nodes[this.#node++ % nodes.length];
    if (node === undefined) return [];
    const last = this.#cursors.get(node) ?? "0";
    const [cursor, names] = await scan(
      this.#commands,
      node,
      this.#start,
      last,
      SMALL_STEP,
    );
    this.#cursors.set(node, cursor);
    return names;
  }
}
