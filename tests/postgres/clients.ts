// PostgreSQL clients and tables for tests.
import postgres from "postgres";
import {
  PostgresKvStore,
  type PostgresKvStoreOptions,
} from "../../kv/postgres.ts";
import { sharedUrl, unavailable } from "../../servers/mod.ts";

/** Why there is no PostgreSQL: `undefined` if there is one. */
export const reason = await unavailable("postgres");

/** The URL of the shared PostgreSQL. */
export const url = reason === undefined ? await sharedUrl("postgres") : "";

/** Options of a client of postgres.js. */
export type ClientOptions = postgres.Options<Record<string, never>>;

/** A statement that a client was given. */
export interface Sent {
  statement: string;
  parameters: unknown[];
  rows: number | undefined;
}

/** A table of a test's own, and what uses it. */
export interface Fixture {
  /** The name of the table. */
  tableName: string;
  /** A client for what a test does besides. */
  sql: postgres.Sql;
  /** A store on the table, with its own client. */
  store: PostgresKvStore;
  /** Another store on the table, with its own client. */
  connect(
    options?: ClientOptions,
    storeOptions?: PostgresKvStoreOptions,
  ): PostgresKvStore;
  /** As `connect`, but what is sent is noted. */
  observe(options?: ClientOptions): { store: PostgresKvStore; sent: Sent[] };
}

/** A test on the shared PostgreSQL, with its own table. */
export function testOnPostgres(
  sentence: string,
  fn: (fixture: Fixture) => Promise<void>,
): void {
  Deno.test({
    name: reason === undefined ? sentence : `${sentence} (${reason})`,
    ignore: reason !== undefined,
    fn: () => withTable(url, fn),
  });
}

/** Gives a function its own table on a server. */
export async function withTable(
  url: string,
  fn: (fixture: Fixture) => Promise<void>,
  tableName: string = crypto.randomUUID(),
): Promise<void> {
  const sql = postgres(url, { fetch_types: false, onnotice: () => {} });
  const clients = [sql];
  function open(options: ClientOptions = {}): postgres.Sql {
    const client = postgres(url, { fetch_types: false, ...options });
    clients.push(client);
    return client;
  }
  const connect: Fixture["connect"] = (options, storeOptions) =>
    new PostgresKvStore(open(options), { tableName, ...storeOptions });
  function observe(options?: ClientOptions) {
    const client = open(options);
    const sent: Sent[] = [];
    const store = new PostgresKvStore({
      unsafe: (statement, parameters = [], options) => ({
        async raw() {
          const one: Sent = { statement, parameters, rows: undefined };
          sent.push(one);
          const rows = await client.unsafe(statement, parameters, options)
            .raw();
          one.rows = rows.length;
          return rows;
        },
      }),
    }, { tableName });
    return { store, sent };
  }
  try {
    // Without `fetch_types`, postgres.js reserves no connection before a query.
    await sql`SELECT 1`;
    await fn({ tableName, sql, store: connect(), connect, observe });
  } finally {
    const table = tableName.split(".").map((name) =>
      `"${name.replaceAll('"', '""')}"`
    ).join(".");
    await sql.unsafe(`DROP TABLE IF EXISTS ${table}`);
    // Without a timeout, postgres.js may wait for a connection that broke.
    await Promise.all(clients.map((client) => client.end({ timeout: 1 })));
  }
}
