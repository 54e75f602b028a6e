/**
 * The entries of the memory store: a trie with one level for each of the first
 * parts of a key, so that a prefix is a subtree. What follows is one encoded
 * name: a key of thousands of parts costs no more than a long one.
 *
 * @module
 */

import { decodeKey, encodeKey } from "../core/key.ts";
import { hashableOf, nameOf } from "./hashable.ts";
import { NOT_READY, type Place, SortedNames } from "./sorted_names.ts";

/** How many levels there are. */
export const LEVELS = 8;

/** How many deleted names may remain, besides as many as there are children. */
const MAX_DELETED = 512;

/** A node: the entry at its key, if any, and the nodes below. */
export class Node<Entry> {
  /** The entry at the node's key. */
  entry: Entry | undefined = undefined;
  /** The name of the only child, and the child, which need no `Map`. */
  #name: string | undefined = undefined;
  #child: Node<Entry> | undefined = undefined;
  #children: Map<string | number, Node<Entry>> | undefined = undefined;
  /** The names of the children, and of deleted ones, once they were listed. */
  #names: SortedNames | undefined = undefined;
  #deleted = 0;

  /** The node below, one name further on. */
  child(name: string): Node<Entry> | undefined {
    return this.#children !== undefined
      ? this.#children.get(hashableOf(name))
      : this.#name === name
      ? this.#child
      : undefined;
  }

  /** The node below, made if it is missing. */
  ensureChild(name: string): Node<Entry> {
    let child = this.child(name);
    if (child === undefined) {
      child = new Node();
      this.#add(name, child);
    }
    return child;
  }

  #add(name: string, child: Node<Entry>): void {
    if (this.#children === undefined) {
      if (this.#child === undefined) {
        this.#name = name;
        this.#child = child;
        return;
      }
      this.#children = new Map([[hashableOf(this.#name!), this.#child]]);
      this.#name = this.#child = undefined;
    }
    this.#children.set(hashableOf(name), child);
    this.#names?.add(name);
  }

  /**
   * Removes the node below if it has neither an entry nor children.
   *
   * @returns Whether it was removed.
   */
  prune(name: string): boolean {
    if (!this.child(name)?.isEmpty) return false;
    if (this.#children === undefined) {
      this.#name = this.#child = undefined;
      return true;
    }
    const children = this.#children;
    children.delete(hashableOf(name));
    if (
      this.#names !== undefined &&
      ++this.#deleted > children.size + MAX_DELETED
    ) this.#names = undefined;
    if (children.size === 0) this.#children = this.#names = undefined;
    return true;
  }

  /** Whether nothing is here nor below. */
  get isEmpty(): boolean {
    return this.entry === undefined && this.#child === undefined &&
      this.#children === undefined;
  }

  /** The names of the children; pauses now and then while collecting them. */
  *sortedNames(): Generator<undefined, SortedNames> {
    if (this.#names !== undefined) return this.#names;
    const names = new SortedNames();
    if (this.#children === undefined) {
      if (this.#name !== undefined) names.add(this.#name);
      return names;
    }
    const children = this.#children;
    // It also visits the children that are added meanwhile.
    yield* names.addAll(children.keys().map(nameOf));
    if (this.#children !== children) return yield* this.sortedNames();
    this.#deleted = 0;
    return this.#names = names;
  }

  /** Whether these are the names of the children. */
  hasNames(names: SortedNames | undefined): names is SortedNames {
    return names !== undefined && names === this.#names;
  }
}

/** Walks the names of the children of a node, which may change meanwhile. */
export class Names {
  readonly #node: Node<unknown>;
  readonly #reverse: boolean;
  #names: SortedNames | undefined = undefined;
  #version = 0;
  #place: Place = { leaf: 0, index: 0 };
  #last: string | undefined;
  #inclusive: boolean;

  /**
   * @param node The node.
   * @param from Where to begin; with the first or the last name if `undefined`.
   * @param reverse Whether to walk from the last name to the first.
   * @param inclusive Whether to begin with the name itself.
   */
  constructor(
    node: Node<unknown>,
    from: string | undefined,
    reverse: boolean,
    inclusive: boolean,
  ) {
    this.#node = node;
    this.#last = from;
    this.#reverse = reverse;
    this.#inclusive = inclusive;
  }

  /** The next name, if any, or `NOT_READY` before {@linkcode Names.prepare}. */
  next(): string | undefined | typeof NOT_READY {
    const names = this.#names;
    if (!this.#node.hasNames(names) || names.version !== this.#version) {
      return NOT_READY;
    }
    return this.#note(names.step(this.#place, this.#reverse));
  }

  /** Finds the next name; pauses now and then. */
  *prepare(): Generator<undefined, string | undefined | typeof NOT_READY> {
    const names = yield* this.#node.sortedNames();
    this.#names = names;
    this.#place = yield* names.seek(
      this.#last,
      this.#reverse,
      this.#inclusive,
    );
    this.#version = names.version;
    return this.#note(names.step(this.#place, this.#reverse));
  }

  #note(name: string | undefined | typeof NOT_READY) {
    if (typeof name === "string") {
      this.#last = name;
      this.#inclusive = false;
    }
    return name;
  }
}

/** The names of the nodes that lead to a key. */
export function namesOf(key: readonly string[]): readonly string[] {
  return key.length < LEVELS
    ? key
    : [...key.slice(0, LEVELS - 1), encodeKey(key.slice(LEVELS - 1))];
}

/** The key of a node. */
export function keyOf(names: readonly string[]): string[] {
  return names.length < LEVELS
    ? names.slice()
    : [...names.slice(0, LEVELS - 1), ...decodeKey(names[LEVELS - 1]!)];
}
