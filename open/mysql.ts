/** Opens `mysql:` and `mariadb:`, with mysql2. */

import { type Engine, importClient } from "./engine.ts";

/** How many connections a store uses at once. */
const CONNECTIONS = 4;

/** In milliseconds. */
const CONNECT_TIMEOUT = 10_000;

export const mysql: Engine = {
  example: "mysql://user@localhost/database",
  async open(url, options) {
    const { MysqlKvStore } = await import("../kv/mysql.ts");
    const { createPool } = await importClient("mysql2", "^3.24.0");
    const pool = createPool({
      uri: url.replace(/^mariadb:/, "mysql:"),
      connectionLimit: CONNECTIONS,
      connectTimeout: CONNECT_TIMEOUT,
    });
    const close = () => pool.promise().end();
    try {
      return { store: new MysqlKvStore(pool, options), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};
