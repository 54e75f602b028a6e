/** Opening the storage of Fedify's own stores. */

import {
  fedifyDenoKv,
  fedifyMysql,
  fedifyPostgres,
  fedifyRedis,
  fedifySqlite,
  type MigrationSource,
} from "../migrate/mod.ts";
import { connectDeno } from "../open/deno.ts";
import { importClient, pathOf } from "../open/engine.ts";
import { connectPostgres } from "../open/postgres.ts";
import { connectRedis } from "../open/redis.ts";
import { Expected } from "./errors.ts";

/** A source, and how to close its client. */
export interface OpenedSource {
  readonly source: MigrationSource;
  close(): unknown;
}

/** Where Fedify's entries are. */
export interface SourceOptions {
  readonly sourceTable?: string;
  readonly sourceKeyPrefix?: string;
}

type Opener = (url: string, options: SourceOptions) => Promise<OpenedSource>;

const OPENERS: Readonly<Record<string, Opener>> = {
  async sqlite(url, { sourceTable: tableName }) {
    const { DatabaseSync } = await import("node:sqlite");
    let db: InstanceType<typeof DatabaseSync>;
    try {
      db = new DatabaseSync(pathOf(url), { readOnly: true });
    } catch (error) {
      throw new Expected(`cannot open ${url}: ${(error as Error).message}`);
    }
    return closing(() => db.close(), () => fedifySqlite(db, { tableName }));
  },
  async deno(url) {
    const kv = await connectDeno(url);
    return closing(() => kv.close(), () => fedifyDenoKv(kv));
  },
  redis: openRedis,
  rediss: openRedis,
  "redis+cluster": openRedis,
  postgres: openPostgres,
  postgresql: openPostgres,
  mysql: openMysql,
  mariadb: openMysql,
};

/**
 * Opens the storage of one of Fedify's stores, only to read it.
 *
 * @param url The URL.
 * @param options Where the entries are.
 */
export async function openSource(
  url: string,
  options: SourceOptions,
): Promise<OpenedSource> {
  const colon = Math.max(0, url.indexOf(":"));
  const scheme = url.slice(0, colon).toLowerCase();
  if (!Object.hasOwn(OPENERS, scheme)) {
    throw new Expected(
      `cannot migrate from ${
        JSON.stringify(scheme)
      }: the URL must start with ` +
        Object.keys(OPENERS).map((each) => `${each}:`).join(", "),
      2,
    );
  }
  return await OPENERS[scheme]!(scheme + url.slice(colon), options);
}

async function openRedis(
  url: string,
  { sourceKeyPrefix: keyPrefix }: SourceOptions,
): Promise<OpenedSource> {
  const { client: redis, close } = await connectRedis(url);
  return closing(
    close,
    () => fedifyRedis(redis, { keyPrefix }),
  );
}

async function openPostgres(
  url: string,
  { sourceTable: tableName }: SourceOptions,
): Promise<OpenedSource> {
  const { sql, close } = await connectPostgres(url, true);
  return closing(close, () => fedifyPostgres(sql, { tableName }));
}

async function openMysql(
  url: string,
  { sourceTable: tableName }: SourceOptions,
): Promise<OpenedSource> {
  const { createPool } = await importClient("mysql2/promise", "^3.24.0");
  const pool = createPool(url.replace(/^mariadb:/, "mysql:"));
  return closing(
    () => pool.end(),
    () => fedifyMysql(pool, { tableName }),
  );
}

/** A source whose client is closed, also if it cannot be one. */
async function closing(
  close: () => unknown,
  sourceOf: () => MigrationSource,
): Promise<OpenedSource> {
  try {
    return { source: sourceOf(), close };
  } catch (error) {
    await close();
    throw error;
  }
}
