/**
 * Access to Deno KV with patience: what is locked is tried again, and a commit
 * whose answer may be wrong or lost is told apart.
 *
 * @module
 */

import type {
  DenoKvAtomic,
  DenoKvClient,
  DenoKvEntry,
  DenoKvKey,
} from "./client.ts";
import { isLocked, LostCommit, wasRefused } from "./errors.ts";

/**
 * The first part of the driver's own keys. It is no string, so that no key of
 * an entry is like them and no list reaches them.
 */
export const OWN = new TextEncoder().encode("@org/kv");

/** How many entries the database reads at once. */
export const MAX_READS = 10;
/** How many milliseconds any answer of a distant database takes. */
const FAR = 2;
/** How many reads are under way at once in a database that is near. */
const NEAR_READERS = 4;
/** How many checks a commit may have in any database. */
const FEW_CHECKS = 10;
/** How many checks a commit may have in a local file. */
const MANY_CHECKS = 100;
/** How many entries of a range to read at once. */
const PAGE = 100;
/** How long a receipt is kept, in milliseconds. */
const RECEIPT_TTL = 3_600_000;

/** A database, as the driver uses it. */
export class DenoDatabase {
  readonly #kv: DenoKvClient;
  readonly #busyTimeout: number;
  readonly #receipts: Receipt[] = [];
  readonly #id: string = crypto.randomUUID();
  #receiptsMade = 0;
  #checks: Promise<number> | undefined;
  /** How many milliseconds the fastest answer to `getMany()` took. */
  #fastest = Infinity;

  constructor(kv: DenoKvClient, busyTimeout: number) {
    this.#kv = kv;
    this.#busyTimeout = busyTimeout;
  }

  /** Reads an entry. */
  get(key: DenoKvKey): Promise<DenoKvEntry> {
    const action = () => this.#kv.get(key);
    // A reader seldom waits for a lock: the clock starts when one has to.
    return action().catch((error) =>
      this.#tryAgain(action, error, performance.now())
    );
  }

  /** Reads at most ten entries at once. */
  async getMany(keys: readonly DenoKvKey[]): Promise<DenoKvEntry[]> {
    if (keys.length === 1) return [await this.get(keys[0]!)];
    const start = performance.now();
    const entries = await this.#patiently(() => this.#kv.getMany(keys));
    this.#fastest = Math.min(this.#fastest, performance.now() - start);
    return entries;
  }

  /**
   * Reads any number of entries, ten at once.
   *
   * A local file has one thread that reads. It is kept busy by a few requests;
   * more of them are only work that could be done while it reads. A distant
   * database gets all of them at once.
   *
   * @param items What to read.
   * @param read Reads ten of them.
   */
  async inTens<T>(
    items: readonly T[],
    read: (items: readonly T[]) => Promise<void>,
  ): Promise<void> {
    const tens: T[][] = [];
    for (let i = 0; i < items.length; i += MAX_READS) {
      tens.push(items.slice(i, i + MAX_READS));
    }
    const readers = this.#fastest < FAR ? NEAR_READERS : tens.length;
    let next = 0;
    async function readOn() {
      while (next < tens.length) await read(tens[next++]!);
    }
    await Promise.all(Array.from({ length: readers }, readOn));
  }

