/**
 * The PostgreSQL clients that a store can use, and how to ask them.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the clients' own parameter types differ

import { isServerError, isUnknown } from "./errors.ts";

/**
 * What a store needs of postgres.js.
 *
 * @example Usage
 * ```ts
 * import type { PostgresJsClient } from "@org/kv/postgres";
 * import postgres from "postgres";
 *
 * const sql: PostgresJsClient = postgres("postgres://localhost/app", {
 *   fetch_types: false,
 * });
 * ```
 */
export interface PostgresJsClient {
  /** Makes a query out of its text and parameters. */
  unsafe(
    query: string,
    parameters?: any[],
    options?: { prepare?: boolean },
  ): { values(): PromiseLike<any[][]> };
}

/**
 * What a store needs of PGlite.
 *
 * @example Usage
 * ```ts ignore
 * import type { PgliteClient } from "@org/kv/postgres";
 * import { PGlite } from "@electric-sql/pglite";
 *
 * const db: PgliteClient = new PGlite();
 * ```
 */
export interface PgliteClient {
  /** Runs a query. */
  query(
    query: string,
    parameters?: any[],
    options?: { rowMode?: "array" },
  ): PromiseLike<{ rows: any[] }>;
}

/** Runs a statement; its rows come as arrays. */
export type Query = (
  statement: string,
  parameters: (string | number | null)[],
) => PromiseLike<unknown[][]>;

/** Asks, and once more if the connection breaks: only for what writes nothing. */
export async function queryTwice(
  query: Query,
  statement: string,
  parameters: (string | number)[],
): Promise<unknown[][]> {
  try {
    return await query(statement, parameters);
  } catch (error) {
    if (!isUnknown(error)) throw error;
    return await query(statement, parameters);
  }
}

/**
 * Returns the function that runs statements on a client: the same one for every
 * store on that client, as a broken connection concerns them all.
 *
 * @throws {TypeError} If the client is not supported.
 */
export function queryOf(client: PostgresJsClient | PgliteClient): Query {
  let query = queries.get(client);
  if (query === undefined) {
    query = pausingAfterBreaks(rawQueryOf(client));
    queries.set(client, query);
  }
  return query;
}

const queries = new WeakMap<object, Query>();

function rawQueryOf(client: PostgresJsClient | PgliteClient): Query {
  if (has(client, "unsafe")) {
    return (statement, parameters) =>
      // Where the client was made with `prepare: false`, that prevails.
      client.unsafe(statement, parameters, { prepare: true }).values();
  }
  if (has(client, "query")) {
    return async (statement, parameters) =>
      (await client.query(statement, parameters, { rowMode: "array" })).rows;
  }
  throw new TypeError(
    "Cannot make a PostgresKvStore: sql must be a client of postgres.js or " +
      `PGlite: received ${client === null ? "null" : `a ${typeof client}`}`,
  );
}

/*
 * postgres.js 3.4 rejects the queries of a broken connection before it takes the
 * connection out of its pool. A query that is sent in between goes to the dead
 * connection: it is never settled, and blocks the ones after it. So an error
 * that may come from a broken connection is passed on in a later turn of the
 * event loop, and no other query is sent until then.
 */
function pausingAfterBreaks(query: Query): Query {
  let pause: Promise<void> | undefined;
  async function failed(error: unknown): Promise<never> {
    if (!isServerError(error)) {
      pause ??= nextTurn().then(() => {
        pause = undefined;
      });
      await pause;
    }
    throw error;
  }
  return (statement, parameters) =>
    pause === undefined
      ? query(statement, parameters).then(undefined, failed)
      : pause.then(() => query(statement, parameters))
        .then(undefined, failed);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Whether it is the client of a transaction, which the caller began. */
export function isTransaction(client: PostgresJsClient | PgliteClient) {
  return "savepoint" in client || "rollback" in client;
}

function has<Name extends "unsafe" | "query">(
  client: PostgresJsClient | PgliteClient,
  name: Name,
): client is Extract<typeof client, Record<Name, unknown>> {
  const methods = client as Partial<PostgresJsClient & PgliteClient> | null;
  return typeof methods?.[name] === "function";
}
