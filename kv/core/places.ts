/**
 * The places of batches that travel.
 *
 * @module
 */

import type { Call } from "./call.ts";
import type { Waiting } from "./deadline.ts";
import { KvOutcomeUnknownError } from "../errors.ts";
import { Fifo } from "./fifo.ts";

/**
 * The nodes of a backend that can fail one by one.
 *
 * @example Usage
 * ```ts
 * import type { BatcherNodes } from "@org/kv/driver";
 *
 * const nodes: BatcherNodes = {
 *   size: 2,
 *   nodeOf: (id) => id < "m" ? "first" : "second",
 * };
 * ```
 */
export interface BatcherNodes {
  /** How many there are. */
  readonly size: number;
  /** Returns which one has a key, given as `encodeKey` encodes it. */
  nodeOf(id: string): unknown;
}

/** Calls that travel together. */
export class Batch<Stored> implements Waiting {
  alive = false;
  silence = 0;

  constructor(readonly calls: Call<Stored>[], readonly node: unknown) {}

  /** Rejects what a driver left unsettled: it may have been applied. */
  static rejectUnsettled(calls: readonly Call<unknown>[], error?: unknown) {
    for (const call of calls) {
      if (call.settled) continue;
      call.reject(
        error ?? new Error("the driver did not settle the call"),
        call.kind === "get" ? undefined : KvOutcomeUnknownError,
      );
    }
  }
}

/** What is on its way to one node. */
interface Node<Stored> {
  batches: number;
  /** Batches that wait for a place. Their keys are theirs already. */
  readonly held: Fifo<Call<Stored>[]>;
}

/*
 * Each node has places of its own. While one is silent, its batches are held
 * back, and those for other nodes pass.
 */

/** The batches that travel, and those that wait for a place on their node. */
export class Places<Stored> {
  readonly #concurrency: number;
  readonly #nodes: BatcherNodes | undefined;
  readonly #batches = new Set<Batch<Stored>>();
  readonly #byNode = new Map<unknown, Node<Stored>>();
  /** How many nodes have no place left. */
  #full = 0;

  constructor(concurrency: number, nodes: BatcherNodes | undefined) {
    this.#concurrency = concurrency;
    this.#nodes = nodes;
  }

  /** How many batches travel. */
  get size(): number {
    return this.#batches.size;
  }

  /** Whether there is a place, on one of the nodes at least. */
  get areFree(): boolean {
    return this.#nodes === undefined
      ? this.#batches.size < this.#concurrency
      : this.#full === 0 || this.#full < this.#nodes.size;
  }

  /** Makes batches of calls that were taken together, one for each node. */
  split(calls: Call<Stored>[]): Batch<Stored>[] {
    const nodes = this.#nodes;
    if (nodes === undefined) return [new Batch(calls, undefined)];
    if (calls.length === 1) {
      return [new Batch(calls, nodes.nodeOf(calls[0]!.id))];
    }
    return Array.from(
      Map.groupBy(calls, ({ id }) => nodes.nodeOf(id)),
      ([node, calls]) => new Batch(calls, node),
    );
  }

  /** Returns whether a batch may travel now; else it is held back. */
  mayTravel({ calls, node }: Batch<Stored>): boolean {
    if (this.#nodes === undefined) return true;
    const { batches, held } = this.#at(node);
    if (batches < this.#concurrency) return true;
    held.push(calls);
    return false;
  }

  /** Notes that a batch travels. */
  add(batch: Batch<Stored>): void {
    this.#batches.add(batch);
    if (this.#nodes === undefined) return;
    if (++this.#at(batch.node).batches === this.#concurrency) this.#full++;
  }

  /** Notes that a batch does not travel any more; returns whether it did. */
  delete(batch: Batch<Stored>): boolean {
    if (!this.#batches.delete(batch)) return false;
    if (this.#nodes === undefined) return true;
    if (this.#at(batch.node).batches-- === this.#concurrency) this.#full--;
    return true;
  }

  /** Takes out a batch that was held back for a place that is free now. */
  next(node: unknown): Batch<Stored> | undefined {
    const { batches, held } = this.#at(node);
    if (batches >= this.#concurrency || held.length === 0) return undefined;
    return new Batch(held.shift()!, node);
  }

  /** Takes out what is held back for a node to which nothing travels. */
  takeHeld(node: unknown): Call<Stored>[] {
    const { batches, held } = this.#at(node);
    return batches === 0 ? held.drain().flat() : [];
  }

  /** Takes out everything that is held back. */
  takeAllHeld(): Call<Stored>[] {
    return [...this.#byNode.values()].flatMap(({ held }) =>
      held.drain().flat()
    );
  }

  #at(node: unknown): Node<Stored> {
    let found = this.#byNode.get(node);
    if (found === undefined) {
      found = { batches: 0, held: new Fifo() };
      this.#byNode.set(node, found);
    }
    return found;
  }
}
