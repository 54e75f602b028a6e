/**
 * Gathers calls into batches, and keeps their order per key.
 *
 * @module
 */

import type { BatcherOptions } from "./batcher_options.ts";
import type { Call, CallListener, KvCall } from "./call.ts";
import { Deadline } from "./deadline.ts";
import { KvError, KvOutcomeUnknownError, KvOverloadError } from "../errors.ts";
import { Epoch } from "./epoch.ts";
import { Batch, Places } from "./places.ts";
import { type CallQueue, LaneQueue, SequentialQueue } from "./queue.ts";
import { nextTurn, TURN_BUDGET } from "./turn.ts";

export type { BatcherOptions };

/** `queueMicrotask` takes three times as long in some runtimes. */
const READY = Promise.resolve();

/** How often a tick may wait for more calls before it is dispatched. */
const MAX_HOPS = 8;

/** After how many synchronous calls to look at the clock. */
const CLOCK_INTERVAL = 16;

/*
 * When is a batch dispatched? A call is not handed to the driver at once, but
 * when the microtasks that are due have run: by then all calls of one
 * `Promise.all`, and those of all functions that go on because an earlier batch
 * was settled, are there. As functions differ in how many microtasks they take
 * from their answer to their next call, the batcher looks again as long as calls
 * came in since its last look, a few times at most. Only for a single call that
 * follows a single-call batch, with nothing travelling, one look is enough. And
 * a full batch leaves at once, so that the backend works while further calls are
 * made. No timer is involved (it would cost a millisecond), nor `setImmediate`,
 * which waits for all input and output.
 *
 * What may be in a batch? Unless the driver is sequential, its calls may be
 * executed in any order, and batches overtake each other. So a call waits as
 * long as an earlier one on its key travels or waits, unless both read
 * (`lanes.ts`).
 *
 * While as many batches as allowed travel, calls collect. So batches grow with
 * the load, and a slow backend gets fewer and larger ones.
 *
 * A synchronous driver would keep the event loop from its other work for as long
 * as callers go on calling. Every ten milliseconds, the loop gets its turn.
 *
 * When the backend has been silent for `timeout`, the calls of the silent batch
 * are rejected, and its place is free again. What the driver says about them
 * later is ignored. If no other batch hears from the backend either, everything
 * that is queued is rejected too: it would only wait for the same silence. So
 * it is if no call has succeeded for `timeout`, because connections break: calls
 * that wait for each other would fail one after another, for ever.
 */

/** Gathers calls into batches and hands them to a driver. */
export class Batcher<Stored> implements CallListener<Stored> {
  readonly #execute: (calls: KvCall<Stored>[]) => void | Promise<void>;
  readonly #maxCalls: number;
  readonly #sequential: boolean;
  readonly #maxPending: number;
  readonly #timeout: number;
  readonly #deadline: Deadline;

  readonly #queue: CallQueue<Stored>;
  readonly #places: Places<Stored>;
  #scheduled = false;
  #hops = 0;
  #seen = 0;
  #pending = 0;
  /** How often the backend was silent for too long. */
  #silences = 0;
  /** The number of calls in the last batch. */
  #lastLength = 1;
  /** What was executed synchronously since the last look at the clock. */
  #unclocked = 0;
  #turnStart = 0;
  #owesTurn = false;
  #epoch = new Epoch(Promise.resolve());

