/** The bare clients that `kv bench` compares the stores with. */

import { connectDeno } from "../../open/deno.ts";
import { importClient, pathOf } from "../../open/engine.ts";
import { connectPostgres } from "../../open/postgres.ts";
import { connectRedis } from "../../open/redis.ts";

/** A client that does the least: it writes and reads text under a name. */
export interface BareClient {
  set(name: string, text: string): unknown;
  get(name: string): unknown;
  /** Removes what was written, and closes the client. */
  close(): Promise<void>;
}

type Opener = (url: string, space: string) => Promise<BareClient>;

const OPENERS: Readonly<Record<string, Opener>> = {
  memory() {
    const entries = new Map<string, string>();
    return Promise.resolve({
      set: (name, text) => void entries.set(name, text),
      get: (name) => entries.get(name),
      close: () => Promise.resolve(),
    });
  },
  async sqlite(url, space) {
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(pathOf(url), { timeout: 5_000 });
    db.exec(
      `PRAGMA synchronous = NORMAL; CREATE TABLE "${space}" ` +
        "(name TEXT PRIMARY KEY, text TEXT)",
    );
    const set = db.prepare(
      `INSERT INTO "${space}" VALUES (?, ?) ` +
        "ON CONFLICT (name) DO UPDATE SET text = excluded.text",
    );
    const get = db.prepare(`SELECT text FROM "${space}" WHERE name = ?`);
    return {
      set: (name, text) => set.run(name, text),
      get: (name) => get.get(name),
      // deno-lint-ignore require-await
      async close() {
        db.exec(`DROP TABLE "${space}"`);
        db.close();
      },
    };
  },
  async deno(url, space) {
    // deno-lint-ignore no-explicit-any -- the unstable types are not loaded
    const kv = await connectDeno(url) as any;
    return {
      set: (name, text) => kv.set([space, name], text),
      get: (name) => kv.get([space, name]),
      async close() {
        for await (const { key } of kv.list({ prefix: [space] })) {
          await kv.delete(key);
        }
        kv.close();
      },
    };
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
 * Opens the bare client for a URL.
 *
 * @param url The URL.
 * @param space A name that nobody else uses, for what it writes.
 * @returns The client; nothing where two clients cannot be open at once.
 */
export async function openBare(
  url: string,
  space: string,
): Promise<BareClient | undefined> {
  return await OPENERS[url.slice(0, url.indexOf(":"))]?.(url, space);
}

async function openRedis(url: string, space: string): Promise<BareClient> {
  const { client, close } = await connectRedis(url);
  const names = new Set<string>();
  return {
    set(name, text) {
      names.add(name);
      return client.set(`${space}:${name}`, text);
    },
    get: (name) => client.get(`${space}:${name}`),
    async close() {
      await Promise.all(
        Array.from(names, (name) => client.del(`${space}:${name}`)),
      );
      await close();
    },
  };
}

async function openPostgres(url: string, space: string): Promise<BareClient> {
  const { sql, close } = await connectPostgres(url, true);
  try {
    await sql.unsafe(
      `CREATE TABLE "${space}" (name text PRIMARY KEY, text text)`,
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    set: (name, text) =>
      sql`INSERT INTO ${sql(space)} VALUES (${name}, ${text})
        ON CONFLICT (name) DO UPDATE SET text = excluded.text`,
    get: (name) => sql`SELECT text FROM ${sql(space)} WHERE name = ${name}`,
    async close() {
      await sql.unsafe(`DROP TABLE "${space}"`);
      await close();
    },
  };
}

async function openMysql(url: string, space: string): Promise<BareClient> {
  const { createPool } = await importClient("mysql2/promise", "^3.24.0");
  const pool = createPool({
    uri: url.replace(/^mariadb:/, "mysql:"),
    connectionLimit: 4,
  });
  try {
    await pool.query(
      `CREATE TABLE \`${space}\` (name varchar(64) PRIMARY KEY, text text)`,
    );
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    set: (name, text) =>
      pool.execute(
        `INSERT INTO \`${space}\` VALUES (?, ?) ` +
          "ON DUPLICATE KEY UPDATE text = VALUES(text)",
        [name, text],
      ),
    get: (name) =>
      pool.execute(`SELECT text FROM \`${space}\` WHERE name = ?`, [name]),
    async close() {
      await pool.query(`DROP TABLE \`${space}\``);
      await pool.end();
    },
  };
}
