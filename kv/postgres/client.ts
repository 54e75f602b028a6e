/**
 * The PostgreSQL clients that a store can use, and how to ask them.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the clients' own parameter types differ

import { isUnknown } from "./errors.ts";

/**
 * What a store needs of postgres.js.
 *
 * @example Usage
 * ```ts
 * import type { PostgresJsClient } from "@org/kv/postgres";
 * import postgres from "postgres";
 *
 * const sql: PostgresJsClient = postgres("postgres://localhost/app");
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
 * How to ask a client.
 *
 * @throws {TypeError} If it is none.
 */
export function queryOf(client: PostgresJsClient | PgliteClient): Query {
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
