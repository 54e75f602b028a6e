/**
 * A store on Deno KV: a local file, or a remote database.
 *
 * # What is stored
 *
 * This form is stable: later versions of this module will read it.
 *
 * A key is stored as the same sequence of strings. If that took more than the
 * 2,048 bytes that Deno KV allows, it is stored under its leading parts and a
 * digest of the rest.
 *
 * A plain JSON value that fits the 65,536 bytes of an entry, under a key that
 * fits, without a TTL, is stored as it is: any other program can read it by
 * `kv.get()` and write it by `kv.set()`. So Fedify's own `DenoKvStore` and this
 * one read each other's entries of that kind.
 *
 * Any other value is stored in an object with the member `"@org/kv"`, whose
 * value is the version of the form, 1, and with
 *
 * | member | type | what it is |
 * | --- | --- | --- |
 * | `value` | any | the value, if it is plain JSON and fits |
 * | `data` | `Uint8Array` | else its encoding, if that fits: JSON in UTF-8, or self-described CBOR (RFC 8949) |
 * | `chunks` | `{ id, count, bytes }` | else where its encoding is |
 * | `expires` | number | when the entry expires, in epoch milliseconds, if ever |
 * | `key` | string[] | the true key, if it is stored under a digest |
 *
 * What begins with the bytes of `"@org/kv"` as a `Uint8Array`, here `OWN`, is
 * the driver's own:
 *
 * | key | what it is |
 * | --- | --- |
 * | `[OWN, "chunk", id, n]` | part `n`, from 0 on, of an encoded value |
 * | `[OWN, "large", id]` | `{ key, count, pending? }`: the stored key that refers to the chunks, how many there are, and, until they are complete, since when they are being written |
 * | `[OWN, "receipt", store, n]` | the number of the last compare-and-swap that `store` committed with it; gone after an hour |
 *
 * @module
 */

import type { KvCall, KvGetCall } from "./core/call.ts";
import { KvCasDriver } from "./core/driver.ts";
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
 * database. It makes every promise of the contract.
 *
 * **Plain values are plain.** A JSON value without a TTL is stored under the
 * same key as the same object, up to the 64 KiB of an entry. What other programs
 * wrote is read as it is, `Date`s and `Map`s included, and can be swapped; a
 * counter of type `Deno.KvU64` can be read only. Entries whose keys have other parts than strings
 * are never listed.
 *
 * **TTLs are exact**, although Deno KV sweeps expired entries only about once a
 * minute: the expiry is stored beside the value. Of what others wrote with
 * `expireIn`, it is not known; that is there until Deno KV sweeps it.
 *
 * **Large values** are split, and any size will do: a value of 5 MB takes 85
 * entries. Up to some 670 KB they are written in one commit; beyond that, in
 * several ones of that size, before the entry itself. A reader takes two round
 * trips, and one more for each further 6 MB. Chunks that a small value, a
 * deletion or an expiry left behind are deleted by later writes, at most a few
 * at a time; what they hold is seldom more than a tenth of all large values.
 *
 * **Batches**: the calls of one tick become one commit for all that writes, and
 * reads of ten entries each. A `cas` that creates takes one round trip, any
 * other `cas` two, since Deno KV compares versions and no values. Up to a
 * hundred of them share a commit in a local file, ten in a database that takes
 * no more checks.
 *
 * **Remote databases**: Deno sends a commit again if it gets no answer. A `cas`
 * therefore leaves a receipt, so that it does not take a swap that was made for
 * one that was refused. A call rejects with `KvOutcomeUnknownError` if the
 * client fails and the commit may have been carried out. Under a lost
 * connection, a `set` may be carried out twice before it is settled.
 *
 * A `KvError` whose message ends in "database is locked" means that other
 * processes held the lock of a local file for longer than `busyTimeout`.
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
      const { stored } = open(entry);
      if (isChunks(stored)) return this.#load(call, entry);
      call.found(stored);
    } catch (error) {
      fail(call, error);
    }
    return undefined;
  }

  async #load(call: KvGetCall<DenoValue>, entry: DenoKvEntry): Promise<void> {
    try {
      call.found((await load(this.#db, entry)).stored);
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
