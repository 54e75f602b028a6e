/**
 * The Durable Object that holds the entries of a store.
 *
 * @module
 */

import { DurableObject } from "cloudflare:workers";
import { ChunkedEntries, chunkSchema, isLarge } from "./chunks.ts";
import type {
  ObjectAnswer,
  ObjectCall,
  ObjectPage,
  ObjectRow,
} from "./protocol.ts";
import { equalValues } from "../core/equal.ts";
import { KvCorruptionError } from "../errors.ts";
import { SqliteEntries, type Statement } from "../sqlite/entries.ts";
import { schema } from "../sqlite/schema.ts";
import { decodeValue, type EncodedValue } from "../core/value.ts";

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
  /** Holds back calls until the function is done. */
  blockConcurrencyWhile<Result>(
    callback: () => Promise<Result>,
  ): Promise<Result>;
}

const TABLE = "kv";

/** About how many bytes an answer carries, beside its last value. */
const ANSWER_BYTES = 4_194_304;

/** About how many bytes a page carries, beside its last value. */
const PAGE_BYTES = 1_048_576;

/** How many rows are in memory at once, beside those of the page. */
const ROWS = 100;

/** How far alarms are apart, in milliseconds, unless there is much to do. */
const ALARM_INTERVAL = 10_000;

/** So many calls' worth of expired entries are swept by an alarm. */
const CALLS_PER_ALARM = 512;

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
 * that extends this one and has an alarm of its own calls `super.alarm()`.
 *
 * @example Usage
 * ```ts ignore
 * export { KvStoreDurableObject } from "@org/kv/durable-object";
 * ```
 */
export class KvStoreDurableObject extends DurableObject {
  readonly #storage: KvStoreDurableObjectState["storage"];
  readonly #entries: SqliteEntries;
  readonly #chunked: ChunkedEntries;
  readonly #nextDue: Statement;
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
    const prepare = (sql: string) => statement(storage, sql);
    this.#storage = storage;
    this.#entries = new SqliteEntries(prepare, TABLE);
    this.#chunked = new ChunkedEntries(this.#entries, prepare, TABLE);
    this.#nextDue = prepare(
      `SELECT min(due) FROM ${TABLE} WHERE due IS NOT NULL`,
    );
    ctx.blockConcurrencyWhile(async () => {
      this.#alarm = await storage.getAlarm() ?? undefined;
    });
  }

  /**
   * Carries out calls; for `DurableObjectKvStore`.
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
      const { ttl = Infinity } = each;
      nextExpiry = Math.min(nextExpiry, Date.now() + ttl);
      const answer = this.#carryOut(each);
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
   * @param start The first encoded key that may be meant.
   * @param end The first one past the range, or `undefined` if it has no end.
   * @param limit About how many entries to read at most.
   * @returns The next entries, in key order.
   */
  kvPage(
    start: string,
    end: string | undefined,
    limit: number,
  ): Promise<ObjectPage> {
    return Promise.resolve(
      this.#withTables(() => this.#page(start, end, limit)),
    );
  }

  #page(start: string, end: string | undefined, limit: number): ObjectPage {
    const rows: ObjectRow[] = [];
    let bytes = 0;
    let next: string | undefined = start;
    while (next !== undefined && rows.length < limit) {
      const page = this.#entries.page(next, end, Math.min(limit, ROWS));
      next = page.next;
      for (const { id, value: stored, expiry } of page.rows) {
        const value = this.#chunked.whole(stored);
        const ttl = expiry === undefined ? undefined : expiry - Date.now();
        rows.push({ id, value, ttl });
        bytes += value.length;
        // No character of an encoded key is as small as a space.
        if (bytes > PAGE_BYTES) return { rows, next: `${id} ` };
      }
    }
    return { rows, next };
  }

  /** Deletes some of what has expired; called by the runtime. */
  // @ts-ignore TS4114: only some projects know the type of the base class.
  alarm(): Promise<void> {
    this.#alarm = undefined;
    let next: number | null;
    try {
      this.#entries.sweep(CALLS_PER_ALARM);
      next = this.#nextDue.get()?.[0] as number | null;
    } catch (error) {
      // An object that was emptied stays empty until it is used again.
      if (isMissingTable(error)) return Promise.resolve();
      throw error;
    }
    if (next === null) return Promise.resolve();
    if (next > Date.now()) return this.#wake(next);
    return this.#setAlarm(Date.now());
  }

  #carryOut({ kind, id, value, expected, ttl }: ObjectCall): ObjectAnswer {
    const carryOut = () =>
      this.#chunked.carryOut({
        kind,
        id,
        value,
        expiry: ttl === undefined ? undefined : Date.now() + ttl,
        expected,
        matches: (stored) => matches(stored, expected),
      });
    try {
      return this.#withTables(() =>
        isLarge(value) ? this.#storage.transactionSync(carryOut) : carryOut()
      );
    } catch (error) {
      return {
        error: error instanceof Error ? error.message : String(error),
        isCorruption: error instanceof KvCorruptionError,
      };
    }
  }

  /**
   * Reads or writes entries. The tables are missing in a new object, and after
   * `ctx.storage.deleteAll()`, which may delete the alarm, too.
   */
  #withTables<Result>(apply: () => Result): Result {
    try {
      return apply();
    } catch (error) {
      if (!isMissingTable(error)) throw error;
    }
    for (const sql of [...schema(TABLE), ...chunkSchema(TABLE)]) {
      this.#storage.sql.exec(sql);
    }
    this.#alarm = undefined;
    return apply();
  }

  /** Ensures that an alarm fires soon after an entry expires. */
  #wake(expiry: number): Promise<void> {
    const now = Date.now();
    const time = Math.max(expiry, now + ALARM_INTERVAL);
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

/** Whether a statement failed because there are no tables. */
function isMissingTable(error: unknown): boolean {
  return error instanceof Error &&
    error.message.startsWith(`no such table: ${TABLE}`);
}

/** Whether what is stored equals, by content, what a swap expects. */
function matches(
  stored: EncodedValue | undefined,
  expected: EncodedValue | undefined,
): boolean {
  if (stored === expected) return true;
  if (stored === undefined || expected === undefined) return false;
  let value: unknown;
  try {
    value = decodeValue(stored);
  } catch (error) {
    throw new KvCorruptionError((error as Error).message);
  }
  return equalValues(value, decodeValue(expected));
}

/** A statement, which the runtime itself caches. */
function statement(
  { sql }: KvStoreDurableObjectState["storage"],
  query: string,
): Statement {
  const all = (...parameters: readonly unknown[]) =>
    sql.exec(query, ...parameters).raw().toArray().map((row) =>
      row.map(column)
    );
  return {
    all,
    get: (...parameters) => all(...parameters)[0],
    run(...parameters) {
      sql.exec(query, ...parameters);
      return sql.exec("SELECT changes()").raw().toArray()[0]![0] as number;
    },
  };
}

function column(value: unknown): unknown {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}
