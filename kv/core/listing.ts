/**
 * Listing: from the pages of a driver to the entries that a caller receives.
 *
 * @module
 */

import type { KvCodec } from "./call.ts";
import { Deadline, type Waiting } from "./deadline.ts";
import { KvCorruptionError, KvError } from "../errors.ts";
import { assertKey, describe, startsWith } from "./key.ts";
import { failure } from "./message.ts";
import { checkOptions, type OptionRule, SIGNAL } from "./options.ts";
import type {
  KvKey,
  KvKeyEntry,
  KvListOptions,
  KvSignal,
  KvStoreListEntry,
  KvStoreTraits,
} from "../store.ts";
import { traceListing, traceRoundTrip } from "./trace.ts";
import type { EncodedValue } from "./value.ts";

/**
 * An entry as a driver reads it for a listing.
 *
 * @typeParam Stored The stored form of values.
 *
 * @example Usage
 * ```ts
 * import type { KvStoredEntry } from "@org/kv/driver";
 *
 * const entry: KvStoredEntry = { key: ["a"], value: '{"b":1}' };
 * ```
 */
export type KvStoredEntry<Stored = EncodedValue> =
  | {
    /** The key. */
    readonly key: KvKey;
    /** The stored value; it may be left out if only keys are requested. */
    readonly value?: Stored | undefined;
    /**
     * When it expires, in epoch milliseconds by the clock of this process.
     *
     * @default {Infinity}
     */
    readonly expiry?: number | undefined;
    /**
     * When it expires, in epoch milliseconds, as the backend keeps it.
     *
     * @default {expiry}
     */
    readonly expires?: number | undefined;
  }
  | {
    /** The key, as far as it is known. */
    readonly key: readonly string[];
    /** Why the entry cannot be read: it is damaged. */
    readonly error: unknown;
  };

/**
 * What the core wants of a listing.
 *
 * @example Usage
 * ```ts
 * import type { KvPageRequest } from "@org/kv/driver";
 *
 * const request: KvPageRequest = {
 *   after: undefined,
 *   reverse: false,
 *   limit: Infinity,
 *   keysOnly: false,
 *   alive() {},
 * };
 * ```
 */
export interface KvPageRequest {
  /** The key to continue after (in reverse: before), if any. */
  readonly after: KvKey | undefined;
  /** Whether to read from the last key to the first. */
  readonly reverse: boolean;
  /** The number of entries that the caller wants: more may be read. */
  readonly limit: number;
  /** Whether the values are not needed. */
  readonly keysOnly: boolean;
  /**
   * Notes that the backend has answered. A driver calls it if a page may take
   * several round trips; the core notes each page itself.
   */
  alive(): void;
}

/** What a listing is for, as messages name it; only `list` reads values. */
export type ListAction = "list" | "list keys" | "count" | "clear";

/** What {@linkcode listEntries} needs of a store. */
export interface Listing<Stored> {
  readonly store: { readonly traits: KvStoreTraits };
  readonly action: ListAction;
  readonly prefix: readonly string[];
  readonly options: KvListOptions | undefined;
  readonly codec: KvCodec<Stored>;
  /** The longest silence in milliseconds. */
  readonly timeout: number;
  /** Waits until all earlier calls are settled. */
  drained(): Promise<void>;
  /** Reads the pages. */
  pages(
    request: KvPageRequest,
  ): AsyncIterable<readonly KvStoredEntry<Stored>[]>;
}

/**
 * Lists entries, and decodes each one when the caller reaches it.
 *
 * @param listing What to list, and how.
 */
export function listEntries<Stored>(
  listing: Listing<Stored>,
): AsyncGenerator<KvStoreListEntry> {
  const { store, action } = listing;
  return traceListing(store, action, entriesOf(listing));
}

async function* entriesOf<Stored>(
  listing: Listing<Stored>,
): AsyncGenerator<KvStoreListEntry> {
  const { action, prefix, options = {}, codec } = listing;
  const keysOnly = action !== "list";
  const { signal, limit = Infinity } = options;
  signal?.throwIfAborted();
  try {
    await listing.drained();
  } catch (error) {
    throw failure(`${action} ${describe(prefix)}`, error);
  }
  const step = new Step(listing.timeout, options, keysOnly);
  const iterator = listing.pages(step)[Symbol.asyncIterator]();
  let left = limit;
  let isOver = left <= 0;
  try {
    while (left > 0) {
      let page: IteratorResult<readonly KvStoredEntry<Stored>[]>;
      const trip = traceRoundTrip(listing.store, action);
      try {
        page = await step.wait(iterator.next());
        trip?.finish();
      } catch (error) {
        trip?.finish(error);
        isOver = true;
        signal?.throwIfAborted();
        throw error instanceof KvError
          ? error
          : failure(`${action} ${describe(prefix)}`, error);
      }
      if (page.done) {
        isOver = true;
        return;
      }
      for (const entry of page.value) {
        signal?.throwIfAborted();
        if ("error" in entry) throw corruption(entry.key, entry.error);
        const { key, expiry = Infinity, expires = expiry } = entry;
        if (expiry <= Date.now()) continue;
        const value = keysOnly
          ? undefined
          : decode(codec, key, entry.value as Stored);
        yield expires === Infinity ? { key, value } : { key, value, expires };
        if (--left === 0) return;
      }
    }
  } finally {
    if (!isOver) await iterator.return?.();
  }
}

