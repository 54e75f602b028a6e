/**
 * The entries of the memory store: a trie with one hop a key part, so that a
 * prefix is a subtree.
 *
 * @module
 */

import { OrderedMap } from "@js-sdsl/ordered-map";
import { compareStrings } from "../core/key.ts";

/** From this number of children on, their order is kept up by a sorted tree. */
const INDEX_FROM = 256;

/** What UTF-16 sorts otherwise than Unicode: surrogates, and what is behind. */
const UNLIKE_UTF16 = /[\ud800-\uffff]/;

/** A node: the entry at its key, if any, and the nodes below. */
export class Node<Entry> {
  /** The entry at the node's key. */
  entry: Entry | undefined = undefined;
  #children: Map<string, Node<Entry>> | undefined = undefined;
  /**
   * The children's names in order, from the first listing on: a tree that is
   * kept up, or, of a few, an array until they change.
   */
  #index: OrderedMap<string, undefined> | string[] | undefined = undefined;

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
      if (this.#index instanceof OrderedMap) {
        this.#index.setElement(part, undefined);
      } else {
        this.#index = undefined;
      }
    }
    return child;
  }

  /** Removes the node below if it has neither an entry nor children. */
  prune(part: string): void {
    const child = this.#children?.get(part);
    if (child === undefined || !child.isEmpty) return;
    this.#children!.delete(part);
    if (this.#index instanceof OrderedMap) {
      this.#index.eraseElementByKey(part);
    } else {
      this.#index = undefined;
    }
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
   * change between two steps. A key may have thousands of parts, too many to
   * recurse.
   *
   * @param prefix The key of this node.
   */
  *walk(prefix: readonly string[]): Generator<[string[], Node<Entry>]> {
    const key = [...prefix];
    if (this.entry !== undefined) yield [[...key], this];
    const path: { node: Node<Entry>; parts: Iterator<string> }[] = [
      { node: this, parts: this.#parts() },
    ];
    while (path.length > 0) {
      const { node, parts } = path.at(-1)!;
      key.length = prefix.length + path.length - 1;
      const next = parts.next();
      if (next.done) {
        path.pop();
        continue;
      }
      const child = node.#children?.get(next.value);
      if (child === undefined) continue;
      key.push(next.value);
      if (child.entry !== undefined) yield [[...key], child];
      path.push({ node: child, parts: child.#parts() });
    }
  }

  #parts(): Iterator<string> {
    if (this.#children === undefined) return [].values();
    if (this.#children.size >= INDEX_FROM) return this.#indexedParts();
    if (!Array.isArray(this.#index)) {
      this.#index = sorted([...this.#children.keys()]);
    }
    return this.#index.values();
  }

  *#indexedParts(): Generator<string> {
    if (!(this.#index instanceof OrderedMap)) {
      this.#index = new OrderedMap(
        Array.from(this.#children!.keys(), (part) => [part, undefined]),
        compareStrings,
      );
    }
    let next = this.#index.begin();
    while (next.isAccessible()) {
      const [part] = next.pointer;
      yield part;
      // It may be gone since, or another one.
      if (!(this.#index instanceof OrderedMap)) return yield* this.#after(part);
      next = this.#index.upperBound(part);
    }
  }

  /** The names behind one, when few children are left. */
  *#after(part: string): Generator<string> {
    for (const name of sorted([...this.#children?.keys() ?? []])) {
      if (compareStrings(name, part) > 0) yield name;
    }
  }
}

function sorted(parts: string[]): string[] {
  return parts.some((part) => UNLIKE_UTF16.test(part))
    ? parts.sort(compareStrings)
    : parts.sort();
}
