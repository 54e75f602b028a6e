/**
 * The calls of one tick, handed to a driver in call order.
 *
 * @module
 */

import type { KvCall, KvCallListener } from "./call.ts";
import { KvOutcomeUnknownError } from "../errors.ts";

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
   * The most calls in a batch. Unless the driver is sequential, a batch that has
   * as many is carried out at once; others wait until the tick is over.
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

/** `queueMicrotask` takes three times as long in some runtimes. */
const READY = Promise.resolve();

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
 * came in since its last look, a few times at most. Only a lone call that comes
 * after a lone call, with nothing under way, is not looked after again. And a full
 * batch leaves at once, so that the backend works while further calls are made.
 * No timer is involved (it would cost a millisecond), nor `setImmediate`, which
 * waits behind all input and output.
 *
 * What may be in a batch? Unless the driver is sequential, its calls may be
 * carried out in any order, and batches overtake each other. So a call waits as
 * long as an earlier one on its key is under way or waiting, unless both read.
 * There is one exception: a write right behind another write of the same key
 * replaces it, and both are settled together, as nobody can have seen the first.
 * If the second is refused, the first is still carried out, since it might have
 * succeeded; if nobody knows whether it was made, the same is true of the first,
 * which must not come after it.
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
  readonly #underWay: UnderWay<Stored>[] = [];
  #scheduled = false;
  #hops = 0;
  #seen = 0;
  #callsThisTurn = 0;
  /** The number of calls in the last batch. */
  #lastLength = 1;
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
    // Once: what is left may wait for calls under way, however many there are.
    if (
      this.#queue.length === this.#maxCalls && !this.#sequential &&
      this.#callsThisTurn < CALLS_PER_TURN
    ) {
      this.#dispatch();
    }
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
    READY.then(this.#look);
  }

  readonly #look = () => {
    const { length } = this.#queue;
    const isLone = length === 1 && this.#lastLength === 1 &&
      this.#underWay.length === 0;
    if (
      length > this.#seen && length < this.#maxCalls &&
      this.#hops < MAX_HOPS && !isLone
    ) {
      this.#seen = length;
      this.#hops++;
      READY.then(this.#look);
    } else if (this.#callsThisTurn >= CALLS_PER_TURN) {
      this.#callsThisTurn = 0;
      nextTurn(this.#look);
    } else {
      this.#scheduled = false;
      this.#dispatch();
    }
  };

  #dispatch() {
    while (
      this.#underWay.length < this.#concurrency && this.#queue.length > 0
    ) {
      const batch = this.#sequential ? this.#takeFirst() : this.#takeFree();
      if (batch.calls.length === 0) return;
      this.#callsThisTurn += batch.calls.length;
      this.#lastLength = batch.calls.length;
      this.#underWay.push(batch);
      this.#run(batch);
      if (this.#callsThisTurn >= CALLS_PER_TURN && this.#queue.length > 0) {
        return this.#schedule();
      }
    }
  }

  #run(batch: UnderWay<Stored>) {
    let running: void | Promise<void>;
    try {
      running = this.#execute(batch.calls);
    } catch (error) {
      return this.#finish(batch, error);
    }
    if (running === undefined) return this.#finish(batch);
    running.then(
      () => this.#finish(batch),
      (error) => this.#finish(batch, error),
    );
  }

  #finish(batch: UnderWay<Stored>, error?: unknown) {
    for (const call of batch.calls) {
      if (!call.settled) {
        call.reject(error ?? new Error("the driver did not settle the call"));
      }
    }
    this.#underWay.splice(this.#underWay.indexOf(batch), 1);
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Takes the first calls, in order. */
  #takeFirst(): UnderWay<Stored> {
    const queue = this.#queue;
    let taken = 0;
    let bytes = 0;
    while (taken < queue.length && taken < this.#maxCalls) {
      bytes += queue[taken]!.bytes;
      if (bytes > this.#maxBytes && taken > 0) break;
      taken++;
    }
    this.#queue = taken === queue.length ? [] : queue.slice(taken);
    return new UnderWay(taken === queue.length ? queue : queue.slice(0, taken));
  }

  /** Takes the first calls whose keys are free. */
  #takeFree(): UnderWay<Stored> {
    const queue = this.#queue;
    if (queue.length === 1) return this.#takeOne(queue);
    const batch = new UnderWay<Stored>();
    const left: KvCall<Stored>[] = [];
    let leftKeys: Set<string> | undefined;
    let bytes = 0;
    let i = 0;
    for (
      ;
      i < queue.length && batch.calls.length < this.#maxCalls &&
      left.length < 4 * this.#maxCalls;
      i++
    ) {
      const call = queue[i]!;
      const isNext = leftKeys === undefined || !leftKeys.has(call.id);
      const earlier = isNext ? batch.write(call.id) : undefined;
      if (earlier !== undefined && isBlind(earlier) && isBlind(call)) {
        bytes += call.bytes;
        batch.replace(earlier, call);
      } else if (
        isNext && earlier === undefined && !batch.isBefore(call) &&
        !this.#isBefore(call)
      ) {
        bytes += call.bytes;
        if (bytes > this.#maxBytes && batch.calls.length > 0) break;
        batch.add(call);
      } else {
        left.push(call);
        leftKeys ??= new Set();
        leftKeys.add(call.id);
      }
    }
    this.#queue = i === queue.length ? left : left.concat(queue.slice(i));
    return batch;
  }

  #takeOne(queue: KvCall<Stored>[]): UnderWay<Stored> {
    const batch = new UnderWay<Stored>();
    if (this.#isBefore(queue[0]!)) return batch;
    batch.add(queue[0]!);
    this.#queue = [];
    return batch;
  }

  /** Whether a call has to wait for one that is under way. */
  #isBefore(call: KvCall<Stored>): boolean {
    for (const batch of this.#underWay) {
      if (batch.isBefore(call)) return true;
    }
    return false;
  }

  /** Frees the key of a call that is settled, for those that wait for it. */
  callSettled(call: KvCall<Stored>, error?: unknown): void {
    (call.epoch as Epoch).leave();
    if (this.#sequential) return;
    (call.underWay as UnderWay<Stored> | undefined)?.forget(call);
    let { replaced } = call;
    const isUnknown = error instanceof KvOutcomeUnknownError;
    if (error !== undefined && !isUnknown && replaced !== undefined) {
      this.#queue.unshift(replaced);
      return this.#schedule();
    }
    while (replaced !== undefined) {
      const next: KvCall<Stored> | undefined = replaced.replaced;
      replaced.replaced = undefined;
      if (isUnknown) {
        replaced.reject(replaced.failure(error.cause, KvOutcomeUnknownError));
      } else {
        replaced.resolve();
      }
      replaced = next;
    }
  }
}

