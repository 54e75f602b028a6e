/**
 * Walking the entries of the memory store in key order.
 *
 * @module
 */

import { keyRange } from "../core/key.ts";
import { NOT_READY } from "./sorted_names.ts";
import { keyOf, LEVELS, Names, namesOf, type Node } from "./trie.ts";

/** Where to walk. */
export interface Walk {
  /** The parts that all keys start with. */
  readonly prefix: readonly string[];
  /** The key to continue after, which starts with the prefix. */
  readonly after: readonly string[] | undefined;
  /** Whether to walk from the last key to the first. */
  readonly reverse: boolean;
}

/** What a walk yields: a key and its node, or `undefined` for a pause. */
export type Step<Entry> = [key: string[], node: Node<Entry>] | undefined;

/**
 * Walks the nodes with an entry. The trie may change between two steps.
 *
 * @param root The root of the trie.
 * @param walk Where to walk.
 */
export function* walk<Entry>(
  root: Node<Entry>,
  { prefix, after, reverse }: Walk,
): Generator<Step<Entry>> {
  const names = prefix.slice(0, LEVELS - 1);
  let node: Node<Entry> | undefined = root;
  for (const name of names) node = node?.child(name);
  if (node === undefined) return;
  const from = after === undefined ? undefined : namesOf(after);
  yield* prefix.length < LEVELS
    ? walkBelow(node, names, from, reverse)
    : walkRange(node, names, prefix.slice(LEVELS - 1), from?.at(-1), reverse);
}

/** Walks a node and all below, from the one at `from` on, without it. */
function* walkBelow<Entry>(
  node: Node<Entry>,
  names: readonly string[],
  from: readonly string[] | undefined,
  reverse: boolean,
): Generator<Step<Entry>> {
  const level = names.length;
  const isFrom = from !== undefined && from.length === level;
  // A node comes before all below it, or, in reverse, after them.
  if (!reverse && from === undefined && node.entry !== undefined) {
    yield [keyOf(names), node];
  }
  if (!(reverse && isFrom)) {
    const start = isFrom ? undefined : from?.[level];
    const first = start === undefined ? undefined : node.child(start);
    if (first !== undefined) {
      yield* walkBelow(first, [...names, start!], from, reverse);
    }
    const children = new Names(node, start, reverse, false);
    while (true) {
      let name = children.next();
      while (name === NOT_READY) name = yield* children.prepare();
      if (name === undefined) break;
      const child = node.child(name);
      if (child === undefined) continue;
      yield* walkBelow(child, [...names, name], undefined, reverse);
    }
  }
  if (reverse && !isFrom && node.entry !== undefined) {
    yield [keyOf(names), node];
  }
}

/** Walks those children on the last level that start with a prefix. */
function* walkRange<Entry>(
  node: Node<Entry>,
  names: readonly string[],
  rest: readonly string[],
  after: string | undefined,
  reverse: boolean,
): Generator<Step<Entry>> {
  const { start, end } = keyRange(rest);
  const children = new Names(
    node,
    after ?? (reverse ? end : start),
    reverse,
    after === undefined && !reverse,
  );
  while (true) {
    let name = children.next();
    while (name === NOT_READY) name = yield* children.prepare();
    if (name === undefined) return;
    if (name !== start && !name.startsWith(`${start}!`)) return;
    const child = node.child(name);
    if (child?.entry !== undefined) yield [keyOf([...names, name]), child];
  }
}
