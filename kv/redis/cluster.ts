/**
 * Which node of a Cluster has which keys.
 *
 * @module
 */

import type { RedisClient } from "./client.ts";
import type { BatcherNodes } from "../core/places.ts";
import { isOneSlot } from "./client.ts";
import type { RedisCommands } from "./commands.ts";
import { isForbidden } from "./errors.ts";
import { slotOf, SLOTS } from "./slot.ts";

/** Which master has which slots, as the masters themselves say. */
export interface Layout {
  /** The same text for the same layout, or `undefined` if it is unknown. */
  readonly text: string | undefined;
  /** The number of slots that the known masters have. */
  readonly slots: number;
  /** Whether slots are on their way from one master to another. */
  readonly isMoving: boolean;
}

/** The layout where the user of the connection may not read it. */
const UNKNOWN: Layout = { text: undefined, slots: 0, isMoving: true };

/**
 * The clients for the masters that a client for a Cluster knows.
 *
 * @param client The client.
 */
export function mastersOf(client: RedisClient): RedisClient[] {
  return client.nodes!("master");
}

/**
 * The nodes to which batches travel.
 *
 * @param client The client.
 * @param prefix What all names of the store start with.
 * @returns The nodes, or `undefined` if there is one, or if the client does not
 * tell which node has a slot.
 */
export function nodesOf(
  client: RedisClient,
  prefix: string,
): BatcherNodes | undefined {
  if (isOneSlot(client, prefix) || client.slots === undefined) return undefined;
  return {
    get size() {
      return mastersOf(client).length;
    },
    nodeOf: (id) => client.slots![slotOf(prefix + id)]?.[0],
  };
}

/**
 * Finds out the layout, and has the client find out about all masters.
 *
 * @param client The client.
 * @param commands Issues its commands.
 * @param anyKey A name in Redis, which need not exist.
 */
export async function layoutOf(
  client: RedisClient,
  commands: RedisCommands,
  anyKey: string,
): Promise<Layout> {
  // There are no nodes before the first command.
  if (mastersOf(client).length === 0) await commands.read("mget", [anyKey]);
  const known = await readLayout(client, commands);
  if (known.slots === SLOTS) return known;
  // The client has not heard yet of all masters.
  await commands.recover();
  return known === UNKNOWN ? known : await readLayout(client, commands);
}

/**
 * Whether no key can have moved between two times.
 *
 * @param before The layout at the first time.
 * @param after The layout at the second time.
 */
export function isWholeAndStill(before: Layout, after: Layout): boolean {
  return before.text !== undefined && before.text === after.text &&
    !before.isMoving;
}

async function readLayout(
  client: RedisClient,
  commands: RedisCommands,
): Promise<Layout> {
  let replies: unknown[];
  try {
    replies = await Promise.all(
      mastersOf(client).map((node) =>
        commands.read("cluster", ["NODES"], node)
      ),
    );
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return UNKNOWN;
  }
  let count = 0;
  let isMoving = false;
  const texts: string[] = [];
  for (const reply of replies) {
    const line = String(reply).split("\n").find((line) =>
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
  return { text: texts.sort().join("\n"), slots: count, isMoving };
}
