/**
 * The order of calls per key.
 *
 * @module
 */

import type { Call } from "./call.ts";
import { Fifo } from "./fifo.ts";

/*
 * A lane holds the calls of one key that are not settled: either reads, or one
 * write or swap, and, in order, the calls that wait for them. A key has a lane
 * only while it has such calls. So a call costs the same however many wait,
 * on its key or on others.
 *
 * Two kinds of calls need not travel:
 *
 * - A read of a key whose read is in the batch that is being filled follows that
 *   one, and gets the same answer, decoded once more.
 * - A write right after another write of the same key replaces it. Both are
 *   settled together, as nobody can have seen the first. If the second one is
 *   rejected, the first is applied after all, since it might have succeeded; if
 *   its outcome is unknown, so is that of the first.
 */
class Lane<Stored> {
  /** The number of reads that travel. */
  reads = 0;
  /** The write or swap that travels. */
  write: Call<Stored> | undefined = undefined;
  /** The batch that the latest travelling call was put into, and where. */
  batch: Call<Stored>[] | undefined = undefined;
  index = 0;
  /** The calls that wait. */
  waiting: Fifo<Call<Stored>> | undefined = undefined;
}

/** The lanes of all keys with calls that are not settled. */
export class Lanes<Stored> {
  readonly #lanes = new Map<string, Lane<Stored>>();

  /**
   * Puts a call into the batch that is being filled, or lets it wait for the
   * calls of its key before it.
   */
  enter(call: Call<Stored>, batch: Call<Stored>[]): void {
    const name = laneName(call.id);
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane();
      this.#lanes.set(name, lane);
    } else if (lane.waiting !== undefined) {
      lane.waiting.push(call);
      return;
    } else if (lane.batch === batch) {
      const latest = batch[lane.index]!;
      if (latest.kind === "get" && call.kind === "get") {
        return follow(latest, call);
      }
      if (isBlind(latest) && isBlind(call)) {
        replace(latest, call);
        lane.write = call;
        batch[lane.index] = call;
        return;
      }
    }
    if (lane.write !== undefined || call.kind !== "get" && lane.reads > 0) {
      (lane.waiting = new Fifo()).push(call);
      return;
    }
    travel(lane, call);
    join(lane, call, batch);
  }

  /** Puts a call into the batch that is being filled: its key is free for it. */
  join(call: Call<Stored>, batch: Call<Stored>[]): void {
    join(this.#lanes.get(laneName(call.id))!, call, batch);
  }

  /**
   * Takes a call out that is settled.
   *
   * @returns The calls that may travel now.
   */
  settle(call: Call<Stored>): Call<Stored>[] {
    if (!call.travels) return [];
    const name = laneName(call.id);
    const lane = this.#lanes.get(name)!;
    if (call.kind === "get") lane.reads--;
    else lane.write = undefined;
    if (lane.reads > 0) return [];
    if (lane.waiting !== undefined) return release(lane, lane.waiting);
    this.#lanes.delete(name);
    return [];
  }

  /** Lets a write that was replaced travel after all. */
  restore(replaced: Call<Stored>): void {
    travel(this.#lanes.get(laneName(replaced.id))!, replaced);
  }

  /** Takes out all calls that wait for their keys. */
  takeAllWaiting(): Call<Stored>[] {
    return [...this.#lanes.values()].flatMap(takeWaiting);
  }

  /** Takes out the calls that wait for a key. */
  takeWaiting(id: string): Call<Stored>[] {
    const lane = this.#lanes.get(laneName(id));
    return lane === undefined ? [] : takeWaiting(lane);
  }
}

/**
 * The name of a lane. V8 gives strings that look like an array index hashes that
 * are easy to make equal; no encoded key starts with a space.
 */
export function laneName(id: string): string {
  const unit = id.charCodeAt(0);
  return unit >= 0x30 && unit <= 0x39 ? ` ${id}` : id;
}

function takeWaiting<Stored>(lane: Lane<Stored>): Call<Stored>[] {
  const calls = lane.waiting?.drain() ?? [];
  lane.waiting = undefined;
  return calls;
}

function release<Stored>(
  lane: Lane<Stored>,
  waiting: Fifo<Call<Stored>>,
): Call<Stored>[] {
  let first = waiting.shift()!;
  if (first.kind === "get") {
    while (waiting.first?.kind === "get") follow(first, waiting.shift()!);
  } else if (isBlind(first)) {
    while (waiting.length > 0 && isBlind(waiting.first!)) {
      const next = waiting.shift()!;
      replace(first, next);
      first = next;
    }
  }
  if (waiting.length === 0) lane.waiting = undefined;
  lane.batch = undefined;
  travel(lane, first);
  return [first];
}

function join<Stored>(
  lane: Lane<Stored>,
  call: Call<Stored>,
  batch: Call<Stored>[],
): void {
  lane.batch = batch;
  lane.index = batch.length;
  batch.push(call);
}

function travel<Stored>(lane: Lane<Stored>, call: Call<Stored>): void {
  call.travels = true;
  if (call.kind === "get") lane.reads++;
  else lane.write = call;
}

function follow<Stored>(leader: Call<Stored>, call: Call<Stored>): void {
  (leader.followers ??= []).push(call);
}

function replace<Stored>(earlier: Call<Stored>, later: Call<Stored>): void {
  earlier.travels = false;
  later.travels = true;
  later.replaced = earlier;
}

/** Whether a call overwrites whatever is there. */
function isBlind({ kind }: Call<unknown>): boolean {
  return kind === "set" || kind === "delete";
}
