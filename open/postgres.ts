/** Opens `postgres:`, with postgres.js. */

import { type Engine, importClient } from "./engine.ts";

/** How many connections a store uses at once. */
const CONNECTIONS = 4;

/** In seconds. */
const CONNECT_TIMEOUT = 10;
const END_TIMEOUT = 2;

export const postgres: Engine = {
  example: "postgres://user@localhost/database",
  async open(url, options) {
    const { PostgresKvStore } = await import("../kv/postgres.ts");
    // Behind a pooler in transaction mode, prepared statements break.
    const { prepare = true, ...rest } = options;
    const { sql, close } = await connectPostgres(url, prepare);
    try {
      return { store: new PostgresKvStore(sql, rest), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/** A client, and how to close it. */
export interface PostgresConnection {
  // deno-lint-ignore no-explicit-any -- the types of the client are not loaded
  readonly sql: any;
  close(): Promise<void>;
}

/**
 * Creates the client for a URL.
 *
 * @param url The URL.
 * @param prepare Whether to use prepared statements.
 */
export async function connectPostgres(
  url: string,
  prepare: unknown,
): Promise<PostgresConnection> {
  const { default: connect } = await importClient("postgres", "^3.4.9");
  const sockets = await openSockets();
  const sql = connect(url, {
    max: CONNECTIONS,
    fetch_types: false,
    connect_timeout: CONNECT_TIMEOUT,
    prepare,
    onnotice() {},
    socket: sockets.open,
  });
  async function close(): Promise<void> {
    await sql.end({ timeout: END_TIMEOUT });
    await sockets.destroy();
  }
  return { sql, close };
}

/** Where postgres.js connects to. */
interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

/**
 * Opens sockets for postgres.js, which leaves one half open whose server is
 * silent: the process would never exit.
 */
async function openSockets() {
  const { connect } = await import("node:net");
  const sockets = new Set<ReturnType<typeof connect>>();
  let next = 0;
  return {
    open({ host, port, path }: Address) {
      for (const socket of sockets) {
        if (socket.destroyed) sockets.delete(socket);
      }
      const index = next++ % host.length;
      const socket = path ? connect(path) : connect(port[index]!, host[index]!);
      sockets.add(socket);
      // The name of the server, for TLS.
      return Object.assign(socket, { host: host[index] });
    },
    async destroy() {
      await Promise.all([...sockets].map(async (socket) => {
        if (socket.destroyed) return;
        const closed = new Promise((resolve) => socket.once("close", resolve));
        socket.destroy();
        await closed;
      }));
    },
  };
}