  constructor(
    execute: (calls: KvCall<Stored>[]) => void | Promise<void>,
    options: BatcherOptions,
  ) {
    const { maxCalls = 256, maxBytes = 1_048_576 } = options;
    this.#execute = execute;
    this.#maxCalls = maxCalls;
    this.#sequential = options.sequential ?? false;
    this.#places = new Places(
      this.#sequential ? 1 : options.concurrency ?? 8,
      options.nodes,
    );
    this.#maxPending = options.maxPending ?? Infinity;
    this.#timeout = options.timeout ?? Infinity;
    this.#queue = this.#sequential
      ? new SequentialQueue(maxCalls, maxBytes)
      : new LaneQueue(maxCalls, maxBytes);
    this.#deadline = new Deadline(
      this.#timeout,
      (silent) => this.#giveUp(silent as Batch<Stored>[]),
      () => this.#giveUpWaiting(),
    );
  }

  /** The number of calls that are not settled. */
  get pending(): number {
    return this.#pending;
  }

  /** Adds a call; its result is that of the call. */
  add(call: Call<Stored>): Promise<unknown> {
    if (this.#pending >= this.#maxPending) {
      call.reject(
        `${this.#pending} calls are pending already, as many as maxPending allows`,
        KvOverloadError,
      );
      return call.promise;
    }
    this.#pending++;
    this.#epoch.enter();
    call.epoch = this.#epoch;
    call.listener = this;
    this.#queue.push(call);
    // Once: what is left may wait for calls that travel, however many there are.
    if (
      this.#queue.length === this.#maxCalls && !this.#sequential &&
      !this.#owesTurn
    ) {
      this.#dispatch();
    }
    this.#schedule();
    return call.promise;
  }

  /**
   * Waits until every call that was added before is settled.
   *
   * @throws {Error} If the backend was silent for too long meanwhile.
   */
  async drained(): Promise<void> {
    const silences = this.#silences;
    const done = this.#epoch.seal();
    this.#epoch = new Epoch(done);
    await done;
    if (this.#silences > silences) throw this.#silence();
  }

  /** Why calls are rejected when the backend is silent. */
  #silence(): Error {
    return new Error(`the backend was silent for ${this.#timeout} ms`);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#hops = 0;
    this.#seen = 0;
    READY.then(this.#look);
  }

  readonly #look = (): void => {
    const { length } = this.#queue;
    const isSingle = length === 1 && this.#lastLength === 1 &&
      this.#places.size === 0;
    if (this.#owesTurn) {
      nextTurn(this.#takeTurn);
    } else if (
      length > this.#seen && length < this.#maxCalls &&
      this.#hops < MAX_HOPS && !isSingle
    ) {
      this.#seen = length;
      this.#hops++;
      READY.then(this.#look);
    } else {
      this.#scheduled = false;
      this.#dispatch();
    }
  };

  readonly #takeTurn = (): void => {
    this.#owesTurn = false;
    this.#turnStart = performance.now();
    this.#look();
  };

  #dispatch(): void {
    while (this.#places.areFree && this.#queue.length > 0) {
      const calls = this.#queue.take();
      if (calls.length === 0) return;
      this.#lastLength = calls.length;
      for (const batch of this.#places.split(calls)) {
        if (this.#places.mayTravel(batch)) this.#run(batch);
      }
      if (this.#owesTurn && this.#queue.length > 0) return this.#schedule();
    }
  }

  #run(batch: Batch<Stored>): void {
    const { calls } = batch;
    let running: void | Promise<void>;
    try {
      running = this.#execute(calls as unknown as KvCall<Stored>[]);
    } catch (error) {
      return Batch.rejectUnsettled(calls, error);
    }
    if (running === undefined) {
      Batch.rejectUnsettled(calls);
      return this.#clock(calls.length);
    }
    for (const call of calls) call.batch = batch;
    this.#places.add(batch);
    this.#deadline.add(batch);
    running.then(
      () => this.#finish(batch),
      (error) => this.#finish(batch, error),
    );
  }

  /** Looks at the clock now and then, and ends the turn when it is time. */
  #clock(calls: number): void {
    this.#unclocked += calls;
    if (this.#unclocked < CLOCK_INTERVAL) return;
    this.#unclocked = 0;
    if (performance.now() - this.#turnStart > TURN_BUDGET) {
      this.#owesTurn = true;
    }
  }

  #finish(batch: Batch<Stored>, error?: unknown): void {
    this.#deadline.delete(batch);
    if (!this.#places.delete(batch)) return;
    Batch.rejectUnsettled(batch.calls, error);
    this.#runHeld(batch);
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Runs what was held back for a place that a batch has left. */
  #runHeld({ node }: Batch<Stored>): void {
    for (
      let batch = this.#places.next(node);
      batch !== undefined;
      batch = this.#places.next(node)
    ) this.#run(batch);
  }

  /** Rejects the calls of batches that hear nothing from the backend. */
  #giveUp(silent: readonly Batch<Stored>[]): void {
    for (const batch of silent) this.#places.delete(batch);
    const waiting = this.#places.size === 0
      ? this.#takeAll()
      : silent.flatMap(({ calls, node }) => {
        const held = this.#places.takeHeld(node);
        const others = [...calls, ...held].flatMap(({ id }) =>
          this.#queue.takeWaiting(id)
        );
        return [...held, ...others];
      });
    const reason = this.#silence();
    this.#silences++;
    for (const { calls } of silent) {
      for (const call of calls) {
        call.abandon(
          reason,
          call.kind === "get" ? KvError : KvOutcomeUnknownError,
        );
      }
    }
    for (const call of waiting) call.abandon(reason, KvError);
    for (const batch of silent) this.#runHeld(batch);
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Takes out everything that does not travel. */
  #takeAll(): Call<Stored>[] {
    return [...this.#places.takeAllHeld(), ...this.#queue.takeAll()];
  }

  /** Rejects what waits while every call fails, however fast each one does. */
  #giveUpWaiting(): void {
    const reason = new Error(`no call succeeded for ${this.#timeout} ms`);
    for (const call of this.#takeAll()) call.abandon(reason, KvError);
  }

  /** Frees the key of a call that is settled, for those that wait for it. */
  callSettled(call: Call<Stored>, error?: unknown): void {
    this.#pending--;
    call.epoch!.leave();
    if (call.batch !== undefined) call.batch.alive = true;
    if (call.kind === "get") this.#queue.learn(call.foundBytes);
    if (error === undefined) this.#deadline.hasSucceeded = true;
    if (this.#sequential) return;
    const isOver = this.#settleReplaced(call, error);
    if (!isOver || this.#queue.settle(call)) this.#schedule();
  }

  /**
   * Settles the writes that a call replaced.
   *
   * @returns Whether they are settled; the last one is applied after all if the
   * call was rejected.
   */
  #settleReplaced(call: Call<Stored>, error: unknown): boolean {
    let { replaced } = call;
    const isUnknown = error instanceof KvOutcomeUnknownError;
    const isRejected = error !== undefined && !isUnknown;
    if (isRejected && !call.isAbandoned && replaced !== undefined) {
      this.#queue.restore(replaced);
      return false;
    }
    while (replaced !== undefined) {
      const next: Call<Stored> | undefined = replaced.replaced;
      replaced.replaced = undefined;
      if (error === undefined) replaced.resolve();
      else {
        replaced.reject(
          (error as Error).cause,
          isUnknown ? KvOutcomeUnknownError : KvError,
        );
      }
      replaced = next;
    }
    return true;
  }
}
