/**
 * Opening a store by a URL: the driver and its client are imported on demand.
 *
 * @example Usage
 * ```ts
 * import { openKv } from "@org/kv/open";
 * import { assertEquals } from "@std/assert";
 *
 * await using kv = await openKv("sqlite::memory:");
 * await kv.set(["greeting"], "Hello");
 * assertEquals(await kv.get(["greeting"]), "Hello");
 * ```
 *
 * @module
 */

import { pause } from "../kv/core/retry.ts";
import type { KvExtendedStore } from "../kv/store.ts";
import { deno } from "./deno.ts";
import type { Engine } from "./engine.ts";
import { memory } from "./memory.ts";
import { mysql } from "./mysql.ts";
import { pglite } from "./pglite.ts";
import { postgres } from "./postgres.ts";
import { redis } from "./redis.ts";
import { sqlite } from "./sqlite.ts";

export type { KvExtendedStore } from "../kv/store.ts";

/**
 * A store that owns its client: `await using` closes both.
 *
 * @example Usage
 * ```ts
 * import { openKv, type OwningKvStore } from "@org/kv/open";
 *
 * await using kv: OwningKvStore = await openKv("memory:");
 * await kv.set(["a"], 1);
 * ```
 */
export type OwningKvStore = KvExtendedStore & {
  /** Closes the store and its client, once calls that are pending are settled. */
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Options of the store: those of its driver, and some of its client.
 *
 * - `sqlite:` also takes `synchronous`: `"OFF"`, `"NORMAL"` (the default),
 *   `"FULL"` or `"EXTRA"`.
 * - `postgres:` also takes `prepare`: `false` behind a pooler in transaction
 *   mode.
 *
 * @example Usage
 * ```ts
 * import { openKv, type OpenKvOptions } from "@org/kv/open";
 *
 * const options: OpenKvOptions = { tableName: "sessions" };
 * await using kv = await openKv("sqlite::memory:", options);
 * ```
 */
export type OpenKvOptions = Readonly<Record<string, unknown>>;

const ENGINES: Readonly<Record<string, Engine>> = {
  memory,
  sqlite,
  deno,
  redis,
  rediss: redis,
  "redis+cluster": redis,
  postgres,
  postgresql: postgres,
  pglite,
  mysql,
  mariadb: mysql,
};

/**
 * Opens a store.
 *
 * | URL | store |
 * | --- | --- |
 * | `memory:` | in the memory of the process |
 * | `sqlite:path` | in a SQLite database; `sqlite::memory:` for one in memory |
 * | `deno:path`, `deno:https://…` | in Deno KV |
 * | `redis://…`, `rediss://…` | on Redis |
 * | `redis+cluster://host:port,host:port` | on Redis Cluster |
 * | `postgres://…` | in PostgreSQL |
 * | `pglite:path` | in PGlite |
 * | `mysql://…`, `mariadb://…` | in MySQL or MariaDB |
 *
 * @param url The URL.
 * @param options Options of the store.
 * @returns The store, which closes its client when it is disposed.
 * @throws {TypeError} If the URL is unknown or an option is wrong.
 * @throws {KvError} If the client is not installed or the store cannot be opened.
 *
 * @example Usage
 * ```ts
 * import { openKv } from "@org/kv/open";
 * import { assertEquals } from "@std/assert";
 *
 * await using kv = await openKv("memory:");
 * assertEquals(kv.traits.driver, "memory");
 * ```
 */
export async function openKv(
  url: string | { readonly href: string },
  options: OpenKvOptions = {},
): Promise<OwningKvStore> {
  const given = String(url);
  const colon = Math.max(0, given.indexOf(":"));
  const scheme = given.slice(0, colon).toLowerCase();
  const text = scheme + given.slice(colon);
  if (!Object.hasOwn(ENGINES, scheme)) {
    const examples = [...new Set(Object.values(ENGINES))].map(({ example }) =>
      example
    );
    throw new TypeError(
      `Cannot open a store: the URL must be one of ${examples.join(", ")}: ` +
        `received the scheme ${JSON.stringify(scheme)}`,
    );
  }
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot open a store: options must be an object: received ${options}`,
    );
  }
  const { store, close } = await ENGINES[scheme]!.open(text, options);
  let closed: Promise<void> | undefined;
  async function dispose(): Promise<void> {
    // Calls that nobody has awaited still take effect.
    while (store.pending > 0) await pause(1);
    await close();
  }
  return Object.defineProperty(store, Symbol.asyncDispose, {
    value: () => closed ??= dispose(),
  }) as OwningKvStore;
}
