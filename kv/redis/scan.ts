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
const STEP = "1024";

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
  found: (names: readonly string[]) => void,
): Promise<void> {
  const pattern = start.replace(/[\\*?[\]]/g, "\\$&") + "*";

  async function walk(node: RedisClient): Promise<void> {
    let cursor = "0";
    do {
      const args = [cursor, "MATCH", pattern, "COUNT", STEP];
      const reply = await commands.read("scan", args, node);
      if (!Array.isArray(reply) || !Array.isArray(reply[1])) {
        throw unexpected(reply);
      }
      cursor = String(reply[0]);
      found(reply[1].map(String));
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
