/**
 * A store on Deno KV: a local file, or a remote database.
 *
 * `docs/stores/deno.md` describes the stored form, which is stable.
 *
 * @module
 */

import type { KvCall, KvGetCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvStoredEntry } from "./core/listing.ts";
import { BUSY_TIMEOUT, checkOptions } from "./core/options.ts";
import type { DenoKvClient, DenoKvEntry } from "./deno/client.ts";
import { DenoDatabase } from "./deno/database.ts";
import { fail } from "./deno/errors.ts";
import { storedKey } from "./deno/key.ts";
import { listPages, load } from "./deno/list.ts";
import {
  decodeDenoValue,
  type DenoValue,
  denoValueBytes,
  encodeDenoValue,
  isChunks,
  open,
} from "./deno/codec.ts";
import { COMMIT_BYTES, DenoWriter } from "./deno/write.ts";
import type { KvStoreTraits } from "./store.ts";

export type {
  DenoKvAtomic,
  DenoKvClient,
  DenoKvEntry,
  DenoKvKey,
} from "./deno/client.ts";
export type { DenoValue } from "./deno/codec.ts";

/**
 * Options of {@linkcode DenoKvStore}.
 *
 * @example Usage
 * ```ts
 * import type { DenoKvStoreOptions } from "@org/kv/deno";
 *
 * const options: DenoKvStoreOptions = { busyTimeout: 10_000 };
 * ```
 */
export interface DenoKvStoreOptions {
  /**
   * For how long a call is tried again while other processes hold the lock of
   * a local file, in milliseconds, before it is rejected. Deno itself may wait
   * up to five seconds in each attempt.
   *
   * @default {5000}
   */
  readonly busyTimeout?: number;
}

/**
 * A store on Deno KV: a file that processes of one machine share, or a remote
 * database. It makes every guarantee of the contract, for values of any size.
 *
 * A JSON value without a TTL is stored as the same object under the same key, so
 * that other programs can read and write it. What other programs stored is read
 * as it is.
 *
 * @example Usage
 * ```ts
 * import { DenoKvStore } from "@org/kv/deno";
 * import { assertEquals } from "@std/assert";
 *
 * const db = await Deno.openKv(":memory:"); // or a path, or a URL
 * const kv = new DenoKvStore(db);
 *
 * await kv.set(["users", "alice"], { visits: 1 });
 * assertEquals(await kv.get(["users", "alice"]), { visits: 1 });
 * assertEquals((await db.get(["users", "alice"])).value, { visits: 1 });
 *
 * db.close();
 * ```
 */
export class DenoKvStore extends KvCasDriver<DenoValue> {
  /** What the store is; it makes every promise. */
  readonly traits: KvStoreTraits = {
    driver: "deno-kv",
    persistent: true,
    shared: "machine",
    maxValueBytes: Infinity,
    without: {},
  };

  readonly #db: DenoDatabase;
  readonly #writer: DenoWriter;

  /**
   * Makes a store. The database stays the caller's, to be closed by the caller.
   *
   * @param kv What `Deno.openKv()` returned, or `openKv()` of `@deno/kv`.
   * @param options How long to wait for a lock.
   * @throws {TypeError} If the database or an option is of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(kv: DenoKvClient, options: DenoKvStoreOptions = {}) {
    super({
      // A swap carries two values, and writes one.
      maxBytes: 2 * COMMIT_BYTES,
      concurrency: 4,
      codec: {
        encode: encodeDenoValue,
        decode: decodeDenoValue,
        bytes: denoValueBytes,
      },
    });
    if (typeof kv?.atomic !== "function") {
      throw new TypeError(
        "Cannot make a DenoKvStore: kv must have a method atomic(): " +
          `received ${kv === null ? "null" : typeof kv}`,
      );
    }
    const { busyTimeout = 5_000 } = options;
    checkOptions("make a DenoKvStore", { busyTimeout }, {
      busyTimeout: BUSY_TIMEOUT,
    });
    this.#db = new DenoDatabase(kv, busyTimeout);
    this.#writer = new DenoWriter(this.#db);
  }

  /** Carries out a batch: reads by tens, and writes in as few commits as can be. */
  protected override execute(
    calls: readonly KvCall<DenoValue>[],
  ): Promise<void> {
    const first = calls[0]!;
    if (calls.length === 1) {
      return first.kind === "get"
        ? this.#get(first)
        : this.#writer.execute(calls);
    }
    const gets = calls.filter((call) => call.kind === "get");
    if (gets.length === 0) return this.#writer.execute(calls);
    if (gets.length === calls.length) return this.#getAll(gets);
    const writes = calls.filter(({ kind }) => kind !== "get");
    return both(this.#getAll(gets), this.#writer.execute(writes));
  }

  #get(call: KvGetCall<DenoValue>): Promise<void> {
    return this.#db.get(storedKey(call.key)).then(
      (entry) => this.#answer(call, entry),
      (error) => fail(call, error),
    );
  }

  #getAll(calls: readonly KvGetCall<DenoValue>[]): Promise<void> {
    return this.#db.inTens(calls, (ten) => this.#getMany(ten));
  }

  async #getMany(calls: readonly KvGetCall<DenoValue>[]): Promise<void> {
    let entries: DenoKvEntry[];
    try {
      entries = await this.#db.getMany(
        calls.map(({ key }) => storedKey(key)),
      );
    } catch (error) {
      for (const call of calls) fail(call, error);
      return;
    }
    const loading: Promise<void>[] = [];
    for (const [i, call] of calls.entries()) {
      const answered = this.#answer(call, entries[i]!);
      if (answered !== undefined) loading.push(answered);
    }
    if (loading.length > 0) await Promise.all(loading);
  }

  /** Settles a call: at once, unless its value stands in chunks. */
  #answer(
    call: KvGetCall<DenoValue>,
    entry: DenoKvEntry,
  ): Promise<void> | undefined {
    try {
      const { stored } = open(entry, call.key);
      if (isChunks(stored)) return this.#load(call, entry);
      call.found(stored);
    } catch (error) {
      fail(call, error);
    }
    return undefined;
  }

  async #load(call: KvGetCall<DenoValue>, entry: DenoKvEntry): Promise<void> {
    try {
      call.found((await load(this.#db, entry, call.key)).stored);
    } catch (error) {
      fail(call, error);
    }
  }

  /** Reads the entries under a prefix. */
  protected override pages(
    prefix: readonly string[],
  ): AsyncIterable<KvStoredEntry<DenoValue>[]> {
    return listPages(this.#db, prefix);
  }
}

async function both(...parts: [Promise<void>, Promise<void>]): Promise<void> {
  await Promise.all(parts);
}
