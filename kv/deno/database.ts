/**
 * Access to Deno KV: waits for locks, knows the outcome of a commit that may
 * have been sent twice, and bears values that this runtime cannot decode.
 *
 * @module
 */

import type {
  DenoKvAtomic,
  DenoKvClient,
  DenoKvEntry,
  DenoKvKey,
} from "./client.ts";
import {
  CANNOT_DECODE,
  DamagedEntry,
  isLocked,
  isUndecodable,
  LostCommit,
  UNDECODABLE,
  wasRejected,
  withoutStack,
} from "./errors.ts";
import { retry } from "../core/retry.ts";

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
export const PAGE = 100;
/** How long a receipt is kept, in milliseconds. */
const RECEIPT_TTL = 3_600_000;
/** The longest pause between two attempts, in milliseconds. */
const MAX_PAUSE = 16;

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

  /** Reads an entry. Its value may be `UNDECODABLE`. */
  get(key: DenoKvKey): Promise<DenoKvEntry> {
    return this.#patiently(() => this.#kv.get(key)).catch((error) => {
      if (!isUndecodable(error)) throw error;
      return { key, value: UNDECODABLE, versionstamp: "" };
    });
  }

  /** Reads at most ten entries at once. */
  async getMany(keys: readonly DenoKvKey[]): Promise<DenoKvEntry[]> {
    if (keys.length === 1) return [await this.get(keys[0]!)];
    const start = performance.now();
    let entries: DenoKvEntry[];
    try {
      entries = await this.#patiently(() => this.#kv.getMany(keys));
    } catch (error) {
      if (!isUndecodable(error)) throw error;
      return await Promise.all(keys.map((key) => this.get(key)));
    }
    this.#fastest = Math.min(this.#fastest, performance.now() - start);
    return entries;
  }

  /**
   * Reads any number of entries, ten at once.
   *
   * A local file has one thread that reads. A few requests keep it busy; more
   * of them only take time before it starts. A distant database gets all of them
   * at once.
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

  /**
   * Reads a range page by page.
   *
   * @param range The keys, and whether to read the last one first.
   * @param size The number of entries in the first page; it doubles.
   * @param alive Is called after each answer.
   * @throws {DamagedEntry} At a value that this runtime cannot decode, after all
   * entries before it.
   */
  async *pages(
    range: Selection,
    size: number = PAGE,
    alive?: () => void,
  ): AsyncGenerator<DenoKvEntry[]> {
    let cursor: string | undefined;
    while (true) {
      const page = await this.#page(range, cursor, size, size);
      alive?.();
      yield page.entries;
      if (page.error !== undefined) {
        throw new DamagedEntry(CANNOT_DECODE, { cause: page.error });
      }
      if (page.cursor === undefined) return;
      cursor = page.cursor;
      size = Math.min(2 * size, PAGE);
    }
  }

  /** Reads a page, or the part of it before a value that cannot be decoded. */
  async #page(
    range: Selection,
    cursor: string | undefined,
    limit: number,
    batchSize: number,
  ): Promise<Page> {
    const { start, end, reverse = false } = range;
    let read: DenoKvEntry[] = [];
    try {
      return await this.#patiently(async () => {
        read = [];
        const entries = this.#kv.list({ start, end }, {
          limit,
          batchSize,
          reverse,
          ...(cursor === undefined ? {} : { cursor }),
        });
        for await (const entry of entries) read.push(entry);
        return {
          entries: read,
          cursor: read.length === limit ? entries.cursor : undefined,
        };
      });
    } catch (error) {
      if (!isUndecodable(error)) throw error;
      // Deno decodes as many entries at once as it reads at once.
      return batchSize > 1
        ? await this.#page(range, cursor, limit, 1)
        : { entries: read, error };
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
   * @param prepare Says what; called for each attempt.
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
   * If the first one was applied, the checks of the second fail, because of the
   * first. So each such commit leaves a receipt, which is read when a check
   * failed. Commits that travel at the same time use different receipts; there
   * are never more receipts than that.
   *
   * @param prepare Says what; called for each attempt.
   * @returns Whether it was applied.
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
    // After an error it is never used again: the commit might still arrive.
    this.#receipts.push(receipt);
    return done;
  }

  /**
   * The number of checks allowed per commit, given how many are needed.
   * Databases differ and do not tell, but reject a commit that has more.
   */
  checksFor(wanted: number): number | Promise<number> {
    return wanted <= FEW_CHECKS
      ? FEW_CHECKS
      : this.#checks ??= this.#learnChecks();
  }

  /** Learns it from a commit whose checks fail, so that nothing is written. */
  async #learnChecks(): Promise<number> {
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

  /** Waits for locks. */
  #patiently<T>(action: () => Promise<T>): Promise<T> {
    return action().catch((error) =>
      isLocked(error)
        ? retry(action, { ...this.patience, isTransient: isLocked })
        : Promise.reject(error)
    ).catch((error) => Promise.reject(withoutStack(error)));
  }

  /**
   * How long to go on where other clients are in the way. The pauses stay short:
   * a client that has waited for long is not worse off than one that has just
   * come.
   */
  get patience(): { timeout: number; maxPause: number } {
    return { timeout: this.#busyTimeout, maxPause: MAX_PAUSE };
  }
}

function versionOf(
  result: { ok: true; versionstamp: string } | { ok: false },
): string | undefined {
  return result.ok ? result.versionstamp : undefined;
}

function failCommit(error: unknown): never {
  if (wasRejected(error)) throw error;
  throw new LostCommit("no answer to a commit", { cause: error });
}

/** Which entries to read. */
interface Selection {
  readonly start: DenoKvKey;
  readonly end: DenoKvKey;
  readonly reverse?: boolean;
}

/** Some entries of a range. */
interface Page {
  readonly entries: DenoKvEntry[];
  /** Where the next page begins, if there may be one. */
  readonly cursor?: string | undefined;
  /** Why the entry after these cannot be read. */
  readonly error?: unknown;
}

/** An entry that tells which commit wrote it last. */
interface Receipt {
  readonly key: DenoKvKey;
  number: number;
}
