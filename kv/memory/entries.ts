/**
 * All entries of a memory store.
 *
 * @module
 */

import { noteSwept } from "../core/trace.ts";
import { equalValues } from "../core/equal.ts";
import { type Entry, ExpiringEntry } from "./entry.ts";
import { ExpiryQueue } from "./expiry_queue.ts";
import { TRAITS } from "./traits.ts";
import { namesOf, Node } from "./trie.ts";
import type { KvKey } from "../store.ts";

/** How many expired entries a write may remove. */
const WRITE_STEP = 32;

/** How many expired entries a step of a sweep may remove. */
const SWEEP_STEP = 256;

/** The entries by key, and the order in which they expire. */
export class Entries {
  /** The root of the trie. */
  readonly root: Node<Entry> = new Node<Entry>();
  readonly #expiring = new ExpiryQueue<ExpiringEntry>();
  #size = 0;

  /** The number of entries, with those that are expired but not removed. */
  get size(): number {
    return this.#size;
  }

  /** Finds an entry that is not expired. */
  find(key: KvKey): Entry | undefined {
    const names = namesOf(key);
    let node: Node<Entry> | undefined = this.root;
    for (let i = 0; i < names.length; i++) {
      node = node.child(names[i]!);
      if (node === undefined) return undefined;
    }
    const { entry } = node;
    return entry === undefined || entry.isExpired ? undefined : entry;
  }

  /** Writes or deletes an entry if its value is equal to another one. */
  swap(key: KvKey, expected: unknown, entry: Entry | undefined): boolean {
    if (!equalValues(this.find(key)?.value, expected)) return false;
    this.write(key, entry);
    return true;
  }

  /** Writes an entry, or deletes it, and removes some that are expired. */
  write(key: KvKey, entry: Entry | undefined): void {
    if (entry === undefined) {
      this.#delete(key);
    } else {
      const names = namesOf(key);
      let node = this.root;
      for (let i = 0; i < names.length; i++) {
        node = node.ensureChild(names[i]!);
      }
      if (node.entry !== undefined) this.#forget(node.entry);
      node.entry = entry;
      this.#size++;
      if (entry instanceof ExpiringEntry) this.#expiring.add(entry);
    }
    this.sweep(WRITE_STEP);
  }

  /** Removes up to a number of expired entries; returns how many. */
  sweep(limit = SWEEP_STEP): number {
    let { first } = this.#expiring;
    if (first === undefined) return 0;
    const now = Date.now();
    let removed = 0;
    while (removed < limit && first !== undefined && first.expiry <= now) {
      this.#delete(first.key);
      first = this.#expiring.first;
      removed++;
    }
    noteSwept(TRAITS, removed);
    return removed;
  }

  #delete(key: KvKey): void {
    const names = namesOf(key);
    const path = [this.root];
    for (const name of names) {
      const node = path.at(-1)!.child(name);
      if (node === undefined) return;
      path.push(node);
    }
    const last = path.pop()!;
    if (last.entry === undefined) return;
    this.#forget(last.entry);
    last.entry = undefined;
    for (let i = path.length - 1; i >= 0 && path[i]!.prune(names[i]!); i--);
  }

  #forget(entry: Entry): void {
    this.#size--;
    if (entry instanceof ExpiringEntry) this.#expiring.remove(entry);
  }
}
