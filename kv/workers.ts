/**
 * A store in a namespace of Cloudflare Workers KV.
 *
 * @module
 */

import type { KvCall, KvGetCall } from "./core/call.ts";
import { KvDriver } from "./core/driver.ts";
import { KvCorruptionError, KvOutcomeUnknownError } from "./errors.ts";
import { startsWith } from "./core/key.ts";
import type { KvStoredEntry } from "./core/listing.ts";
import type { KvStoreTraits } from "./store.ts";
import type { EncodedValue } from "./core/value.ts";
import { tryPatiently } from "./workers/errors.ts";
import {
  checkKeyPrefix,
  type WorkersName,
  WorkersNames,
} from "./workers/names.ts";
import type { WorkersKvNamespace } from "./workers/client.ts";
import { MAX_NAMES, readEntries, type WorkersEntry } from "./workers/read.ts";
import {
  checkSize,
  decodeKeyed,
  encodeKeyed,
  MAX_VALUE_BYTES,
  workersCodec,
  type WorkersValue,
} from "./workers/codec.ts";

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
}

/** The shortest life that Workers KV gives a value, in seconds. */
const MIN_EXPIRATION_TTL = 60;

/** The longest one that the runtime takes, in seconds: some 68 years. */
const MAX_EXPIRATION_TTL = 2_147_483_647;

/**
 * A store in a namespace of Workers KV: fast to read all over the world, and
 * eventually consistent. It has no `cas`; `DurableObjectKvStore` of
 * `@org/kv/durable-object` is the store on Cloudflare that has.
 *
 * **Eventual consistency.** What is written in one place may be seen only a
 * minute or more later in another one, even that an entry was missing is
 * remembered there for as long; the last of several writers wins. So an entry
 * here is no lock, no counter, and no proof that something was not done yet: two
 * deliveries of one message that arrive at different places, or within a
 * second, may both be handled. Fedify then falls back on reads and writes that
 * race in this way.
 *
 * **An entry** is a name and a value of the namespace. The name is `keyPrefix`
 * and the parts of the key with `!` between all of them (in a part, `!`, `"`, spaces
 * and control characters are escaped); a plain value is its JSON, and any other
 * one CBOR. `expires` in the metadata is the exact expiry in epoch milliseconds,
 * which every read checks: the platform itself keeps values for at least 60
 * seconds. A key beyond 512 bytes is stored under a digest, and its value is
 * `{ key, value }`. Names without the prefix, and those that encode no key, are
 * left alone; a value under the prefix that is no JSON is a `KvCorruptionError`.
 *
 * **Limits.** A value takes at most 25 MiB. The platform takes one write a
 * second and key: what it refuses is tried again for some ten seconds, and then
 * a `KvError`. Nothing is skipped because it seems to be there already, since
 * what a read finds may be long out of date. A read of several keys in one tick
 * is one operation for up to 100 of them (and one more for each that is CBOR);
 * a listing takes eleven for 1,000 entries.
 *
 * **One store a request.** Make the store inside `fetch`; it costs nothing. The
 * runtime binds what a request started to that request, so calls of one that
 * was cut off would hold up those of others. Pass calls that nobody awaits to
 * `ctx.waitUntil`.
 *
 * @example Usage
 * ```ts ignore
 * import { WorkersKvStore } from "@org/kv/workers";
 *
 * export default {
 *   async fetch(_request, env) {
 *     const kv = new WorkersKvStore(env.KV);
 *     await kv.set(["users", "alice"], { visits: 1 }, { ttl: 5_000 });
 *     return Response.json(await kv.get(["users", "alice"]));
 *   },
 * };
 * ```
 */
export class WorkersKvStore extends KvDriver<WorkersValue> {
  /** What the store is, and what Workers KV keeps it from promising. */
  readonly traits: KvStoreTraits = {
    driver: "workers",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {
      cas: "Workers KV has no conditional write",
      linearizable: "Workers KV is eventually consistent: what is written " +
        "may be seen elsewhere only a minute or more later",
      "stable-list": "Workers KV may list a name that was written or deleted " +
        "within the last minute or so as it was before",
    },
  };

  readonly #namespace: WorkersKvNamespace;
  readonly #names: WorkersNames;

