/**
 * The calls of one tick, handed to a driver in call order.
 *
 * @module
 */

import type { KvCall, KvCallListener } from "./call.ts";

/**
 * How calls are put together.
 *
 * @example Usage
 * ```ts
 * import type { BatchOptions } from "@org/kv/driver";
 *
 * const options: BatchOptions = { maxCalls: 100, concurrency: 1 };
 * ```
 */
export interface BatchOptions {
  /**
   * The most calls in a batch.
   *
   * @default {256}
   */
  readonly maxCalls?: number;
  /**
   * About how many bytes a batch may carry; a single call may carry more.
   *
   * @default {1048576}
   */
  readonly maxBytes?: number;
  /**
   * How many batches may be under way at once. Calls that come while all are
   * under way wait, and then travel together.
   *
   * @default {8}
   */
  readonly concurrency?: number;
  /**
   * Whether the driver executes the calls of a batch strictly one after the
   * other. Then a batch may hold any calls of a key, and one batch is under way
   * at a time.
   *
   * @default {false}
   */
  readonly sequential?: boolean;
}

/** How often a tick may wait for more calls before it is dispatched. */
const MAX_HOPS = 8;

/** After how many calls timers and other events get their turn. */
const CALLS_PER_TURN = 4096;

/*
 * When is a batch dispatched? A call is not handed to the driver at once, but
 * when the microtasks that are due have run: by then all calls of one
 * `Promise.all`, and those of all functions that go on because an earlier batch
 * was settled, are there. As functions differ in how many microtasks they take
 * from their answer to their next call, the batch looks again as long as calls
 * came in since its last look, a few times at most. That costs a lone call two
 * microtasks, a fraction of a microsecond. No timer is involved (it would cost a
 * millisecond), nor `setImmediate`, which waits behind all input and output.
 *
 * What may be in a batch? Unless the driver is sequential, its calls may be
 * carried out in any order, and batches overtake each other. So a call waits as
 * long as an earlier one on its key is under way or waiting, unless both read.
 * There is one exception: a write right behind another write of the same key
 * replaces it, and both are settled together, as nobody can have seen the first.
 * If the second is refused, the first is still carried out, since it might have
 * succeeded.
 *
 * While as many batches as allowed are under way, calls collect. So batches grow
 * with the load by themselves, and a slow backend gets fewer and larger ones.
 *
 * A synchronous driver would keep the event loop from its other work for as long
 * as callers go on calling: every few thousand calls, the loop gets its turn.
 */

/** Gathers calls into batches and keeps their order per key. */
export class Batch<Stored> implements KvCallListener<Stored> {
  readonly #execute: (calls: KvCall<Stored>[]) => void | Promise<void>;
  readonly #maxCalls: number;
  readonly #maxBytes: number;
  readonly #concurrency: number;
  readonly #sequential: boolean;

  #queue: KvCall<Stored>[] = [];
  #underWay = 0;
  #scheduled = false;
  #hops = 0;
  #seen = 0;
  #callsThisTurn = 0;
  /** The number of readers of each key that are under way, or -1 for a writer. */
  readonly #busy = new Map<string, number>();
  #epoch = new Epoch(Promise.resolve());

  constructor(
    execute: (calls: KvCall<Stored>[]) => void | Promise<void>,
    options: BatchOptions,
  ) {
    this.#execute = execute;
    this.#maxCalls = options.maxCalls ?? 256;
    this.#maxBytes = options.maxBytes ?? 1_048_576;
    this.#sequential = options.sequential ?? false;
    this.#concurrency = this.#sequential ? 1 : options.concurrency ?? 8;
  }

  /** Adds a call; its result is that of the call. */
  add(call: KvCall<Stored>): Promise<unknown> {
    this.#epoch.enter();
    call.epoch = this.#epoch;
    call.listener = this;
    this.#queue.push(call);
    this.#schedule();
    return call.promise;
  }

  /** Waits until every call that was added before is settled. */
  async drained(): Promise<void> {
    const { done } = this.#epoch;
    this.#epoch = new Epoch(this.#epoch.seal());
    await done;
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#hops = 0;
    this.#seen = 0;
    queueMicrotask(this.#look);
  }

  readonly #look = () => {
    const { length } = this.#queue;
    if (
      length > this.#seen && length < this.#maxCalls && this.#hops < MAX_HOPS
    ) {
      this.#seen = length;
      this.#hops++;
      queueMicrotask(this.#look);
    } else if (this.#callsThisTurn >= CALLS_PER_TURN) {
      this.#callsThisTurn = 0;
      nextTurn(this.#look);
    } else {
      this.#scheduled = false;
      this.#dispatch();
    }
  };

  #dispatch() {
    while (this.#underWay < this.#concurrency && this.#queue.length > 0) {
      const calls = this.#sequential ? this.#takeFirst() : this.#takeFree();
      if (calls.length === 0) return;
      this.#callsThisTurn += calls.length;
      this.#underWay++;
      this.#run(calls);
      if (this.#callsThisTurn >= CALLS_PER_TURN && this.#queue.length > 0) {
        return this.#schedule();
      }
    }
  }

  #run(calls: KvCall<Stored>[]) {
    let running: void | Promise<void>;
    try {
      running = this.#execute(calls);
    } catch (error) {
      return this.#finish(calls, error);
    }
    if (running === undefined) return this.#finish(calls);
    running.then(
      () => this.#finish(calls),
      (error) => this.#finish(calls, error),
    );
  }

