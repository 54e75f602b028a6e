/**
 * Running statements on postgres.js and Bun.SQL.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the client's own parameter types differ

import { UnexpectedAnswer } from "./errors.ts";
import {
  type Answer,
  pausingAfterBreaks,
  type Query,
  type Text,
} from "./query.ts";

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

/** Whether a client is one of postgres.js, or like one. */
export function isPostgresJs(client: any): client is PostgresJsClient {
  if (typeof client?.unsafe !== "function") return false;
  try {
    // It is not sent. Other clients have an `unsafe` that does other things.
    return typeof client.unsafe("SELECT 1")?.raw === "function";
  } catch {
    return false;
  }
}

/** Returns the function that runs statements on a client. */
export function queryOfPostgresJs(client: PostgresJsClient): Query {
  return pausingAfterBreaks(
    (statement, parameters, prepare) =>
      // `true` has no effect if the client was made with `prepare: false`.
      client.unsafe(statement, parameters, { prepare }).raw(),
    answerOf,
  );
}

/**
 * The rows are raw, because neither parsers nor transforms of the client touch
 * those: columns as bytes of text.
 */
function answerOf(result: any): Answer {
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
