/** Opens `postgres:`, with postgres.js. */

import { type Engine, importClient } from "./engine.ts";

/** How many connections a store uses at once. */
const CONNECTIONS = 4;

/** In seconds. */
const CONNECT_TIMEOUT = 10;

export const postgres: Engine = {
  example: "postgres://user@localhost/database",
  async open(url, options) {
    const { PostgresKvStore } = await import("../kv/postgres.ts");
    // Behind a pooler in transaction mode, prepared statements break.
    const { prepare = true, ...rest } = options;
    const sql = await connectPostgres(url, prepare);
    const close = () => sql.end({ timeout: 5 });
    try {
      return { store: new PostgresKvStore(sql, rest), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/**
 * Creates the client for a URL.
 *
 * @param url The URL.
 * @param prepare Whether to use prepared statements.
 */
export async function connectPostgres(
  url: string,
  prepare: unknown,
  // deno-lint-ignore no-explicit-any -- the types of the client are not loaded
): Promise<any> {
  const { default: connect } = await importClient("postgres", "^3.4.9");
  return connect(url, {
    max: CONNECTIONS,
    fetch_types: false,
    connect_timeout: CONNECT_TIMEOUT,
    prepare,
    onnotice() {},
  });
}
