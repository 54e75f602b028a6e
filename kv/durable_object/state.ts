/**
 * The state of a Durable Object.
 *
 * @module
 */

/**
 * What an object needs of its state: the `DurableObjectState` of
 * `@cloudflare/workers-types` and of `wrangler types`.
 *
 * @example Usage
 * ```ts ignore
 * import {
 *   KvStoreDurableObject,
 *   type KvStoreDurableObjectState,
 * } from "@org/kv/durable-object";
 *
 * export class Sessions extends KvStoreDurableObject {
 *   constructor(ctx: KvStoreDurableObjectState, env: unknown) {
 *     super(ctx, env);
 *   }
 * }
 * ```
 */
export interface KvStoreDurableObjectState {
  /** Where the entries are. */
  readonly storage: {
    /** The object's own SQLite database. */
    readonly sql: {
      /** Runs a statement. */
      exec(
        query: string,
        // deno-lint-ignore no-explicit-any
        ...bindings: any[]
      ): { raw(): { toArray(): unknown[][] } };
    };
    /** Runs a function in a transaction. */
    transactionSync<Result>(closure: () => Result): Result;
    /** When the alarm is due, in epoch milliseconds. */
    getAlarm(): Promise<number | null>;
    /** Sets the alarm. */
    setAlarm(time: number): Promise<void>;
  };
  /** Delays calls until the function is done. */
  blockConcurrencyWhile<Result>(
    callback: () => Promise<Result>,
  ): Promise<Result>;
}