  /**
   * Makes a store.
   *
   * @param namespace The binding, as `env.KV`.
   * @param options The prefix of the names.
   * @throws {TypeError} If the binding or an option is of a wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    namespace: WorkersKvNamespace,
    options: WorkersKvStoreOptions = {},
  ) {
    // A Worker may have six connections open at once.
    super({ codec: workersCodec, maxCalls: MAX_NAMES, concurrency: 6 });
    if (typeof namespace?.getWithMetadata !== "function") {
      throw new TypeError(
        "Cannot make a WorkersKvStore: namespace must be a binding to Workers " +
          `KV: received ${namespace === null ? "null" : typeof namespace}`,
      );
    }
    const { keyPrefix = "kv" } = options;
    checkKeyPrefix(keyPrefix);
    this.#namespace = namespace;
    this.#names = new WorkersNames(keyPrefix);
  }

  /** Reads together what is to be read; every write goes by itself. */
  protected override async execute(
    calls: readonly KvCall<WorkersValue>[],
  ): Promise<void> {
    const gets = calls.filter((call) => call.kind === "get");
    const writes = calls.filter(({ kind }) => kind !== "get");
    await Promise.all([
      this.#get(gets),
      ...writes.map((call) => this.#write(call)),
    ]);
  }

  /** Lists names, and reads a hundred of them at a time. */
  protected override async *pages(
    prefix: readonly string[],
  ): AsyncGenerator<KvStoredEntry<WorkersValue>[]> {
    let names: WorkersName[] = [];
    for await (const name of this.#names.list(this.#namespace, prefix)) {
      if (names.push(name) < MAX_NAMES) continue;
      yield* this.#readPages(names, prefix);
      names = [];
    }
    yield* this.#readPages(names, prefix);
  }

  async *#readPages(
    listed: readonly WorkersName[],
    prefix: readonly string[],
  ): AsyncGenerator<KvStoredEntry<WorkersValue>[]> {
    const byName = new Map(listed.map((each) => [each.name, each]));
    for await (const page of readEntries(this.#namespace, [...byName.keys()])) {
      yield page.flatMap((entry) => {
        const found = this.#listed(byName.get(entry.name)!, entry);
        return found && startsWith(found.key, prefix) ? [found] : [];
      });
    }
  }

  #listed(
    { key, isShortened }: WorkersName,
    { stored, expiry }: WorkersEntry,
  ): KvStoredEntry<WorkersValue> | undefined {
    if (stored === undefined) return undefined;
    if (!isShortened) return { key, value: stored, expiry };
    try {
      const keyed = decodeKeyed(stored);
      return { key: keyed.key, value: keyed, expiry };
    } catch (error) {
      return { key, error };
    }
  }

  async #get(calls: readonly KvGetCall<WorkersValue>[]): Promise<void> {
    const byName = Map.groupBy(calls, ({ key }) => this.#names.of(key).name);
    try {
      const pages = readEntries(this.#namespace, [...byName.keys()]);
      for await (const page of pages) {
        for (const entry of page) {
          for (const call of byName.get(entry.name)!) this.#found(call, entry);
        }
      }
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  }

  #found(
    call: KvGetCall<WorkersValue>,
    { stored, expiry = Infinity }: WorkersEntry,
  ): void {
    if (stored === undefined || expiry <= Date.now()) {
      return call.found(undefined);
    }
    if (!this.#names.of(call.key).isShortened) return call.found(stored);
    try {
      call.found(decodeKeyed(stored));
    } catch (error) {
      call.reject(error, KvCorruptionError);
    }
  }

  async #write(call: KvCall<WorkersValue>): Promise<void> {
    const { name, isShortened } = this.#names.of(call.key);
    let value = call.value as EncodedValue | undefined;
    if (value !== undefined && isShortened) {
      value = encodeKeyed(call.key, value);
      try {
        checkSize(value);
      } catch (error) {
        return call.rejectValue(error as RangeError);
      }
    }
    let isUnknown = false;
    try {
      await tryPatiently(
        () =>
          value === undefined
            ? this.#namespace.delete(name)
            : this.#namespace.put(name, value, lifeOf(call)),
        () => isUnknown = true,
      );
    } catch (error) {
      return call.reject(
        error,
        isUnknown ? KvOutcomeUnknownError : undefined,
      );
    }
    if (call.kind === "set" || call.kind === "delete") call.resolve();
  }
}

/** The exact expiry, and when the platform may forget the value. */
function lifeOf(
  { expiry }: KvCall<WorkersValue>,
): { metadata?: { expires: number }; expirationTtl?: number } {
  if (expiry === undefined) return {};
  const metadata = { expires: expiry };
  const seconds = Math.ceil((expiry - Date.now()) / 1000);
  return seconds > MAX_EXPIRATION_TTL
    ? { metadata }
    : { metadata, expirationTtl: Math.max(seconds, MIN_EXPIRATION_TTL) };
}
