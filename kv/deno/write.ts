/**
 * Writing entries of Deno KV: as many calls as possible in one commit, each
 * with its own outcome.
 *
 * @module
 */

import type { KvCall, KvCasCall } from "../core/call.ts";
import {
  ChunkCollector,
  type OwnChunks,
  ownChunks,
  removeChunks,
} from "./chunks.ts";
import type { DenoKvAtomic, DenoKvEntry } from "./client.ts";
import { asFound, chunksOf, type DenoValue, open } from "./codec.ts";
import { copyValue } from "../core/copy.ts";
import type { DenoDatabase } from "./database.ts";
import { fail, isLocked, LostCommit } from "./errors.ts";
import { load } from "./list.ts";
import { commitsOf, Write } from "./operation.ts";
import { retry } from "../core/retry.ts";

/** How many milliseconds there are at least between two looks for garbage. */
const COLLECT_INTERVAL = 1_000;

/** Another client wrote the entry first. */
const OVERTAKEN = new Error("other clients keep on writing the entry");

type Call = KvCall<DenoValue>;

/** Executes the writing calls of a store. */
export class DenoWriter {
  readonly #db: DenoDatabase;
  readonly #collector: ChunkCollector;
  #collected = -Infinity;

  constructor(db: DenoDatabase) {
    this.#db = db;
    this.#collector = new ChunkCollector(db);
  }

  /** Executes and settles calls, no two of them on the same key. */
  async execute(calls: readonly Call[]): Promise<void> {
    const writes = calls.map((call) => new Write(this.#db, call));
    // In the order of the keys, a local file finds neighbours on one page.
    if (writes.length > 1) {
      writes.sort((a, b) => a.call.id < b.call.id ? -1 : 1);
    }
    const now = performance.now();
    if (
      now - this.#collected >= COLLECT_INTERVAL ||
      writes.some(({ large }) => large !== undefined)
    ) {
      this.#collected = now;
      // What cannot be collected now will be by a later step.
      await this.#collector.step().catch(() => {});
    }
    const blind: Write[] = [];
    const large: Write[] = [];
    const creations: Write[] = [];
    const swaps: Write[] = [];
    for (const write of writes) {
      if (write.call.kind !== "cas") {
        (write.large === undefined ? blind : large).push(write);
      } else {
        (write.creates ? creations : swaps).push(write);
      }
    }
    const parts: Promise<void>[] = [];
    for (const group of commitsOf(blind)) parts.push(this.#write(group));
    if (large.length > 0) parts.push(this.#writeLarge(large));
    const conditional = creations.length + swaps.length;
    if (conditional > 0) {
      const checks = await this.#db.checksFor(conditional);
      for (const group of commitsOf(creations, checks)) {
        parts.push(this.#create(group));
      }
      for (const group of commitsOf(swaps, checks)) {
        parts.push(this.#swap(group));
      }
    }
    await (parts.length === 1 ? parts[0] : Promise.all(parts));
  }

  async #write(writes: readonly Write[]): Promise<void> {
    try {
      await this.#db.commit((atomic) => {
        for (const write of writes) write.addTo(atomic);
      });
    } catch (error) {
      return mayBeOfOne(writes, error)
        ? inHalves(writes, (half) => this.#write(half))
        : failAll(writes, error);
    }
    for (const { call } of writes) done(call);
  }

  async #writeLarge(writes: readonly Write[]): Promise<void> {
    for (const write of writes) {
      const large = write.large!;
      try {
        const entry = await this.#db.get(write.key);
        await large.stage();
        const ready = { write, entry, old: await ownChunks(this.#db, entry) };
        const isDone = await this.#db.swap((atomic) => replace(atomic, ready));
        if (!isDone) await large.assertStaged();
        done(write.call);
      } catch (error) {
        if (!(error instanceof LostCommit)) await large.undo();
        fail(write.call, error);
      }
    }
  }

  /** Swaps from nothing to something, which is mostly what is found. */
  async #create(writes: readonly Write[]): Promise<void> {
    try {
      const isDone = await this.#db.swap((atomic) => {
        for (const write of writes) {
          atomic.check({ key: write.key, versionstamp: null });
          write.addTo(atomic);
        }
      });
      if (!isDone) return this.#swap(writes);
    } catch (error) {
      return mayBeOfOne(writes, error)
        ? inHalves(writes, (half) => this.#create(half))
        : failAll(writes, error);
    }
    for (const { call } of writes) done(call);
  }

  /** Swaps together what can be; if one of them fails, in ever smaller groups. */
  async #swap(writes: readonly Write[]): Promise<void> {
    if (writes.length === 1) return this.#swapAlone(writes[0]!);
    const together: Ready[] = [];
    const alone: Write[] = [];
    try {
      await this.#db.inTens(writes, async (ten) => {
        const now = Date.now();
        const entries = await this.#db.getMany(ten.map(({ key }) => key));
        for (const [i, write] of ten.entries()) {
          const entry = entries[i]!;
          if (write.large !== undefined || chunksOf(entry.value)) {
            alone.push(write);
          } else if (isToBeMade(write.call, entry, now)) {
            together.push({ write, entry });
          }
        }
      });
    } catch (error) {
      return failAll(writes, error);
    }
    if (together.length > 0) await this.#swapTogether(together);
    for (const write of alone) await this.#swapAlone(write);
  }

