/**
 * The calls that have not left yet.
 *
 * @module
 */

import type { Call } from "./call.ts";
import { Fifo } from "./fifo.ts";
import { laneName, Lanes } from "./lanes.ts";

/** How many of the last reads tell how many bytes the next one finds. */
const LAST_READS = 32;

/** How many bytes calls carry, or bring back as far as the last ones tell. */
class Bytes<Stored> {
  #found = 0;

  of(call: Call<Stored>): number {
    return call.kind === "get" ? call.bytes + this.#found : call.bytes;
  }

  learn(bytes: number): void {
    this.#found += (bytes - this.#found) / LAST_READS;
  }
}

/** Holds calls and makes batches of them, at constant cost per call. */
export interface CallQueue<Stored> {
  /** The number of calls that may leave. */
  readonly length: number;
  /** Adds a call. */
  push(call: Call<Stored>): void;
  /** Takes the next calls that may leave together. */
  take(): Call<Stored>[];
  /** Learns how many bytes a read has found. */
  learn(bytes: number): void;
  /** Notes that a call is settled; returns whether others may leave now. */
  settle(call: Call<Stored>): boolean;
  /** Takes back a write that another one had replaced. */
  restore(replaced: Call<Stored>): void;
  /** Takes out the calls that wait for a key. */
  takeWaiting(id: string): Call<Stored>[];
  /** Takes out everything. */
  takeAll(): Call<Stored>[];
}

/** The queue of a driver that executes calls in any order: see `lanes.ts`. */
export class LaneQueue<Stored> implements CallQueue<Stored> {
  readonly #maxCalls: number;
  readonly #maxBytes: number;
  readonly #lanes = new Lanes<Stored>();
  readonly #bytes = new Bytes<Stored>();
  /** The calls that have waited for their key, which is theirs now. */
  readonly #ready = new Fifo<Call<Stored>>();
  readonly #new = new Fifo<Call<Stored>>();

  constructor(maxCalls: number, maxBytes: number) {
    this.#maxCalls = maxCalls;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#ready.length + this.#new.length;
  }

  push(call: Call<Stored>): void {
    this.#new.push(call);
  }

  take(): Call<Stored>[] {
    const batch: Call<Stored>[] = [];
    let bytes = 0;
    while (batch.length < this.#maxCalls) {
      const queue = this.#ready.length > 0 ? this.#ready : this.#new;
      const call = queue.first;
      if (call === undefined) break;
      bytes += this.#bytes.of(call);
      if (bytes > this.#maxBytes && batch.length > 0) break;
      queue.shift();
      if (queue === this.#ready) this.#lanes.join(call, batch);
      else this.#lanes.enter(call, batch);
    }
    return batch;
  }

  learn(bytes: number): void {
    this.#bytes.learn(bytes);
  }

  settle(call: Call<Stored>): boolean {
    const ready = this.#lanes.settle(call);
    for (const call of ready) this.#ready.push(call);
    return ready.length > 0;
  }

  restore(replaced: Call<Stored>): void {
    this.#lanes.restore(replaced);
    this.#ready.push(replaced);
  }

  takeWaiting(id: string): Call<Stored>[] {
    return this.#lanes.takeWaiting(id);
  }

  takeAll(): Call<Stored>[] {
    return [
      ...this.#ready.drain(),
      ...this.#lanes.takeAllWaiting(),
      ...this.#new.drain(),
    ];
  }
}

/**
 * The queue of a driver that executes calls strictly in order. When many calls
 * wait, a read that no earlier write of its key waits before overtakes the rest.
 */
export class SequentialQueue<Stored> implements CallQueue<Stored> {
  readonly #maxCalls: number;
  readonly #maxBytes: number;
  readonly #calls = new Fifo<Call<Stored>>();
  readonly #bytes = new Bytes<Stored>();
  /** The reads that overtake. */
  readonly #reads = new Fifo<Call<Stored>>();
  /** The number of writes that wait, by key, while many calls wait. */
  #writes: Map<string, number> | undefined = undefined;
  /** Whether reads may overtake: not always, or writes might wait for ever. */
  #mayOvertake = true;

  constructor(maxCalls: number, maxBytes: number) {
    this.#maxCalls = maxCalls;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#calls.length + this.#reads.length;
  }

  push(call: Call<Stored>): void {
    if (this.#writes === undefined) {
      this.#calls.push(call);
      if (this.#calls.length > 2 * this.#maxCalls) this.#countWrites();
    } else if (
      call.kind === "get" && this.#mayOvertake &&
      !this.#writes.has(laneName(call.id))
    ) {
      this.#reads.push(call);
    } else {
      this.#calls.push(call);
      this.#count(call, 1);
    }
  }

  take(): Call<Stored>[] {
    if (this.#calls.length === 1 && this.#writes === undefined) {
      return this.#calls.drain();
    }
    const batch: Call<Stored>[] = [];
    const bytes = this.#takeFrom(this.#reads, batch, 0);
    this.#mayOvertake = this.#reads.length === 0 &&
      batch.length < this.#maxCalls;
    // A later write of the same key must not overtake a read.
    if (this.#reads.length > 0) return batch;
    this.#takeFrom(this.#calls, batch, bytes);
    if (this.#calls.length === 0) this.#writes = undefined;
    return batch;
  }

  /** Moves calls into a batch; returns how many bytes it has then. */
  #takeFrom(
    queue: Fifo<Call<Stored>>,
    batch: Call<Stored>[],
    bytes: number,
  ): number {
    while (batch.length < this.#maxCalls && queue.length > 0) {
      bytes += this.#bytes.of(queue.first!);
      if (bytes > this.#maxBytes && batch.length > 0) break;
      const call = queue.shift()!;
      this.#count(call, -1);
      batch.push(call);
    }
    return bytes;
  }

  learn(bytes: number): void {
    this.#bytes.learn(bytes);
  }

  settle(): boolean {
    return false;
  }

  restore(): void {
    throw new Error("a sequential driver executes every write");
  }

  takeWaiting(): Call<Stored>[] {
    return [];
  }

  takeAll(): Call<Stored>[] {
    this.#writes = undefined;
    return [...this.#reads.drain(), ...this.#calls.drain()];
  }

  #countWrites(): void {
    this.#writes = new Map();
    for (const call of this.#calls) this.#count(call, 1);
  }

  #count({ kind, id }: Call<Stored>, change: 1 | -1): void {
    if (this.#writes === undefined || kind === "get") return;
    const name = laneName(id);
    const count = (this.#writes.get(name) ?? 0) + change;
    if (count === 0) this.#writes.delete(name);
    else this.#writes.set(name, count);
  }
}
