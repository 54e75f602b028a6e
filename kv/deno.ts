/**
 * A store on Deno KV: a local file, or a remote database.
 *
 * `docs/stores/deno.md` describes the stored form, which is stable.
 *
 * @module
 */

import type { KvCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import {
  BUSY_TIMEOUT,
  checkOptions,
  MAX_PENDING,
  type OptionRule,
  TIMEOUT,
} from "./core/options.ts";
import { checkClient, type DenoKvClient } from "./deno/client.ts";
import {
  decodeDenoValue,
  type DenoValue,
  denoValueBytes,
  encodeDenoValue,
} from "./deno/codec.ts";
import { DenoDatabase } from "./deno/database.ts";
import { listPages } from "./deno/list.ts";
import { COMMIT_BYTES } from "./deno/operation.ts";
import { DenoReader } from "./deno/read.ts";
import { DenoWriter } from "./deno/write.ts";
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
   * Where the database is. The client does not tell. It decides
   * `traits.persistent`, `traits.shared` and the default of `timeout`.
   *
   * @default {"file"}
   */
  readonly location?: "memory" | "file" | "remote";
  /**
   * For how long a call is attempted again while other clients hold the lock of a
   * local file, or write the entry of a `cas`, in milliseconds. Deno itself may
   * wait for a lock for up to five seconds in each attempt.
   *
   * @default {5000}
   */
  readonly busyTimeout?: number;
  /**
   * How long the database may be silent, in milliseconds, before the calls that
   * wait for it are rejected.
   *
   * @default {30000 for a remote database, Infinity otherwise}
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

const SHARED = {
  memory: "process",
  file: "machine",
  remote: "network",
} as const;

const OPTIONS: Record<keyof DenoKvStoreOptions, OptionRule> = {
  location: {
    type: "string",
    must: 'be "memory", "file" or "remote"',
    accepts: (value) => Object.hasOwn(SHARED, value as string),
  },
  busyTimeout: BUSY_TIMEOUT,
  timeout: TIMEOUT,
  maxPending: MAX_PENDING,
};

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
  /** What the store is; it gives every guarantee. */
  readonly traits: KvStoreTraits;

  readonly #db: DenoDatabase;
  readonly #reader: DenoReader;
  readonly #writer: DenoWriter;

  /**
   * Creates a store. The database stays the caller's, who closes it.
   *
   * @param kv What `Deno.openKv()` returned, or `openKv()` of `@deno/kv`.
   * @param options Where the database is, and how long to wait for it.
   * @throws {TypeError} If the database or an option has a wrong type, or an
   * option is unknown.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(kv: DenoKvClient, options: DenoKvStoreOptions = {}) {
    checkOptions("create a DenoKvStore", options, OPTIONS);
    const { location = "file", busyTimeout = 5_000 } = options;
    super({
      // A swap carries two values, and writes one.
      maxBytes: 2 * COMMIT_BYTES,
      concurrency: 4,
      codec: {
        encode: encodeDenoValue,
        decode: decodeDenoValue,
        bytes: denoValueBytes,
      },
      timeout: options.timeout ?? (location === "remote" ? 30_000 : Infinity),
      maxPending: options.maxPending ?? Infinity,
    });
    checkClient(kv);
    this.traits = {
      driver: "deno",
      persistent: location !== "memory",
      shared: SHARED[location],
      maxValueBytes: Infinity,
      without: {},
    };
    this.#db = new DenoDatabase(kv, busyTimeout);
    this.#reader = new DenoReader(this.#db);
    this.#writer = new DenoWriter(this.#db);
  }

  /** Executes a batch: reads by tens, and writes in as few commits as possible. */
  protected override execute(
    calls: readonly KvCall<DenoValue>[],
  ): Promise<void> {
    const gets = calls.filter((call) => call.kind === "get");
    if (gets.length === calls.length) return this.#reader.execute(gets);
    if (gets.length === 0) return this.#writer.execute(calls);
    const writes = calls.filter(({ kind }) => kind !== "get");
    return both(this.#reader.execute(gets), this.#writer.execute(writes));
  }

  /** Reads the entries under a prefix. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncIterable<KvStoredEntry<DenoValue>[]> {
    return listPages(this.#db, prefix, request);
  }
}

async function both(...parts: [Promise<void>, Promise<void>]): Promise<void> {
  await Promise.all(parts);
}
