/**
 * Listing: from the pages of a driver to the entries that a caller receives.
 *
 * @module
 */

import type { KvCodec } from "./call.ts";
import { Deadline, type Waiting } from "./deadline.ts";
import { KvCorruptionError, KvError } from "../errors.ts";
import { describe } from "./key.ts";
import { failure } from "./message.ts";
import type { KvKey, KvStoreListEntry } from "../store.ts";
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
    /** The stored value. */
    readonly value: Stored;
    /** When it expires, in epoch milliseconds by the clock of this process. */
    readonly expiry?: number | undefined;
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
 * const request: KvPageRequest = { alive() {} };
 * ```
 */
export interface KvPageRequest {
  /**
   * Notes that the backend has answered. A driver calls it if a page may take
   * several round trips; the core notes each page itself.
   */
  alive(): void;
}

/**
 * Lists entries: decodes each one when the caller reaches it.
 *
 * @param prefix The parts of the prefix.
 * @param codec How values are stored.
 * @param timeout The longest silence in milliseconds.
 * @param drained Settles when all earlier calls are settled.
 * @param pages Reads the pages.
 */
export async function* listEntries<Stored>(
  prefix: readonly string[],
  codec: KvCodec<Stored>,
  timeout: number,
  drained: Promise<void>,
  pages: (
    request: KvPageRequest,
  ) => AsyncIterable<readonly KvStoredEntry<Stored>[]>,
): AsyncGenerator<KvStoreListEntry> {
  await drained;
  const step = new Step(timeout);
  const iterator = pages(step)[Symbol.asyncIterator]();
  let isOver = false;
  try {
    while (true) {
      let page: IteratorResult<readonly KvStoredEntry<Stored>[]>;
      try {
        page = await step.wait(iterator.next());
      } catch (error) {
        isOver = true;
        throw error instanceof KvError
          ? error
          : failure(`list ${describe(prefix)}`, error);
      }
      if (page.done) {
        isOver = true;
        return;
      }
      for (const entry of page.value) {
        if ("error" in entry) throw corruption(entry.key, entry.error);
        const { key, value, expiry = Infinity } = entry;
        if (expiry > Date.now()) {
          yield { key, value: decode(codec, key, value) };
        }
      }
    }
  } finally {
    if (!isOver) await iterator.return?.();
  }
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

/** The page that a listing waits for, for a limited time of silence. */
class Step implements KvPageRequest {
  readonly #timeout: number;

  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  #waiting: Waiting | undefined;

  alive = (): void => {
    if (this.#waiting !== undefined) this.#waiting.alive = true;
  };

  async wait<T>(page: Promise<T>): Promise<T> {
    if (this.#timeout === Infinity) return await page;
    const waiting: Waiting = { alive: false, silence: 0 };
    this.#waiting = waiting;
    const silence = Promise.withResolvers<never>();
    const deadline = new Deadline(this.#timeout, () => {
      silence.reject(
        new Error(`the backend was silent for ${this.#timeout} ms`),
      );
    });
    deadline.add(waiting);
    try {
      return await Promise.race([page, silence.promise]);
    } finally {
      deadline.delete(waiting);
    }
  }
}
