/**
 * The PostgreSQL clients that a store can use, and how to run statements on them.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the clients' own parameter types differ

import { typeName } from "../core/message.ts";
import {
  isServerError,
  isUnknown,
  redacted,
  UnexpectedAnswer,
} from "./errors.ts";

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
  /** Makes a query out of its text and parameters; it runs once awaited. */
  unsafe(
    query: string,
    parameters?: any[],
    options?: { prepare?: boolean },
  ): { raw(): PromiseLike<any> };
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
    options?: any,
  ): PromiseLike<{ rows: any[]; affectedRows?: number }>;
  /** Runs statements without parameters; it tells PGlite from other clients. */
  exec(query: string): PromiseLike<unknown>;
}

/** A parameter or a column: always text, or NULL. */
export type Text = string | null;

/** What the server answered. */
export interface Answer {
  /** The rows, each an array of its columns. */
  readonly rows: readonly (readonly Text[])[];
  /** How many rows were written or returned, as the client says. */
  readonly count: unknown;
}

/**
 * Runs a statement, which is prepared unless the last argument is `false`. A
 * statement should have a parameter: postgres.js sends those without one before
 * earlier ones are answered, which poolers do not expect.
 */
export type Query = (
  statement: string,
  parameters: Text[],
  prepare?: boolean,
) => Promise<Answer>;

/** Runs a statement, and again if the connection breaks: only for reads. */
export async function queryTwice(
  query: Query,
  statement: string,
  parameters: Text[],
): Promise<Answer> {
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
    query = isPostgresJs(client)
      ? pausingAfterBreaks(
        (statement, parameters, prepare) =>
          // `true` has no effect if the client was made with `prepare: false`.
          client.unsafe(statement, parameters, { prepare }).raw(),
        answerOfPostgresJs,
      )
      : isPglite(client)
      ? pausingAfterBreaks(
        (statement, parameters) =>
          client.query(statement, parameters, PGLITE_OPTIONS),
        answerOfPglite,
      )
      : unsupported(client);
    queries.set(client, query);
  }
  return query;
}

const queries = new WeakMap<object, Query>();

/** Whether it is the client of a transaction, which the caller began. */
export function isTransaction(client: PostgresJsClient | PgliteClient) {
  return "savepoint" in client || "rollback" in client;
}

/*
 * postgres.js 3.4 rejects the queries of a broken connection before it takes the
 * connection out of its pool. A query that is sent in between goes to the dead
 * connection: it is never settled, and blocks the ones after it. So an error
 * that may come from a broken connection is passed on in a later turn of the
 * event loop, and no other query is sent until then.
 */
function pausingAfterBreaks<Result>(
  send: (
    statement: string,
    parameters: Text[],
    prepare: boolean,
  ) => PromiseLike<Result>,
  answerOf: (result: Result) => Answer,
): Query {
  let pause: Promise<void> | undefined;
  async function failed(error: unknown): Promise<never> {
    if (!isServerError(error)) {
      pause ??= nextTurn().then(() => {
        pause = undefined;
      });
      await pause;
    }
    throw redacted(error);
  }
  function run(
    statement: string,
    parameters: Text[],
    prepare = true,
  ): Promise<Answer> {
    return pause === undefined
      ? send(statement, parameters, prepare)
        .then(answerOf, failed) as Promise<Answer>
      : pause.then(() => run(statement, parameters, prepare));
  }
  return run;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function isPostgresJs(client: any): client is PostgresJsClient {
  if (typeof client?.unsafe !== "function") return false;
  try {
    // It is not sent. Other clients have an `unsafe` that does other things.
    return typeof client.unsafe("SELECT 1")?.raw === "function";
  } catch {
    return false;
  }
}

function isPglite(client: any): client is PgliteClient {
  return typeof client?.query === "function" &&
    typeof client.exec === "function" && typeof client.prepare !== "function";
}

function unsupported(client: unknown): never {
  const name = (client as object | null | undefined)?.constructor?.name;
  const received = typeof client === "object" && name
    ? `an object of class ${name}`
    : typeName(client);
  throw new TypeError(
    "Cannot create a PostgresKvStore: sql must be a client of postgres.js " +
      "(3.4 or later), PGlite or Bun.SQL, or one of their transactions: " +
      `received ${received}`,
  );
}

/**
 * The rows are raw, because neither parsers nor transforms of the client touch
 * those: columns as bytes of text.
 */
function answerOfPostgresJs(result: any): Answer {
  if (!Array.isArray(result)) throw new UnexpectedAnswer();
  const { count } = result as { count?: unknown };
  const rows: unknown[] = result;
  for (const row of rows) {
    if (!Array.isArray(row)) throw new UnexpectedAnswer();
    for (let i = 0; i < row.length; i++) row[i] = textOf(row[i]);
  }
  return { rows: rows as Text[][], count };
}

function textOf(column: unknown): Text {
  if (column === null || typeof column === "string") return column;
  if (!(column instanceof Uint8Array)) throw new UnexpectedAnswer();
  return column.constructor === Uint8Array
    ? decoder.decode(column)
    : column.toString();
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** PGlite's own parser and serializer of text may have been replaced. */
const PGLITE_OPTIONS = {
  rowMode: "array",
  parsers: { 25: (text: string) => text },
  serializers: { 25: (text: string) => text },
};

function answerOfPglite(
  { rows, affectedRows }: { rows: any[]; affectedRows?: number },
): Answer {
  if (!Array.isArray(rows) || !rows.every(isTexts)) {
    throw new UnexpectedAnswer();
  }
  return { rows, count: affectedRows };
}

function isTexts(row: unknown): boolean {
  return Array.isArray(row) &&
    row.every((column) => column === null || typeof column === "string");
}
