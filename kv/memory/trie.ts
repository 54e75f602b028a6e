/**
 * The entries of the memory store: a trie with one hop a key part, so that a
 * prefix is a subtree.
 *
 * @module
 */

import { OrderedMap } from "@js-sdsl/ordered-map";
import { compareStrings } from "../key.ts";

/** Below this number of children, sorting them anew is cheaper than an index. */
const INDEX_FROM = 64;

/** A node: the entry at its key, if any, and the nodes below. */
export class Node<Entry> {
  /** The entry at the node's key. */
  entry: Entry | undefined = undefined;
  #children: Map<string, Node<Entry>> | undefined = undefined;
  /** The children's names in order, kept up from the first listing on. */
  #index: OrderedMap<string, undefined> | undefined = undefined;

  /** The node below, one part further on. */
  child(part: string): Node<Entry> | undefined {
    return this.#children?.get(part);
  }

  /** The node below, made if it is missing. */
  ensureChild(part: string): Node<Entry> {
    this.#children ??= new Map();
    let child = this.#children.get(part);
    if (child === undefined) {
      child = new Node();
      this.#children.set(part, child);
      this.#index?.setElement(part, undefined);
    }
    return child;
  }

  /** Removes the node below if it has neither an entry nor children. */
  prune(part: string): void {
    const child = this.#children?.get(part);
    if (child === undefined || !child.isEmpty) return;
    this.#children!.delete(part);
    this.#index?.eraseElementByKey(part);
    if (this.#children!.size === 0) {
      this.#children = undefined;
      this.#index = undefined;
    }
  }

  /** Whether nothing is here nor below. */
  get isEmpty(): boolean {
    return this.entry === undefined && this.#children === undefined;
  }

  /**
   * Walks the nodes with an entry, this one included, in key order. The trie may
   * change between two steps.
   *
   * @param key The key of this node.
   */
  *walk(key: readonly string[]): Generator<[string[], Node<Entry>]> {
    if (this.entry !== undefined) yield [[...key], this];
    for (const part of this.#parts()) {
      const child = this.#children?.get(part);
      if (child !== undefined) yield* child.walk([...key, part]);
    }
  }

  *#parts(): Generator<string> {
    if (this.#children === undefined) return;
    if (this.#children.size < INDEX_FROM) {
      yield* [...this.#children.keys()].sort(compareStrings);
      return;
    }
    this.#index ??= new OrderedMap(
      Array.from(this.#children.keys(), (part) => [part, undefined]),
      compareStrings,
    );
    let next = this.#index.begin();
    while (next.isAccessible()) {
      const [part] = next.pointer;
      yield part;
      // The index may have changed, or be gone, since.
      if (this.#index === undefined) return;
      next = this.#index.upperBound(part);
    }
  }
}
