/**
 * Running statements on PGlite.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the client's own parameter types differ

import { UnexpectedAnswer } from "./errors.ts";
import {
  type Answer,
  isTexts,
  pausingAfterBreaks,
  type Query,
} from "./query.ts";

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

/** Whether a client is a PGlite or one of its transactions. */
export function isPglite(client: any): client is PgliteClient {
  return typeof client?.query === "function" &&
    typeof client.exec === "function" && typeof client.prepare !== "function";
}

/** Returns the function that runs statements on a client. */
export function queryOfPglite(client: PgliteClient): Query {
  return pausingAfterBreaks(
    (statement, parameters) => client.query(statement, parameters, OPTIONS),
    answerOf,
  );
}

/** PGlite's own parser and serializer of text may have been replaced. */
const OPTIONS = {
  rowMode: "array",
  parsers: { 25: (text: string) => text },
  serializers: { 25: (text: string) => text },
};

function answerOf(
  { rows, affectedRows }: { rows: any[]; affectedRows?: number },
): Answer {
  if (!Array.isArray(rows) || !rows.every(isTexts)) {
    throw new UnexpectedAnswer();
  }
  return { rows, count: affectedRows };
}
