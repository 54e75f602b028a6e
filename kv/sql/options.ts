/**
 * The options that stores on SQL servers share.
 *
 * @module
 */

import type { BatcherOptions } from "../core/batcher_options.ts";
import { MAX_PENDING, type OptionRule, TIMEOUT } from "../core/options.ts";

/** What the options must be. */
export const SQL_OPTIONS: Readonly<Record<string, OptionRule>> = {
  tableName: {
    type: "string",
    must: "be the name of a table, with or without a qualifier and a dot",
  },
  timeout: TIMEOUT,
  maxPending: MAX_PENDING,
};

/** What to do in place of the options of Fedify's stores. */
export const SQL_REPLACEMENTS: Readonly<Record<string, string>> = {
  initialized: "remove it, as the store finds out whether the table exists; " +
    "schema() returns the SQL to create it in advance",
};

/** How calls are batched: few in each, to keep several connections busy. */
export function batching(
  { timeout = 30_000, maxPending = Infinity }: {
    readonly timeout?: number;
    readonly maxPending?: number;
  },
): BatcherOptions {
  return { maxCalls: 64, concurrency: 4, timeout, maxPending };
}