/** Whether a call overwrites whatever is there. */
function isBlind({ kind }: KvCall<unknown>): boolean {
  return kind === "set" || kind === "delete";
}

/** A batch, and which keys its calls that are not settled read and write. */
class UnderWay<Stored> {
  readonly calls: KvCall<Stored>[];
  #reads = 0;
  #writes = 0;
  /** The number of reads of each key; made when it is asked for. */
  #readsOf: Map<string, number> | undefined = undefined;
  /** The write or swap of each key; made when it is asked for. */
  #writeOf: Map<string, KvCall<Stored>> | undefined = undefined;

  constructor(calls: KvCall<Stored>[] = []) {
    this.calls = calls;
  }

  add(call: KvCall<Stored>) {
    this.calls.push(call);
    call.underWay = this;
    if (call.kind === "get") {
      this.#reads++;
      if (this.#readsOf !== undefined) this.#count(call.id, 1);
    } else {
      this.#writes++;
      this.#writeOf?.set(call.id, call);
    }
  }

  /** Puts a write in the place of an earlier one of the same key. */
  replace(earlier: KvCall<Stored>, later: KvCall<Stored>) {
    this.calls[this.calls.indexOf(earlier)] = later;
    earlier.underWay = undefined;
    later.underWay = this;
    later.replaced = earlier;
    this.#writeOf?.set(later.id, later);
  }

  /** Takes note that a call is settled. */
  forget({ id, kind }: KvCall<Stored>) {
    if (kind !== "get") {
      this.#writes--;
    } else {
      this.#reads--;
      if (this.#readsOf !== undefined) this.#count(id, -1);
    }
  }

  /** Whether a call has to wait for one of these. */
  isBefore({ id, kind }: KvCall<Stored>): boolean {
    return this.write(id) !== undefined || kind !== "get" && this.#isRead(id);
  }

  /** The write or swap of a key. */
  write(id: string): KvCall<Stored> | undefined {
    if (this.#writes === 0) return undefined;
    this.#writeOf ??= new Map(
      this.calls.filter(isWrite).map((call) => [call.id, call]),
    );
    const call = this.#writeOf.get(id);
    return call?.settled ? undefined : call;
  }

  #isRead(id: string): boolean {
    if (this.#reads === 0) return false;
    if (this.#readsOf === undefined) {
      this.#readsOf = new Map();
      for (const call of this.calls) {
        if (!isWrite(call) && !call.settled) this.#count(call.id, 1);
      }
    }
    return this.#readsOf.has(id);
  }

  #count(id: string, change: 1 | -1) {
    const count = (this.#readsOf!.get(id) ?? 0) + change;
    if (count === 0) this.#readsOf!.delete(id);
    else this.#readsOf!.set(id, count);
  }
}

function isWrite({ kind }: KvCall<unknown>): boolean {
  return kind !== "get";
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
