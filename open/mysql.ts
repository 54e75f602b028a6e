/** Opens `mysql:` and `mariadb:`, with mysql2. */

import { type Engine, importClient } from "./engine.ts";

/** How many connections a store uses at once. */
const CONNECTIONS = 4;

/** In milliseconds. */
const CONNECT_TIMEOUT = 10_000;
const END_TIMEOUT = 2_000;

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
    const connections = new Set<Connection>();
    pool.on("connection", (connection: Connection) => {
      connections.add(connection);
      connection.stream.once("close", () => connections.delete(connection));
    });
    async function close(): Promise<void> {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, END_TIMEOUT);
      });
      await Promise.race([pool.promise().end(), late]);
      clearTimeout(timer);
      // A server that is silent does not close its side, and the process would
      // never exit.
      for (const connection of connections) connection.destroy();
    }
    try {
      return { store: new MysqlKvStore(pool, options), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/** What closing needs of a connection of mysql2. */
interface Connection {
  readonly stream: { once(event: "close", listener: () => void): void };
  destroy(): void;
}
