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
    const { default: connect } = await importClient("postgres", "^3.4.9");
    // Behind a pooler in transaction mode, prepared statements break.
    const { prepare = true, ...rest } = options;
    const sql = connect(url, {
      max: CONNECTIONS,
      fetch_types: false,
      connect_timeout: CONNECT_TIMEOUT,
      prepare,
      onnotice() {},
    });
    const close = () => sql.end({ timeout: 5 });
    try {
      return { store: new PostgresKvStore(sql, rest), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};
