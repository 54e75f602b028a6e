/**
 * The Durable Object that holds the entries of a store.
 *
 * @module
 */

import { DurableObject } from "cloudflare:workers";
import { ObjectEntries } from "./entries.ts";
import {
  expiryOf,
  type ObjectAnswer,
  type ObjectCall,
  type ObjectPage,
  type ObjectPageRequest,
} from "./protocol.ts";
import type { KvStoreDurableObjectState } from "./state.ts";

/** About how many bytes an answer carries, not counting its last value. */
const ANSWER_BYTES = 4_194_304;

/** How far alarms are apart, in milliseconds, unless there is much to do. */
const ALARM_INTERVAL = 10_000;

/** An alarm further away is set again when it fires. */
const MAX_ALARM_DELAY = 31_536_000_000;

/**
 * The Durable Object class that holds the entries of a `DurableObjectKvStore`.
 * Export it from your worker, and bind it in `wrangler.jsonc`:
 *
 * ```jsonc
 * {
 *   "durable_objects": {
 *     "bindings": [{ "name": "KV_OBJECTS", "class_name": "KvStoreDurableObject" }]
 *   },
 *   "migrations": [
 *     { "tag": "v1", "new_sqlite_classes": ["KvStoreDurableObject"] }
 *   ]
 * }
 * ```
 *
 * Entries are rows of the table `kv` in the object's SQLite database: `key`,
 * `value` (JSON as text, CBOR as a blob), `expires`, in epoch milliseconds by the
 * object's clock, and `due`, when an alarm has to look at the row, no later than
 * that. Values of more than 64 KiB are in `kv_chunks`. What is acknowledged is on
 * several machines.
 *
 * An alarm deletes what has expired, a few thousand entries at a time. A class
 * that extends this one and has its own alarm calls `super.alarm()`.
 *
 * @example Usage
 * ```ts ignore
 * export { KvStoreDurableObject } from "@org/kv/durable-object";
 * ```
 */
export class KvStoreDurableObject extends DurableObject {
  readonly #storage: KvStoreDurableObjectState["storage"];
  readonly #entries: ObjectEntries;
  #alarm: number | undefined;

  /**
   * Is called by the runtime.
   *
   * @param ctx The object's state.
   * @param env The worker's bindings.
   */
  constructor(ctx: KvStoreDurableObjectState, env: unknown) {
    // The types of the base class are those of the worker's own project.
    super(ctx as never, env as never);
    const { storage } = ctx;
    this.#storage = storage;
    // Whatever empties an object may have deleted its alarm.
    this.#entries = new ObjectEntries(storage, () => this.#alarm = undefined);
    ctx.blockConcurrencyWhile(async () => {
      this.#alarm = await storage.getAlarm() ?? undefined;
    });
  }

  /**
   * Executes calls; for `DurableObjectKvStore`.
   *
   * @internal
   * @param calls The calls, in order.
   * @returns The answer to each.
   */
  kvExecute(calls: readonly ObjectCall[]): Promise<readonly ObjectAnswer[]> {
    let bytes = 0;
    let nextExpiry = Infinity;
    const answers = calls.map((each): ObjectAnswer => {
      if (each.kind === "get" && bytes > ANSWER_BYTES) return null;
      nextExpiry = Math.min(nextExpiry, expiryOf(each) ?? Infinity);
      const answer = this.#entries.execute(each);
      if (typeof answer === "string" || answer instanceof Uint8Array) {
        bytes += answer.length;
      }
      return answer;
    });
    if (nextExpiry < Infinity) this.#wake(nextExpiry);
    return Promise.resolve(answers);
  }

  /**
   * Reads entries; for `DurableObjectKvStore`.
   *
   * @internal
   * @param request What to read.
   * @returns The next entries, in order.
   */
  kvPage(request: ObjectPageRequest): Promise<ObjectPage> {
    return Promise.resolve(this.#entries.page(request));
  }

  /**
   * Deletes some expired entries; for `DurableObjectKvStore`.
   *
   * @internal
   * @returns How many; 0 if none are left.
   */
  kvReclaim(): Promise<number> {
    return Promise.resolve(this.#entries.reclaim());
  }

  /** Deletes some of the expired entries; called by the runtime. */
  // @ts-ignore TS4114: only some projects know the type of the base class.
  alarm(): Promise<void> {
    this.#alarm = undefined;
    this.#entries.reclaim();
    const next = this.#entries.nextDue();
    if (next === undefined) return Promise.resolve();
    if (next > Date.now()) return this.#wake(next);
    return this.#setAlarm(Date.now());
  }

  /** Ensures that an alarm fires soon after an entry expires. */
  #wake(expiry: number): Promise<void> {
    const now = Date.now();
    const delay = Math.max(expiry - now, ALARM_INTERVAL);
    const time = now + Math.min(delay, MAX_ALARM_DELAY);
    const alarm = this.#alarm ?? Infinity;
    // Every setting is a write: one that is hardly earlier is not worth it.
    const isSoon = alarm <= time + ALARM_INTERVAL;
    const isOverdue = alarm < now - ALARM_INTERVAL;
    return isSoon && !isOverdue ? Promise.resolve() : this.#setAlarm(time);
  }

  #setAlarm(time: number): Promise<void> {
    this.#alarm = time;
    return this.#storage.setAlarm(time);
  }
}
