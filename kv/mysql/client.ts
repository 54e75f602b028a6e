/**
 * The clients of mysql2 that a store can use, and how to run statements on them.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the clients' own types are overloads

import type { Buffer } from "../core/builtin.ts";
import { typeName } from "../core/message.ts";
import { isUnknown, redacted, UnexpectedAnswer } from "./errors.ts";

/**
 * What a store needs of a pool or connection with callbacks, of `mysql2`.
 *
 * @example Usage
 * ```ts
 * import type { MysqlCallbackClient } from "@org/kv/mysql";
 * import { createPool } from "mysql2";
 *
 * const client: MysqlCallbackClient = createPool({ host: "localhost" });
 * ```
 */
export interface MysqlCallbackClient {
  /** Runs a prepared statement. */
  execute(options: any, parameters: any, callback: any): unknown;
  /** Its form with promises; it tells mysql2 from other clients. */
  promise(...args: any[]): unknown;
}

/**
 * What a store needs of a pool or connection with promises, of `mysql2/promise`.
 *
 * @example Usage
 * ```ts
 * import type { MysqlPromiseClient } from "@org/kv/mysql";
 * import { createPool } from "mysql2/promise";
 *
 * const client: MysqlPromiseClient = createPool({ host: "localhost" });
 * ```
 */
export interface MysqlPromiseClient {
  /** Its form with callbacks, of a pool. */
  readonly pool?: MysqlCallbackClient;
  /** Its form with callbacks, of a connection. */
  readonly connection?: MysqlCallbackClient;
  /** Runs a prepared statement. */
  execute(options: any, parameters?: any): PromiseLike<any>;
}

/** A parameter: all text travels as bytes, whatever the connection's charset. */
export type Parameter = Buffer | number | null;

/** A column: always bytes, or NULL. */
export type Column = Buffer | null;

/** What the server answered. */
export interface Answer {
  /** The rows, each an array of its columns; none for a write. */
  readonly rows: readonly (readonly Column[])[];
  /** How many rows a write affected. */
  readonly affectedRows: number;
  /** What the write noted by `LAST_INSERT_ID()`, or 0. */
  readonly insertId: number;
}

/** Runs a statement. */
export type Query = (
  statement: string,
  parameters: readonly Parameter[],
) => Promise<Answer>;

/** Runs a statement, and again if the connection breaks: only for reads. */
export async function queryTwice(
  query: Query,
  statement: string,
  parameters: readonly Parameter[],
): Promise<Answer> {
  try {
    return await query(statement, parameters);
  } catch (error) {
    if (!isUnknown(error)) throw error;
    return await query(statement, parameters);
  }
}

/**
 * Returns the function that runs statements on a client.
 *
 * @throws {TypeError} If the client is not supported.
 */
export function queryOf(
  client: MysqlCallbackClient | MysqlPromiseClient,
): Query {
  const inner = callbackClientOf(client);
  return (statement, parameters) =>
    new Promise((resolve, reject) => {
      const callback = (error: unknown, result: unknown) => {
        if (error) return reject(redacted(error));
        try {
          resolve(answerOf(result));
        } catch (error) {
          reject(error);
        }
      };
      try {
        inner.execute({ sql: statement, ...FORM }, parameters, callback);
      } catch (error) {
        reject(redacted(error));
      }
    });
}

/** The client's own options for rows may say something else. */
const FORM = {
  rowsAsArray: true,
  nestTables: false,
  typeCast: (field: { buffer(): Column }) => field.buffer(),
};

function callbackClientOf(client: any): MysqlCallbackClient {
  for (const inner of [client, client?.pool, client?.connection]) {
    if (
      typeof inner?.execute === "function" &&
      typeof inner.promise === "function"
    ) return inner;
  }
  const name = client?.constructor?.name;
  const received = typeof client === "object" && name
    ? `an object of class ${name}`
    : typeName(client);
  throw new TypeError(
    "Cannot create a MysqlKvStore: pool must be a pool or connection of " +
      `mysql2 (3 or later) or mysql2/promise: received ${received}`,
  );
}

function answerOf(result: any): Answer {
  if (Array.isArray(result)) {
    if (!result.every(Array.isArray)) throw new UnexpectedAnswer();
    return { rows: result, affectedRows: 0, insertId: 0 };
  }
  const affectedRows = Number(result?.affectedRows);
  const insertId = Number(result?.insertId);
  if (!Number.isInteger(affectedRows) || Number.isNaN(insertId)) {
    throw new UnexpectedAnswer();
  }
  return { rows: [], affectedRows, insertId };
}