  /** Reads a range page by page. */
  async *pages(
    start: DenoKvKey,
    end: DenoKvKey,
  ): AsyncGenerator<DenoKvEntry[]> {
    let cursor: string | undefined;
    while (true) {
      const page: DenoKvEntry[] = await this.#patiently(async () => {
        const entries = this.#kv.list({ start, end }, {
          limit: PAGE,
          batchSize: PAGE,
          ...(cursor === undefined ? {} : { cursor }),
        });
        const page = await Array.fromAsync(entries);
        if (page.length === PAGE) cursor = entries.cursor;
        return page;
      });
      yield page;
      if (page.length < PAGE) return;
    }
  }

  /** Reads the first entries of a range. */
  first(
    start: DenoKvKey,
    end: DenoKvKey,
    limit: number,
  ): Promise<DenoKvEntry[]> {
    return this.#patiently(() =>
      Array.fromAsync(
        this.#kv.list({ start, end }, { limit, batchSize: limit }),
      )
    );
  }

  /**
   * Commits.
   *
   * @param prepare Says what, anew for each attempt.
   * @returns The version, or `undefined` if a check failed.
   * @throws {LostCommit} If the outcome is unknown.
   */
  commit(
    prepare: (atomic: DenoKvAtomic) => void,
  ): Promise<string | undefined> {
    return this.#patiently(() => {
      const atomic = this.#kv.atomic();
      prepare(atomic);
      return atomic.commit().then(versionOf, failCommit);
    });
  }

  /**
   * Commits what has checks, and knows for sure whether they held.
   *
   * The client of a remote database sends a commit again when it gets no answer.
   * If the first one was carried out, the checks of the second fail, because of
   * the first. So each such commit leaves a receipt, to be looked up when the
   * answer is no. Commits that are under way at once take different receipts;
   * there are never more of them than that.
   *
   * @param prepare Says what, anew for each attempt.
   * @returns Whether it was carried out.
   * @throws {LostCommit} If the outcome is unknown.
   */
  async swap(prepare: (atomic: DenoKvAtomic) => void): Promise<boolean> {
    const receipt = this.#receipts.pop() ??
      { key: [OWN, "receipt", this.#id, this.#receiptsMade++], number: 0 };
    const number = ++receipt.number;
    const version = await this.commit((atomic) => {
      prepare(atomic);
      atomic.set(receipt.key, number, { expireIn: RECEIPT_TTL });
    });
    const done = version !== undefined ||
      (await this.get(receipt.key)).value === number;
    // After an error it is not used again: the commit might still arrive.
    this.#receipts.push(receipt);
    return done;
  }

  /**
   * How many checks a commit may have, of so many that are wanted. Databases
   * differ and do not say, but refuse a commit that has more.
   */
  checksFor(wanted: number): number | Promise<number> {
    return wanted <= FEW_CHECKS
      ? FEW_CHECKS
      : this.#checks ??= this.#askChecks();
  }

  /** Tries it out by checks that fail, so that nothing is written. */
  async #askChecks(): Promise<number> {
    const check = { key: [OWN, "none"], versionstamp: "f".repeat(20) };
    try {
      await this.commit((atomic) => {
        for (let i = 0; i < MANY_CHECKS; i++) atomic.check(check);
      });
      return MANY_CHECKS;
    } catch {
      return FEW_CHECKS;
    }
  }

  #patiently<T>(action: () => Promise<T>): Promise<T> {
    const start = performance.now();
    return action().catch((error) => this.#tryAgain(action, error, start));
  }

  async #tryAgain<T>(
    action: () => Promise<T>,
    error: unknown,
    start: number,
  ): Promise<T> {
    const attempts = this.attempts(start);
    while (isLocked(error) && await attempts.next()) {
      try {
        return await action();
      } catch (latest) {
        error = latest;
      }
    }
    throw error;
  }

  /**
   * The attempts at something that other clients get in the way of.
   *
   * @param start When the first one began, by `performance.now()`.
   */
  attempts(start: number = performance.now()): Attempts {
    return new Attempts(start + this.#busyTimeout);
  }
}

/** The longest pause between two attempts, in milliseconds. */
const MAX_PAUSE = 16;

/**
 * Attempts with random pauses between them, so that clients that get in each
 * other's way come apart. The pauses stay short: a client that has waited for
 * long is not worse off than one that has just come.
 */
export class Attempts {
  readonly #end: number;
  #pause = 1;

  /** @param end When to give up, by `performance.now()`. */
  constructor(end: number) {
    this.#end = end;
  }

  /** Pauses, unless the time is up; returns whether to try again. */
  async next(): Promise<boolean> {
    if (performance.now() >= this.#end) return false;
    const pause = Math.random() * this.#pause;
    this.#pause = Math.min(2 * this.#pause, MAX_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, pause));
    return true;
  }
}

function versionOf(
  result: { ok: true; versionstamp: string } | { ok: false },
): string | undefined {
  return result.ok ? result.versionstamp : undefined;
}

function failCommit(error: unknown): never {
  if (wasRefused(error)) throw error;
  throw new LostCommit("no answer to a commit", { cause: error });
}

/** An entry that tells which commit was the last to write it. */
interface Receipt {
  readonly key: DenoKvKey;
  number: number;
}
