/**
 * Which keys a server or a Cluster has under a prefix.
 *
 * @module
 */

import type { RedisClient } from "./client.ts";
import { unexpected } from "./codec.ts";
import type { RedisCommands } from "./commands.ts";

/** How many slots a Cluster has. */
const SLOTS = 16_384;

/** How many keys the server looks at in one step, of a few milliseconds. */
const STEP = "4096";

/**
 * The names of all keys that start with some text, each once, in no order.
 *
 * @param client The client.
 * @param commands Issues its commands.
 * @param start What the names start with, every prefix included.
 * @param alive Is called after each answer.
 */
export async function namesUnder(
  client: RedisClient,
  commands: RedisCommands,
  start: string,
  alive: () => void,
): Promise<Set<string>> {
  const names = new Set<string>();
  const pattern = start.replace(/[\\*?[\]]/g, "\\$&") + "*";

  async function walk(node: RedisClient): Promise<void> {
    let cursor = "0";
    do {
      const args = [cursor, "MATCH", pattern, "COUNT", STEP];
      const reply = await commands.read("scan", args, node);
      if (!Array.isArray(reply) || !Array.isArray(reply[1])) {
        throw unexpected(reply);
      }
      alive();
      cursor = String(reply[0]);
      for (const name of reply[1]) names.add(String(name));
    } while (cursor !== "0");
  }

  if (client.nodes === undefined) {
    await walk(client);
    return names;
  }
  const before = await layout(client, commands, start);
  await Promise.all(masters(client).map(walk));
  const after = await layout(client, commands, start);
  // A key that moves may leave a node before it is walked for one that was
  // walked before it came. As it was somewhere throughout one of two walks, the
  // second one finds it.
  if (before.isMoving || before.text !== after.text) {
    await Promise.all(masters(client).map(walk));
  }
  return names;
}

function masters(client: RedisClient): RedisClient[] {
  return client.nodes!("master");
}

/** Who has which slots, as the masters themselves say. */
interface Layout {
  readonly text: string;
  /** Whether slots are on their way from one master to another. */
  readonly isMoving: boolean;
}

async function layout(
  client: RedisClient,
  commands: RedisCommands,
  anyKey: string,
): Promise<Layout> {
  // There are no nodes before the first command.
  if (masters(client).length === 0) {
    await commands.read("mget", [anyKey]);
  }
  const known = await ask(client, commands);
  if (known.count === SLOTS) return known;
  // The client has not heard yet of all masters.
  await commands.recover();
  return await ask(client, commands);
}

async function ask(
  client: RedisClient,
  commands: RedisCommands,
): Promise<Layout & { readonly count: number }> {
  const answers = await Promise.all(
    masters(client).map((node) => commands.read("cluster", ["NODES"], node)),
  );
  let count = 0;
  let isMoving = false;
  const texts: string[] = [];
  for (const answer of answers) {
    const line = String(answer).split("\n").find((line) =>
      line.includes("myself")
    ) ?? "";
    const [id = "", , , , , , , , ...slots] = line.split(" ");
    texts.push([id, ...slots].join(" "));
    for (const range of slots) {
      if (range.startsWith("[")) {
        isMoving = true;
      } else {
        const [first, last = first] = range.split("-").map(Number);
        count += last! - first! + 1;
      }
    }
  }
  return { text: texts.sort().join("\n"), isMoving, count };
}
