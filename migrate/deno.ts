/**
 * The layout of Fedify's Deno KV store.
 *
 * @module
 */

import {
  checkClient,
  type DenoKvClient,
  type DenoKvEntry,
} from "../kv/deno/client.ts";
import { isLocked, isUndecodable } from "../kv/deno/errors.ts";
import { KvCorruptionError } from "../kv/errors.ts";
import { describe } from "../kv/core/key.ts";
import { retry } from "../kv/core/retry.ts";
import { isKey } from "./json_key.ts";
import type { MigrationSource, SourceEntry } from "./source.ts";

/** The entries of Fedify's message queue, which makes them again. */
const LOCKS = "__fedify_ordering_lock__";

/** How many entries are read at once. */
const PAGE = 100;

/** How long to wait for the lock of the file, in milliseconds. */
const BUSY_TIMEOUT = 60_000;

/** From the first to the last key of a database. */
const ALL = { start: [new Uint8Array()], end: [true, true] };

/**
 * Reads a database of Deno KV that a `DenoKvStore` of Fedify wrote to.
 *
 * Deno KV does not tell when an entry expires: all entries arrive without a TTL.
 * The locks of Fedify's message queue are left out.
 *
 * @param kv The database, from `Deno.openKv()` or `@deno/kv`.
 * @returns The source.
 * @throws {TypeError} If the database is invalid.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { fedifyDenoKv, migrate } from "@org/kv/migrate";
 * import { assertEquals } from "@std/assert";
 *
 * using db = await Deno.openKv(":memory:");
 * await db.set(["users", "alice"], { n: 1 });
 * const kv = new MemoryKvStore();
 * await migrate(fedifyDenoKv(db), kv, { onNote: console.warn });
 * assertEquals(await kv.get(["users", "alice"]), { n: 1 });
 * ```
 */
export function fedifyDenoKv(kv: DenoKvClient): MigrationSource {
  checkClient(kv);
  return {
    name: "the Deno KV database",
    notes: [
      "Deno KV does not tell when an entry expires: entries that have a TTL " +
      "arrive without one. Leave out what expires soon anyway, such as " +
      '["_fedify","remoteDocument"], with exclude.',
    ],
    keepsExpiry: false,
    async *pages({ after, wants }) {
      let cursor = after;
      let last: DenoKvEntry | undefined;
      while (true) {
        const page = await readPage(kv, cursor, last);
        last = page.entries.at(-1) ?? last;
        const entries: SourceEntry[] = [];
        for (const { key, value } of page.entries) {
          if (key[0] === LOCKS) continue;
          if (!isKey(key)) {
            const error = "a part of its key is not a string";
            entries.push({ key: nameOf(key), error });
          } else if (wants(key)) {
            entries.push({ key, value });
          }
        }
        if (page.entries.length === 0) return;
        cursor = page.cursor;
        yield { entries, cursor };
        if (page.entries.length < PAGE) return;
      }
    },
  };
}

async function readPage(
  kv: DenoKvClient,
  cursor: string | undefined,
  last: DenoKvEntry | undefined,
): Promise<{ entries: DenoKvEntry[]; cursor: string }> {
  try {
    return await retry(async () => {
      const list = kv.list(ALL, {
        limit: PAGE,
        batchSize: PAGE,
        ...cursor === undefined ? {} : { cursor },
      });
      const entries = await Array.fromAsync(list);
      return { entries, cursor: list.cursor };
    }, { isTransient: isLocked, timeout: BUSY_TIMEOUT });
  } catch (error) {
    if (!isUndecodable(error)) throw error;
    const place = last === undefined ? "" : ` after ${nameOf(last.key)}`;
    throw new KvCorruptionError(
      `Cannot read the Deno KV database: one of the ${PAGE} entries${place} ` +
        "has a value that this runtime cannot decode",
      { cause: error },
    );
  }
}

/** A key of Deno KV, for a message. */
function nameOf(key: readonly unknown[]): string {
  return describe(
    key.map((part) => typeof part === "string" ? part : String(part)),
  );
}
