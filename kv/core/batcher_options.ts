/**
 * The options of a batcher.
 *
 * @module
 */

import type { BatcherNodes } from "./places.ts";

/**
 * How calls are put together.
 *
 * @example Usage
 * ```ts
 * import type { BatcherOptions } from "@org/kv/driver";
 *
 * const options: BatcherOptions = { maxCalls: 100, concurrency: 1 };
 * ```
 */
export interface BatcherOptions {
  /**
   * The most calls in a batch. Unless the driver is sequential, a batch that has
   * as many is executed at once; others wait until the tick is over.
   *
   * @default {256}
   */
  readonly maxCalls?: number;
  /**
   * About how many bytes a batch may carry; a single call may carry more.
   *
   * @default {1048576}
   */
  readonly maxBytes?: number;
  /**
   * How many batches may travel at once. Calls that come while all of them do
   * wait, and then travel together.
   *
   * @default {8}
   */
  readonly concurrency?: number;
  /**
   * Whether the driver executes the calls of a batch strictly one after the
   * other. Then a batch may hold any calls of a key, and one batch travels at a
   * time.
   *
   * @default {false}
   */
  readonly sequential?: boolean;
  /**
   * How long the backend may be silent, in milliseconds, before the calls that
   * wait for it are rejected. It limits silence, not work.
   *
   * @default {Infinity}
   */
  readonly timeout?: number;
  /**
   * The nodes of the backend, if they can fail one by one. Then a batch holds
   * calls for one node, and `concurrency` applies to each node.
   *
   * @default {undefined}
   */
  readonly nodes?: BatcherNodes | undefined;
  /**
   * How many calls may be pending. Further ones are rejected with a
   * `KvOverloadError`.
   *
   * @default {Infinity}
   */
  readonly maxPending?: number;
}
