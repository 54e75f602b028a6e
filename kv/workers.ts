/** @module A store in a namespace of Cloudflare Workers KV. */

import type { KvCall, KvGetCall } from "./core/call.ts";
import { KvDriver } from "./core/driver.ts";
import type { KvPageRequest, KvStoredEntry } from "./core/listing.ts";
import { typeName } from "./core/message.ts";
import type { OptionRule } from "./core/options.ts";
import { checkOptions, MAX_PENDING, TIMEOUT } from "./core/options.ts";
import type { KvStoreTraits } from "./store.ts";
import type { WorkersKvNamespace } from "./workers/client.ts";
import {
  KeyedValue,
  MAX_VALUE_BYTES,
  workersCodec,
  type WorkersValue,
} from "./workers/codec.ts";
import { listEntries } from "./workers/list.ts";
import { checkKeyPrefix, WorkersNames } from "./workers/names.ts";
import { MAX_NAMES, readEntries, type WorkersEntry } from "./workers/read.ts";
import { writeEntry } from "./workers/write.ts";

export type { KeyedValue, WorkersValue } from "./workers/codec.ts";
export type {
  WorkersKvNames,
  WorkersKvNamespace,
  WorkersKvResult,
} from "./workers/client.ts";

/**
 * Options of {@linkcode WorkersKvStore}.
 *
 * @example Usage
 * ```ts
 * import type { WorkersKvStoreOptions } from "@org/kv/workers";
 *
 * const options: WorkersKvStoreOptions = { keyPrefix: "sessions" };
 * ```
 */
export interface WorkersKvStoreOptions {
  /**
   * What every name in the namespace starts with, before a `!`. Stores with
   * different prefixes share no entries. It takes at most 256 bytes and contains
   * no `!`.
   *
   * @default {"kv"}
   */
  readonly keyPrefix?: string;
  /**
   * How long the platform may be silent, in milliseconds, before the calls that
   * wait for it are rejected.
   *
   * @default {30000}
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

const OPTIONS: Record<keyof WorkersKvStoreOptions, OptionRule> = {
  keyPrefix: { type: "string", must: "be a string" },
  timeout: TIMEOUT,
  maxPending: MAX_PENDING,
};

/**
 * A store in a namespace of Workers KV: fast to read all over the world, and
 * eventually consistent. It has no `cas`; use `DurableObjectKvStore` of
 * `@org/kv/durable-object` for that.
 *
 * A write may be seen elsewhere only a minute or more later, and the last of
 * several writers wins. So an entry is not a lock, not a counter, and not proof
 * that something was not done yet.
 *
 * A value takes at most 25 MiB. The platform takes one write a second and key:
 * the store repeats a rejected write for about ten seconds.
 *
 * Create the store inside `fetch`; it costs nothing. See `docs/stores/workers.md`
 * for bindings, names and values in the namespace, and operations.
 *
 * @example Usage
 * ```ts ignore
 * import { WorkersKvStore } from "@org/kv/workers";
 *
 * const kv = new WorkersKvStore(env.KV);
 * await kv.set(["users", "alice"], { visits: 1 }, { ttl: 5_000 });
 * ```
 */
export class WorkersKvStore extends KvDriver<WorkersValue> {
  /** What the store is, and which guarantees Workers KV cannot give. */
  readonly traits: KvStoreTraits = {
    driver: "workers",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {
      cas: "Workers KV has no conditional write",
      linearizable: "Workers KV is eventually consistent: what is written " +
        "may be seen elsewhere only a minute or more later",
      streaming: "Workers KV lists names forward only: in reverse, list() " +
        "reads all names before the first entry",
      "stable-list": "Workers KV may list a name that was written or deleted " +
        "within the last minute or so as it was before",
    },
  };

  readonly #namespace: WorkersKvNamespace;
  readonly #names: WorkersNames;

  /**
   * Creates a store.
   *
   * @param namespace The binding, as `env.KV`.
   * @param options The prefix of the names.
   * @throws {TypeError} If the binding or an option has a wrong type, or an
   * option is unknown.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    namespace: WorkersKvNamespace,
    options: WorkersKvStoreOptions = {},
  ) {
    checkOptions("make a WorkersKvStore", options, OPTIONS);
    const { keyPrefix = "kv", timeout = 30_000 } = options;
    // A worker may have six connections open at once.
    super({
      codec: workersCodec,
      maxCalls: MAX_NAMES,
      concurrency: 6,
      timeout,
      maxPending: options.maxPending ?? Infinity,
    });
    checkNamespace(namespace);
    checkKeyPrefix(keyPrefix);
    this.#namespace = namespace;
    this.#names = new WorkersNames(keyPrefix);
  }

  /** Reads together, and writes one by one. */
  protected override async execute(
    calls: readonly KvCall<WorkersValue>[],
  ): Promise<void> {
    const gets: KvGetCall<WorkersValue>[] = [];
    const writes: Promise<void>[] = [];
    for (const call of calls) {
      if (call.kind === "get") gets.push(call);
      else if (call.kind !== "cas") {
        writes.push(writeEntry(this.#namespace, this.#names, call));
      }
    }
    await Promise.all([this.#get(gets), ...writes]);
  }

  /** Lists names, and reads the values that are needed. */
  protected override pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncIterable<readonly KvStoredEntry<WorkersValue>[]> {
    return listEntries(this.#namespace, this.#names, prefix, request);
  }

  async #get(calls: readonly KvGetCall<WorkersValue>[]): Promise<void> {
    const byName = Map.groupBy(calls, ({ key }) => this.#names.of(key).name);
    const pages = readEntries(this.#namespace, [...byName.keys()]);
    for await (const page of pages) {
      for (const entry of page) {
        for (const call of byName.get(entry.name)!) this.#found(call, entry);
      }
    }
  }

  #found(call: KvGetCall<WorkersValue>, entry: WorkersEntry): void {
    if ("error" in entry) return call.reject(entry.error);
    const { name, stored, expiry = Infinity } = entry;
    if (stored === undefined || expiry <= Date.now()) {
      return call.found(undefined);
    }
    const isKey = (key: readonly string[]) =>
      this.#names.of(key as typeof call.key).name === name;
    const { isShortened } = this.#names.of(call.key);
    call.found(isShortened ? new KeyedValue(stored, isKey) : stored);
  }
}

function checkNamespace(namespace: unknown): void {
  const { getWithMetadata, put, list } = Object(namespace);
  const methods = [getWithMetadata, put, list];
  if (methods.some((method) => typeof method !== "function")) {
    throw new TypeError(
      "Cannot make a WorkersKvStore: namespace must be a binding to Workers " +
        `KV: received ${typeName(namespace)}`,
    );
  }
}
