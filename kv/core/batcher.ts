/**
 * Gathers calls into batches, and keeps their order per key.
 *
 * @module
 */

import type { Call, CallListener, KvCall } from "./call.ts";
import { Deadline, type Waiting } from "./deadline.ts";
import { KvError, KvOutcomeUnknownError, KvOverloadError } from "../errors.ts";
import { Epoch } from "./epoch.ts";
import { type CallQueue, LaneQueue, SequentialQueue } from "./queue.ts";
import { nextTurn, TURN_BUDGET } from "./turn.ts";

/**
 * How calls are put together.
 *
 * @example Usage
 * ```ts
 * import type { BatcherOptions } from "@org/kv/driver";
 *
 * const options: BatcherOptions = { maxCalls: 100, concurrency: 1 };
 * ```
 */
export interface BatcherOptions {
  /**
   * The most calls in a batch. Unless the driver is sequential, a batch that has
   * as many is executed at once; others wait until the tick is over.
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
   * How many batches may travel at once. Calls that come while all of them do
   * wait, and then travel together.
   *
   * @default {8}
   */
  readonly concurrency?: number;
  /**
   * Whether the driver executes the calls of a batch strictly one after the
   * other. Then a batch may hold any calls of a key, and one batch travels at a
   * time.
   *
   * @default {false}
   */
  readonly sequential?: boolean;
  /**
   * How long the backend may be silent, in milliseconds, before the calls that
   * wait for it are rejected. It limits silence, not work.
   *
   * @default {Infinity}
   */
  readonly timeout?: number;
  /**
   * How many calls may be pending. Further ones are rejected with a
   * `KvOverloadError`.
   *
   * @default {Infinity}
   */
  readonly maxPending?: number;
}

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
  readonly #concurrency: number;
  readonly #sequential: boolean;
  readonly #maxPending: number;
  readonly #timeout: number;
  readonly #deadline: Deadline;

  readonly #queue: CallQueue<Stored>;
  readonly #travelling = new Set<Batch<Stored>>();
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
    this.#concurrency = this.#sequential ? 1 : options.concurrency ?? 8;
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
      this.#travelling.size === 0;
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
    while (
      this.#travelling.size < this.#concurrency && this.#queue.length > 0
    ) {
      const calls = this.#queue.take();
      if (calls.length === 0) return;
      this.#lastLength = calls.length;
      this.#run(calls);
      if (this.#owesTurn && this.#queue.length > 0) return this.#schedule();
    }
  }

  #run(calls: Call<Stored>[]): void {
    let running: void | Promise<void>;
    try {
      running = this.#execute(calls as unknown as KvCall<Stored>[]);
    } catch (error) {
      return rejectUnsettled(calls, error);
    }
    if (running === undefined) {
      rejectUnsettled(calls);
      return this.#clock(calls.length);
    }
    const batch = new Batch(calls);
    for (const call of calls) call.batch = batch;
    this.#travelling.add(batch);
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
    if (!this.#travelling.delete(batch)) return;
    rejectUnsettled(batch.calls, error);
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Rejects the calls of batches that hear nothing from the backend. */
  #giveUp(silent: readonly Batch<Stored>[]): void {
    for (const batch of silent) this.#travelling.delete(batch);
    const waiting = this.#travelling.size === 0
      ? this.#queue.takeAll()
      : silent.flatMap(({ calls }) =>
        calls.flatMap(({ id }) => this.#queue.takeWaiting(id))
      );
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
    if (this.#queue.length > 0) this.#schedule();
  }

  /** Rejects what waits while every call fails, however fast each one does. */
  #giveUpWaiting(): void {
    const reason = new Error(`no call succeeded for ${this.#timeout} ms`);
    for (const call of this.#queue.takeAll()) call.abandon(reason, KvError);
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

/** Rejects what a driver left unsettled: it may have been applied. */
function rejectUnsettled(calls: readonly Call<unknown>[], error?: unknown) {
  for (const call of calls) {
    if (call.settled) continue;
    call.reject(
      error ?? new Error("the driver did not settle the call"),
      call.kind === "get" ? undefined : KvOutcomeUnknownError,
    );
  }
}

/** Calls that travel together. */
class Batch<Stored> implements Waiting {
  alive = false;
  silence = 0;

  constructor(readonly calls: Call<Stored>[]) {}
}
