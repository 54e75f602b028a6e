/**
 * The clients of mysql2 that a store can use, and how to run statements on them.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the clients' own types are overloads

import type { Buffer } from "../core/builtin.ts";
import { UnexpectedAnswer, unsupportedClient } from "../sql/errors.ts";
import { redacted } from "./errors.ts";

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

/**
 * Returns the function that runs statements on a client.
 *
 * @throws {TypeError} If the client is not supported.
 */
export function queryOf(
  client: MysqlCallbackClient | MysqlPromiseClient,
): Query {
  const inner = callbackClientOf(client);
  const form = {
    rowsAsArray: true,
    nestTables: false,
    typeCast: bytesIn(inner),
  };
  return (statement, parameters) =>
    new Promise((resolve, reject) => {
      const callback = (error: unknown, result: unknown) => {
        const answer = error ? undefined : answerOf(result);
        if (answer !== undefined) resolve(answer);
        else reject(error ? redacted(error) : new UnexpectedAnswer());
      };
      try {
        inner.execute({ sql: statement, ...form }, parameters, callback);
      } catch (error) {
        reject(redacted(error));
      }
    });
}

function callbackClientOf(client: any): MysqlCallbackClient {
  const inner = [client, client?.pool, client?.connection].find((it) =>
    typeof it?.execute === "function" && typeof it.promise === "function"
  );
  if (inner !== undefined) return inner;
  throw unsupportedClient(
    "MysqlKvStore: pool must be a pool or connection of mysql2 (3 or later) " +
      "or mysql2/promise",
    client,
  );
}

/**
 * The option that makes columns bytes. `false` is the fastest, but a function
 * among the client's own options has precedence over it.
 */
function bytesIn(client: any) {
  const { config } = client;
  const own = (config?.connectionConfig ?? config)?.typeCast;
  return own === true || own === false
    ? false
    : (field: { buffer(): Column }) => field.buffer();
}

function answerOf(result: any): Answer | undefined {
  if (Array.isArray(result)) {
    return result.every(Array.isArray)
      ? { rows: result, affectedRows: 0, insertId: 0 }
      : undefined;
  }
  const affectedRows = Number(result?.affectedRows);
  const insertId = Number(result?.insertId);
  return Number.isInteger(affectedRows) && !Number.isNaN(insertId)
    ? { rows: [], affectedRows, insertId }
    : undefined;
}
