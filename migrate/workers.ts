/**
 * The layout of Fedify's Workers KV store.
 *
 * @module
 */

import { typeName } from "../kv/core/message.ts";
import type { WorkersKvNamespace } from "../kv/workers/client.ts";
import { retryKv } from "../kv/workers/errors.ts";
import { expiryOf } from "../kv/workers/metadata.ts";
import {
  MAX_NAMES,
  readEntries,
  type WorkersEntry,
} from "../kv/workers/read.ts";
import type { KvKey } from "../kv/store.ts";
import { keyOfJson, NO_KEY } from "./json_key.ts";
import type { MigrationSource, SourceEntry } from "./source.ts";

/** What all names of Fedify's store start with. */
const START = '["';

/**
 * Reads a namespace of Workers KV that a `WorkersKvStore` of Fedify wrote to. It
 * runs in a worker, or wherever there is a binding.
 *
 * @param namespace The binding.
 * @returns The source.
 * @throws {TypeError} If the binding is invalid.
 *
 * @example Usage
 * ```ts ignore
 * import { fedifyWorkersKv, migrate } from "@org/kv/migrate";
 * import { WorkersKvStore } from "@org/kv/workers";
 *
 * await migrate(fedifyWorkersKv(env.KV), new WorkersKvStore(env.KV));
 * ```
 */
export function fedifyWorkersKv(
  namespace: WorkersKvNamespace,
): MigrationSource {
  if (typeof namespace?.getWithMetadata !== "function") {
    throw new TypeError(
      "Cannot migrate from Workers KV: namespace must be a binding: " +
        `received ${typeName(namespace)}`,
    );
  }
  return {
    name: "the namespace of Workers KV",
    notes: [],
    keepsExpiry: true,
    async *pages({ after, wants }) {
      let cursor = after;
      while (true) {
        const page = await retryKv(() =>
          namespace.list({
            prefix: START,
            ...cursor === undefined ? {} : { cursor },
          })
        );
        const wanted = new Map<string, { key: KvKey; expires?: number }>();
        const others: SourceEntry[] = [];
        for (const { name, metadata, expiration } of page.keys as Name[]) {
          const key = keyOfJson(name);
          if (key === undefined) {
            others.push({ key: name, error: NO_KEY });
          } else if (wants(key)) {
            const expires = expiryOf(metadata) ??
              (expiration === undefined ? undefined : expiration * 1000);
            wanted.set(name, {
              key,
              ...expires === undefined ? {} : { expires },
            });
          }
        }
        const names = [...wanted.keys()];
        for (let i = 0; i < names.length; i += MAX_NAMES) {
          const some = names.slice(i, i + MAX_NAMES);
          for await (const entries of readEntries(namespace, some)) {
            yield {
              entries: entries.flatMap((entry) => {
                const { key, expires } = wanted.get(entry.name)!;
                return entryOf(key, expires, entry);
              }),
            };
          }
        }
        cursor = page.list_complete ? undefined : page.cursor;
        yield { entries: others, cursor };
        if (cursor === undefined) return;
      }
    },
  };
}

interface Name {
  readonly name: string;
  readonly metadata?: unknown;
  /** The native expiry, in epoch seconds. */
  readonly expiration?: number;
}

function entryOf(
  key: KvKey,
  expires: number | undefined,
  entry: WorkersEntry,
): SourceEntry[] {
  // A namespace that cannot be read is no fault of the entry.
  if ("error" in entry) throw entry.error;
  const { stored, expiry = expires } = entry;
  if (stored === undefined) return [];
  try {
    const text = typeof stored === "string" ? stored : decoder.decode(stored);
    return [{ key, value: JSON.parse(text), expires: expiry }];
  } catch {
    return [{ key, error: "its value is not JSON" }];
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
