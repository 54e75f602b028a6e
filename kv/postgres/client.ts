/**
 * The PostgreSQL clients that a store can use.
 *
 * @module
 */

import { unsupportedClient } from "../sql/errors.ts";
import { isPg, type PgClient, queryOfPg } from "./pg.ts";
import { isPglite, type PgliteClient, queryOfPglite } from "./pglite.ts";
import {
  isPostgresJs,
  type PostgresJsClient,
  queryOfPostgresJs,
} from "./postgres_js.ts";
import type { Query } from "./query.ts";

/**
 * A client that a store can use.
 *
 * @example Usage
 * ```ts
 * import { type PostgresClient, PostgresKvStore } from "@org/kv/postgres";
 *
 * function open(client: PostgresClient) {
 *   return new PostgresKvStore(client, { tableName: "app.kv" });
 * }
 * ```
 */
export type PostgresClient = PostgresJsClient | PgClient | PgliteClient;

/**
 * Returns the function that runs statements on a client. A broken connection
 * concerns every store on the client, so they share one.
 *
 * @param client The client.
 * @param prepare Whether statements may be prepared.
 * @throws {TypeError} If the client is not supported.
 */
export function queryOf(client: PostgresClient, prepare: boolean): Query {
  let query = queries.get(client);
  if (query === undefined) {
    query = isPostgresJs(client)
      ? queryOfPostgresJs(client)
      : isPglite(client)
      ? queryOfPglite(client)
      : isPg(client)
      ? queryOfPg(client)
      : unsupported(client);
    queries.set(client, query);
  }
  const shared = query;
  return prepare
    ? shared
    : (statement, parameters) => shared(statement, parameters, false);
}

const queries = new WeakMap<object, Query>();

/** Whether statements run in a transaction that the caller has begun. */
export function isInTransaction(client: PostgresClient): boolean {
  if ("savepoint" in client || "rollback" in client) return true;
  // `Client` of pg 8.18 or later knows.
  const status = (client as PgClient).getTransactionStatus?.() ?? "I";
  return status !== "I";
}

function unsupported(client: unknown): never {
  throw unsupportedClient(
    "PostgresKvStore: sql must be a client of postgres.js (3.4 or later), " +
      "pg (8 or later), PGlite or Bun.SQL, or one of their transactions",
    client,
  );
}