  async #swapTogether(swaps: readonly Ready[]): Promise<void> {
    const writes = swaps.map(({ write }) => write);
    try {
      if (await this.#commitSwaps(swaps)) return;
    } catch (error) {
      if (!mayBeOfOne(writes, error)) return failAll(writes, error);
    }
    await inHalves(writes, (half) => this.#swap(half));
  }

  /**
   * Swaps one value. The attempt fails if another client writes the entry
   * between the read and the commit. If that client wrote an equal value, the
   * swap is still due, and is attempted again.
   */
  async #swapAlone(write: Write): Promise<void> {
    try {
      await retry(() => this.#attemptSwap(write), {
        ...this.#db.patience,
        isTransient: (error) => error === OVERTAKEN,
      });
    } catch (error) {
      if (!(error instanceof LostCommit)) await write.large?.undo();
      fail(write.call, error);
    }
  }

  async #attemptSwap(write: Write): Promise<void> {
    const call = write.call as KvCasCall<DenoValue>;
    const now = Date.now();
    const found = await this.#db.get(write.key);
    const { entry, stored } = await load(this.#db, found, now, call.key);
    if (!isExpected(call, stored)) return await write.large?.undo();
    await write.large?.stage();
    const old = await ownChunks(this.#db, entry);
    if (await this.#commitSwaps([{ write, entry, old }])) return;
    await write.large?.assertStaged();
    throw OVERTAKEN;
  }

  async #commitSwaps(swaps: readonly Ready[]): Promise<boolean> {
    const isDone = await this.#db.swap((atomic) => {
      for (const ready of swaps) {
        const { write: { key }, entry: { versionstamp } } = ready;
        atomic.check({ key, versionstamp });
        replace(atomic, ready);
      }
    });
    if (isDone) { for (const { write } of swaps) done(write.call); }
    return isDone;
  }
}

/** A call that writes, and the entry that it replaces. */
interface Ready {
  readonly write: Write;
  readonly entry: DenoKvEntry;
  /** The chunks of that entry, if there are any to delete. */
  readonly old?: OwnChunks | undefined;
}

/** Adds to a commit what is to be written, and deletes what it replaces. */
function replace(atomic: DenoKvAtomic, { write, old }: Ready): void {
  write.addTo(atomic);
  if (old !== undefined) removeChunks(atomic, old);
}

/** Settles a swap, unless what is there is as expected and to be replaced. */
function isToBeMade(write: Call, entry: DenoKvEntry, now: number): boolean {
  const call = write as KvCasCall<DenoValue>;
  try {
    const { stored } = open(entry, now, call.key);
    return isExpected(call, stored as DenoValue | undefined);
  } catch (error) {
    fail(call, error);
    return false;
  }
}

/** The same, of the whole value. */
function isExpected(
  call: KvCasCall<DenoValue>,
  stored: DenoValue | undefined,
): boolean {
  if (!matches(call, stored)) call.resolve(false);
  else if (call.value === undefined && stored === undefined) call.resolve(true);
  else return true;
  return false;
}

/** Whether a value is what a call expects, whoever wrote it. */
function matches(
  call: KvCasCall<DenoValue>,
  stored: DenoValue | undefined,
): boolean {
  if (call.matches(stored)) return true;
  if (stored === undefined || !("native" in stored)) return false;
  // Other programs may have written members that are undefined, or instances.
  try {
    const native = copyValue(stored.native).value;
    return native !== undefined && call.matches(asFound(native));
  } catch {
    return false;
  }
}

/** Settles a call whose write is committed. */
function done(call: Call): void {
  if (call.kind === "cas") call.resolve(true);
  else if (call.kind !== "get") call.resolve();
}

/** Whether an error of a commit may be due to only one of its members. */
function mayBeOfOne(writes: readonly Write[], error: unknown): boolean {
  return writes.length > 1 && !(error instanceof LostCommit) &&
    !isLocked(error);
}

function failAll(writes: readonly Write[], error: unknown): void {
  for (const { call } of writes) fail(call, error);
}

/** Executes two halves of what could not be executed together. */
async function inHalves(
  writes: readonly Write[],
  execute: (writes: readonly Write[]) => Promise<void>,
): Promise<void> {
  const middle = Math.ceil(writes.length / 2);
  const halves = [writes.slice(0, middle), writes.slice(middle)];
  await Promise.all(
    halves.filter(({ length }) => length > 0).map(execute),
  );
}
