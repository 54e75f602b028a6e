/**
 * A store of this module as a source.
 *
 * @module
 */

import { typeName } from "../kv/core/message.ts";
import { KvCorruptionError } from "../kv/errors.ts";
import type { KvExtendedStore, KvKey, KvListOptions } from "../kv/store.ts";
import type { MigrationSource, SourceEntry } from "./source.ts";

/** How many entries make a page. */
const PAGE = 256;

/**
 * Reads the entries of a store of this module.
 *
 * @param store The store.
 * @returns The source.
 * @throws {TypeError} If the store is not one of this module.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { migrate, storeSource } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 *
 * const from = new MemoryKvStore();
 * await from.set(["a"], new Date(0), { ttl: 60_000 });
 * const to = new MemoryKvStore();
 * await migrate(storeSource(from), to);
 * assertEquals(await to.get(["a"]), new Date(0));
 * ```
 */
export function storeSource(store: KvExtendedStore): MigrationSource {
  if (typeof store?.list !== "function" || typeof store.keys !== "function") {
    throw new TypeError(
      "Cannot migrate from a store: store must be one of this module: " +
        `received ${typeName(store)}`,
    );
  }
  return {
    name: `the ${store.traits.driver} store`,
    notes: [],
    keepsExpiry: true,
    count: (prefix, signal) => store.count(prefix, { signal }),
    async *pages({ prefix, after: cursor, wants }) {
      let after = cursor === undefined
        ? undefined
        : JSON.parse(cursor) as KvKey;
      let entries: SourceEntry[] = [];
      while (true) {
        try {
          const options = listOptions(after);
          for await (const entry of store.list(prefix, options)) {
            after = entry.key;
            if (wants(entry.key)) entries.push(entry);
            if (entries.length < PAGE) continue;
            yield { entries, cursor: JSON.stringify(after) };
            entries = [];
          }
          break;
        } catch (error) {
          if (!(error instanceof KvCorruptionError)) throw error;
          const key = await keyAfter(store, prefix, after);
          if (key === undefined) throw error;
          after = key;
          if (wants(key)) entries.push({ key, error });
        }
      }
      const end = after === undefined ? undefined : JSON.stringify(after);
      yield { entries, cursor: end };
    },
  };
}

/** The key of a damaged entry: the next one, whose value is not read. */
async function keyAfter(
  store: KvExtendedStore,
  prefix: KvKey | readonly [],
  after: KvKey | undefined,
): Promise<KvKey | undefined> {
  const options = { ...listOptions(after), limit: 1 };
  for await (const { key } of store.keys(prefix, options)) return key;
  return undefined;
}

function listOptions(after: KvKey | undefined): KvListOptions {
  return after === undefined ? {} : { after };
}