/** The keys of entries. */
export function keysOf(
  entries: AsyncIterable<KvStoreListEntry>,
): AsyncIterable<KvKeyEntry> {
  return { [Symbol.asyncIterator]: () => withoutValues(entries) };
}

async function* withoutValues(
  entries: AsyncIterable<KvStoreListEntry>,
): AsyncGenerator<KvKeyEntry> {
  for await (const { key, expires } of entries) {
    yield expires === undefined ? { key } : { key, expires };
  }
}

/**
 * A listing that rejects as soon as it is read.
 *
 * @param error What it rejects with.
 */
// deno-lint-ignore require-yield
export async function* failing(error: unknown): AsyncGenerator<never> {
  await Promise.resolve();
  throw error;
}

function decode<Stored>(
  codec: KvCodec<Stored>,
  key: KvKey,
  stored: Stored,
): unknown {
  try {
    return codec.decode(stored);
  } catch (error) {
    throw corruption(key, error);
  }
}

function corruption(key: readonly string[], error: unknown): KvError {
  return error instanceof KvError
    ? error
    : failure(`list ${describe(key)}`, error, KvCorruptionError);
}

const LIST_OPTIONS: Record<string, OptionRule> = {
  limit: {
    type: "number",
    must: "be a whole number, 0 or more, or Infinity",
    accepts: (value) =>
      value === Infinity ||
      Number.isInteger(value) && (value as number) >= 0,
  },
  after: { type: "object", must: "be a key" },
  reverse: { type: "boolean", must: "be true or false" },
  signal: SIGNAL,
};

/**
 * Checks the options of a listing.
 *
 * @param listAction What the listing is for.
 * @param prefix The parts of the prefix.
 * @param options What the caller gave.
 * @param traits The traits of the store.
 * @throws {TypeError} If an option is unknown, or has a wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkListOptions(
  listAction: ListAction,
  prefix: readonly string[],
  options: KvListOptions | undefined,
  traits: KvStoreTraits,
): KvListOptions | undefined {
  if (options === undefined) return undefined;
  const action = `${listAction} ${describe(prefix)}`;
  checkOptions(action, options, LIST_OPTIONS);
  const { after, reverse } = options;
  if (after !== undefined) {
    assertKey(after, `${listAction} after`);
    if (!startsWith(after, prefix)) {
      throw new RangeError(
        `Cannot ${action}: after must start with the prefix: ` +
          `received ${describe(after)}`,
      );
    }
  }
  if (reverse && traits.without.reverse !== undefined) {
    throw new TypeError(
      `Cannot ${action} in reverse: ${traits.without.reverse}`,
    );
  }
  return { ...options, after: after?.slice() as KvKey | undefined };
}

/** The page that a listing waits for, for a limited time of silence. */
class Step implements KvPageRequest {
  readonly after: KvKey | undefined;
  readonly reverse: boolean;
  readonly limit: number;
  readonly keysOnly: boolean;
  readonly #timeout: number;
  readonly #signal: KvSignal | undefined;
  #waiting: Waiting | undefined;

  constructor(timeout: number, options: KvListOptions, keysOnly: boolean) {
    this.after = options.after;
    this.reverse = options.reverse ?? false;
    this.limit = options.limit ?? Infinity;
    this.keysOnly = keysOnly;
    this.#timeout = timeout;
    this.#signal = options.signal;
  }

  alive = (): void => {
    if (this.#waiting !== undefined) this.#waiting.alive = true;
  };

  async wait<T>(page: Promise<T>): Promise<T> {
    const signal = this.#signal;
    if (this.#timeout === Infinity && signal === undefined) return await page;
    const waiting: Waiting = { alive: false, silence: 0 };
    this.#waiting = waiting;
    const end = Promise.withResolvers<never>();
    const deadline = new Deadline(this.#timeout, () => {
      end.reject(new Error(`the backend was silent for ${this.#timeout} ms`));
    });
    const abort = () => end.reject(signal!.reason);
    deadline.add(waiting);
    signal?.addEventListener("abort", abort);
    try {
      return await Promise.race([page, end.promise]);
    } finally {
      deadline.delete(waiting);
      signal?.removeEventListener("abort", abort);
    }
  }
}