  #finish(calls: KvCall<Stored>[], error?: unknown) {
    for (const call of calls) {
      if (!call.settled) {
        call.reject(error ?? new Error("the driver did not settle the call"));
      }
    }
    this.#underWay--;
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Takes the first calls, in order. */
  #takeFirst(): KvCall<Stored>[] {
    const queue = this.#queue;
    let taken = 0;
    let bytes = 0;
    while (taken < queue.length && taken < this.#maxCalls) {
      bytes += queue[taken]!.bytes;
      if (bytes > this.#maxBytes && taken > 0) break;
      taken++;
    }
    if (taken === queue.length) {
      this.#queue = [];
      return queue;
    }
    this.#queue = queue.slice(taken);
    return queue.slice(0, taken);
  }

  /** Takes the first calls whose keys are free. */
  #takeFree(): KvCall<Stored>[] {
    const queue = this.#queue;
    if (queue.length === 1) return this.#takeOne(queue);
    const taken: KvCall<Stored>[] = [];
    const left: KvCall<Stored>[] = [];
    const leftKeys = new Set<string>();
    const writes = new Map<string, number>();
    let bytes = 0;
    let i = 0;
    for (
      ;
      i < queue.length && taken.length < this.#maxCalls &&
      left.length < 4 * this.#maxCalls;
      i++
    ) {
      const call = queue[i]!;
      const { id, kind } = call;
      const busy = this.#busy.get(id);
      const blind = kind === "set" || kind === "delete";
      const earlier = blind && !leftKeys.has(id) ? writes.get(id) : undefined;
      if (earlier !== undefined) {
        bytes += call.bytes;
        call.replaced = taken[earlier]!;
        taken[earlier] = call;
      } else if (
        leftKeys.has(id) ||
        (busy !== undefined && (kind !== "get" || busy < 0))
      ) {
        left.push(call);
        leftKeys.add(id);
      } else {
        bytes += call.bytes;
        if (bytes > this.#maxBytes && taken.length > 0) break;
        if (blind) writes.set(id, taken.length);
        this.#busy.set(id, kind === "get" ? (busy ?? 0) + 1 : -1);
        taken.push(call);
      }
    }
    this.#queue = i === queue.length ? left : left.concat(queue.slice(i));
    return taken;
  }

  #takeOne(queue: KvCall<Stored>[]): KvCall<Stored>[] {
    const { id, kind } = queue[0]!;
    const busy = this.#busy.get(id);
    if (busy !== undefined && (kind !== "get" || busy < 0)) return [];
    this.#busy.set(id, kind === "get" ? (busy ?? 0) + 1 : -1);
    this.#queue = [];
    return queue;
  }

  /** Frees the key of a call that is settled, for those that wait for it. */
  callSettled(call: KvCall<Stored>, failed: boolean): void {
    (call.epoch as Epoch).leave();
    if (this.#sequential) return;
    const { id } = call;
    const busy = this.#busy.get(id);
    if (busy !== undefined && busy > 1) this.#busy.set(id, busy - 1);
    else this.#busy.delete(id);
    let { replaced } = call;
    if (failed && replaced !== undefined) {
      this.#queue.unshift(replaced);
      return this.#schedule();
    }
    while (replaced !== undefined) {
      const next: KvCall<Stored> | undefined = replaced.replaced;
      replaced.replaced = undefined;
      replaced.resolve();
      replaced = next;
    }
  }
}

/** The calls between two barriers. */
class Epoch {
  #open = 0;
  #sealed = false;
  readonly #empty = Promise.withResolvers<void>();
  readonly done: Promise<void>;

  constructor(before: Promise<void>) {
    this.done = before.then(() => this.#empty.promise);
  }

  enter() {
    this.#open++;
  }

  leave() {
    this.#open--;
    this.#check();
  }

  /** No more calls enter. */
  seal(): Promise<void> {
    this.#sealed = true;
    this.#check();
    return this.done;
  }

  #check() {
    if (this.#sealed && this.#open === 0) this.#empty.resolve();
  }
}

/** Calls back when timers and other events had their turn. */
const nextTurn: (callback: () => void) => void =
  (globalThis as { setImmediate?: (callback: () => void) => void })
    .setImmediate ?? ((callback) => setTimeout(callback, 0));
