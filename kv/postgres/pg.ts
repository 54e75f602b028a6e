/**
 * Running statements on pg (node-postgres) and clients of the same shape.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the client's own parameter types differ

import { sha256 } from "@noble/hashes/sha2.js";
import { UnexpectedAnswer } from "./errors.ts";
import {
  type Answer,
  isTexts,
  pausingAfterBreaks,
  type Query,
} from "./query.ts";

/**
 * What a store needs of pg (node-postgres): its `Pool`, `Client` and the clients
 * that a pool lends.
 *
 * @example Usage
 * ```ts
 * import type { PgClient } from "@org/kv/postgres";
 * import pg from "pg";
 *
 * const pool: PgClient = new pg.Pool({
 *   connectionString: "postgres://localhost/app",
 *   max: 4,
 * });
 * ```
 */
export interface PgClient {
  /** Runs a query. */
  query(query: {
    text: string;
    values: any[];
    rowMode: "array";
    types: any;
    name?: any;
  }): PromiseLike<{ rows: any[]; rowCount: number | null }>;
  /** Connects, or lends a client; it tells pg from other clients. */
  connect(): any;
  /** How many connections a pool has; it tells a pool from other clients. */
  readonly totalCount?: number;
  /** Returns a parser; it tells a client from those of other packages. */
  getTypeParser?(type: any, format?: any): any;
  /** Tells whether a client is in a transaction. */
  getTransactionStatus?(): any;
  /** Whether a client sends queries before earlier ones are answered. */
  readonly pipeline?: boolean;
}

/** Whether a client is one of pg, or like one. */
export function isPg(client: any): client is PgClient {
  return typeof client?.query === "function" &&
    typeof client.connect === "function" &&
    (typeof client.totalCount === "number" ||
      typeof client.getTypeParser === "function");
}

/** Returns the function that runs statements on a client. */
export function queryOfPg(client: PgClient): Query {
  const names = new Map<string, string>();
  function nameOf(statement: string): string {
    let name = names.get(statement);
    if (name === undefined) names.set(statement, name = hashOf(statement));
    return name;
  }
  // A pool queues queries itself, and a client with a pipeline sends them.
  const isSingle = client.totalCount === undefined && client.pipeline !== true;
  const inTurn = isSingle ? turns() : (send: () => PromiseLike<any>) => send();
  return pausingAfterBreaks(
    (text, values, prepare) => {
      const query = { text, values, rowMode: "array" as const, types: TYPES };
      const named = prepare && values.length > 0
        ? { ...query, name: nameOf(text) }
        : query;
      return inTurn(() => client.query(named));
    },
    answerOf,
  );
}

/**
 * One query at a time: pg warns of a query while another one waits, and gives
 * those that wait the error of the one whose connection breaks.
 */
function turns(): (send: () => PromiseLike<any>) => Promise<any> {
  let last: Promise<unknown> = Promise.resolve();
  return (send) => {
    const result = last.then(send);
    last = result.catch(() => {});
    return result;
  };
}

/** The name of a prepared statement, which belongs to one text. */
function hashOf(statement: string): string {
  const hash = sha256(new TextEncoder().encode(statement)).subarray(0, 12);
  return `kv_${Array.from(hash, hexOf).join("")}`;
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** In place of the client's parsers. With `binary: true`, a column is bytes. */
const TYPES = {
  getTypeParser: () => (column: unknown): string => `${column}`,
};

function answerOf(result: any): Answer {
  const rows: unknown = result?.rows;
  if (!Array.isArray(rows) || !rows.every(isTexts)) {
    throw new UnexpectedAnswer();
  }
  return { rows, count: result.rowCount };
}
