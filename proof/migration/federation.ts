// Two Fedify servers stop, move to other stores, and go on.
import type { KvKey, KvStore, KvStoreSetOptions } from "@fedify/fedify";
import { PostgresKvStore as FedifyPostgres } from "@fedify/postgres";
import { RedisKvStore as FedifyRedis } from "@fedify/redis";
import { Redis } from "ioredis";
import postgres from "postgres";
import { runDemo } from "../../examples/federation/demo.ts";
import type { OpenedStore } from "../../examples/federation/stores.ts";
import {
  fedifyPostgres,
  fedifyRedis,
  migrate,
  type MigrationSource,
} from "../../migrate/mod.ts";
import { openKv } from "../../open/mod.ts";

/** Where to move, for a server by its name: a URL and options of the store. */
export type TargetOf = (
  name: string,
) => { readonly url: string; readonly options?: Record<string, string> };

/** Opens one of Fedify's own stores, and the source that reads it. */
export type OpenFedify = (name: string) => Promise<{
  readonly kv: Pick<KvStore, "get" | "set" | "delete">;
  readonly source: MigrationSource;
  close(): Promise<unknown>;
}>;

/**
 * Opens Fedify's store on Redis.
 *
 * @param url The server.
 * @param tag What the names start with.
 */
export function redisOf(url: string, tag = ""): OpenFedify {
  // deno-lint-ignore require-await
  return async (name) => {
    const redis = new Redis(url);
    const keyPrefix = `${tag}${name}::`;
    return {
      kv: new FedifyRedis(redis as never, { keyPrefix }) as never,
      source: fedifyRedis(redis, { keyPrefix }),
      close: () => redis.quit(),
    };
  };
}

/** The same on PostgreSQL. */
export function postgresOf(url: string, tag = ""): OpenFedify {
  // deno-lint-ignore require-await
  return async (name) => {
    const sql = postgres(url, { onnotice() {} });
    const tableName = `fedify_${tag}${name}`;
    return {
      kv: new FedifyPostgres(sql, { tableName }) as never,
      source: fedifyPostgres(sql, { tableName }),
      close: () => sql.end({ timeout: 5 }),
    };
  };
}

/** Fedify's stores of 1.8.7 have no `list()`, which the servers need. */
class Listed implements KvStore {
  readonly #kv: Pick<KvStore, "get" | "set" | "delete">;
  readonly #source: MigrationSource;

  constructor({ kv, source }: Awaited<ReturnType<OpenFedify>>) {
    this.#kv = kv;
    this.#source = source;
  }

  get<T = unknown>(key: KvKey): Promise<T | undefined> {
    return this.#kv.get<T>(key);
  }

  set(key: KvKey, value: unknown, options?: KvStoreSetOptions): Promise<void> {
    return this.#kv.set(key, value, options);
  }

  delete(key: KvKey): Promise<void> {
    return this.#kv.delete(key);
  }

  async *list(
    prefix: KvKey | readonly [] = [],
  ): AsyncGenerator<{ key: KvKey; value: unknown }> {
    const wants = (key: readonly string[]) =>
      prefix.every((part, i) => key[i] === part);
    const request = { prefix, after: undefined, wants };
    for await (const { entries } of this.#source.pages(request)) {
      for (const entry of entries) {
        if (!("error" in entry) && wants(entry.key)) yield entry;
      }
    }
  }
}

/**
 * Runs the demo of two servers: they start on Fedify's own stores, and continue
 * on stores that have received the entries. The demo fails if a server makes new
 * keys, fetches a key again or handles an old activity again.
 */
export async function federate(
  openFedify: OpenFedify,
  targetOf: TargetOf,
): Promise<void> {
  const moved = new Set<string>();
  const opened = new Set<string>();

  async function move(name: string): Promise<void> {
    moved.add(name);
    const { source, close } = await openFedify(name);
    const { url, options = {} } = targetOf(name);
    try {
      await using target = await openKv(url, options);
      const summary = await migrate(source, target, { verify: true });
      if (summary.written === 0 || summary.different!.length > 0) {
        throw new Error(`The entries of ${name} have not arrived`);
      }
    } finally {
      await close();
    }
  }

  await runDemo({
    async openStore(name): Promise<OpenedStore> {
      if (!opened.has(name)) {
        opened.add(name);
        const fedify = await openFedify(name);
        return {
          kv: new Listed(fedify),
          close: async () => void await fedify.close(),
        };
      }
      if (!moved.has(name)) await move(name);
      const { url, options = {} } = targetOf(name);
      const kv = await openKv(url, options);
      return { kv, close: () => kv[Symbol.asyncDispose]() };
    },
    print() {},
    signal: new AbortController().signal,
  });
}
