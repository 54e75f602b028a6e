/**
 * Any store of this module as a driver of [unstorage](https://unstorage.unjs.io),
 * for Nitro, Nuxt and other programs that use it.
 *
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { unstorageDriver } from "@org/kv/unstorage";
 * import { assertEquals } from "@std/assert";
 * import { createStorage } from "unstorage";
 *
 * const kv = new MemoryKvStore();
 * const storage = createStorage({ driver: unstorageDriver(kv) });
 * await storage.setItem("users:alice", { visits: 1 }, { ttl: 3_600 });
 * assertEquals(await storage.getItem("users:alice"), { visits: 1 });
 * assertEquals(await storage.getKeys("users"), ["users:alice"]);
 * ```
 *
 * @module
 */
import type { KvKey, KvStore } from "../kv/store.ts";

export type {
  KvKey,
  KvListOptions,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
  Ttl,
} from "../kv/store.ts";

/** How many keys `clear()` deletes at once. */
const batchLength = 256;

/**
 * Options of {@linkcode unstorageDriver}.
 *
 * @example Usage
 * ```ts
 * import type { UnstorageDriverOptions } from "@org/kv/unstorage";
 *
 * const options: UnstorageDriverOptions = { prefix: ["nitro"], ttl: 3_600 };
 * ```
 */
export interface UnstorageDriverOptions {
  /**
   * The leading parts of every key. `clear()` deletes nothing outside of them.
   *
   * @default {["unstorage"]}
   */
  prefix?: KvKey;
  /**
   * How long items live that are written without a `ttl`, in seconds, as in the
   * drivers of unstorage.
   *
   * @default {undefined}
   */
  ttl?: number;
}

/**
 * A driver of unstorage, as {@linkcode unstorageDriver} returns it.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { type UnstorageDriver, unstorageDriver } from "@org/kv/unstorage";
 *
 * const driver: UnstorageDriver = unstorageDriver(new MemoryKvStore());
 * ```
 */
export interface UnstorageDriver {
  /** The name of the driver. */
  name: string;
  /** The features that unstorage need not emulate. */
  flags: { ttl: boolean };
  /** Returns the store. */
  getInstance(): KvStore;
  /** Tells whether there is an item. */
  hasItem(key: string): Promise<boolean>;
  /** Reads an item; `null` if it is missing. */
  getItem(key: string): Promise<string | null>;
  /** Reads several items, in one batch. */
  getItems(
    items: { key: string }[],
  ): Promise<{ key: string; value: string | null }[]>;
  /** Reads a raw value, of any type that the store holds. */
  getItemRaw(key: string): Promise<unknown>;
  /** Writes an item. */
  setItem(
    key: string,
    value: string,
    options?: { ttl?: number },
  ): Promise<void>;
  /** Writes a raw value, of any type that the store holds. */
  setItemRaw(
    key: string,
    value: unknown,
    options?: { ttl?: number },
  ): Promise<void>;
  /** Deletes an item. */
  removeItem(key: string): Promise<void>;
  /** Lists the keys that start with a base. */
  getKeys(base?: string): Promise<string[]>;
  /** Deletes the items whose keys start with a base. */
  clear(base?: string): Promise<void>;
}

/**
 * Makes a driver for unstorage. An item `a:b` is stored under
 * `[...prefix, "a", "b"]`. The driver never closes the store.
 *
 * @param kv The store.
 * @param options The prefix of all keys, and the default TTL.
 * @returns The driver.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { unstorageDriver } from "@org/kv/unstorage";
 * import { assertEquals } from "@std/assert";
 *
 * const kv = new MemoryKvStore();
 * const driver = unstorageDriver(kv, { prefix: ["cache"] });
 * await driver.setItem("a:b", "1");
 * assertEquals(await kv.get(["cache", "a", "b"]), "1");
 * ```
 */
export function unstorageDriver(
  kv: KvStore,
  options: UnstorageDriverOptions = {},
): UnstorageDriver {
  const { prefix = ["unstorage"], ttl: defaultTtl } = options;
  const keyOf = (key: string): KvKey => [...prefix, ...key.split(":")];
  const get = async (key: string) => await kv.get(keyOf(key)) ?? null;

  async function set(
    key: string,
    value: unknown,
    { ttl = defaultTtl }: { ttl?: number } = {},
  ): Promise<void> {
    await kv.set(keyOf(key), value, {
      ttl: ttl === undefined ? undefined : ttl * 1_000,
    });
  }

  async function* keysUnder(base = ""): AsyncGenerator<KvKey> {
    const parts = base.split(":").filter(Boolean);
    for await (const { key } of kv.list([...prefix, ...parts])) {
      if (key.length > prefix.length) yield key;
    }
  }

  return {
    name: "@org/kv",
    flags: { ttl: true },
    getInstance: () => kv,
    hasItem: async (key) => await get(key) !== null,
    getItem: (key) => get(key) as Promise<string | null>,
    getItems: (items) =>
      Promise.all(
        items.map(async ({ key }) => ({
          key,
          value: await get(key) as string | null,
        })),
      ),
    getItemRaw: get,
    setItem: set,
    setItemRaw: set,
    removeItem: (key) => kv.delete(keyOf(key)),
    async getKeys(base) {
      const keys: string[] = [];
      for await (const key of keysUnder(base)) {
        keys.push(key.slice(prefix.length).join(":"));
      }
      return keys;
    },
    async clear(base) {
      let deletions: Promise<void>[] = [];
      for await (const key of keysUnder(base)) {
        if (deletions.push(kv.delete(key)) < batchLength) continue;
        await Promise.all(deletions);
        deletions = [];
      }
      await Promise.all(deletions);
    },
  };
}
