/**
 * The entries in the database of a Durable Object.
 *
 * @module
 */

import { ChunkedEntries, isLarge, sizeOf } from "./chunks.ts";
import type {
  ObjectAnswer,
  ObjectCall,
  ObjectFailure,
  ObjectPage,
  ObjectRow,
} from "./protocol.ts";
import { objectSchema } from "./schema.ts";
import type { KvStoreDurableObjectState } from "./state.ts";
import { equalValues } from "../core/equal.ts";
import { idAfter } from "../core/paging.ts";
import { KvCorruptionError } from "../errors.ts";
import { SqliteEntries, type Statement } from "../sqlite/entries.ts";
import { isMissingTable } from "../sqlite/errors.ts";
import { expiryOf, valueOf } from "../sqlite/row.ts";
import { decodeValue, type EncodedValue } from "../core/value.ts";

/** The storage of an object, but for its alarm. */
type ObjectStorage = Pick<
  KvStoreDurableObjectState["storage"],
  "sql" | "transactionSync"
>;

const TABLE = "kv";

/** A page reads larger values one by one, so that it takes bounded memory. */
const SMALL_VALUE_BYTES = 4096;

/** The most entries that a page examines. */
const MAX_ROWS = 1024;

/** How many calls' worth of expired entries one step of a sweep deletes. */
const CALLS_PER_SWEEP = 512;

/** The entries of an object, in tables that are created when they are missing. */
export class ObjectEntries {
  readonly #storage: ObjectStorage;
  readonly #entries: SqliteEntries;
  readonly #chunked: ChunkedEntries;
  readonly #page: Statement;
  readonly #value: Statement;
  readonly #nextDue: Statement;
  readonly #onEmpty: () => void;

  /**
   * Takes the storage, and a function that is called when there are no tables:
   * in a new object, and after `ctx.storage.deleteAll()`.
   */
  constructor(storage: ObjectStorage, onEmpty: () => void) {
    const prepare = (sql: string) => statement(storage, sql);
    this.#storage = storage;
    this.#onEmpty = onEmpty;
    this.#entries = new SqliteEntries(prepare, TABLE);
    this.#chunked = new ChunkedEntries(this.#entries, prepare, TABLE);
    this.#page = prepare(
      "SELECT key, expires, octet_length(value), CASE WHEN " +
        `octet_length(value) <= ${SMALL_VALUE_BYTES} THEN value END ` +
        `FROM ${TABLE} WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`,
    );
    this.#value = prepare(`SELECT value FROM ${TABLE} WHERE key = ?`);
    this.#nextDue = prepare(
      `SELECT due FROM ${TABLE} WHERE due IS NOT NULL ORDER BY due LIMIT 1`,
    );
  }

  /** Executes a call and answers it. */
  execute({ kind, id, value, expected, ttl }: ObjectCall): ObjectAnswer {
    const execute = () =>
      this.#chunked.execute({
        kind,
        id,
        value,
        expiry: ttl === undefined ? undefined : Date.now() + ttl,
        expected,
        matches: (stored) => matches(stored, expected),
      });
    try {
      return this.#withTables(() =>
        isLarge(value) ? this.#storage.transactionSync(execute) : execute()
      );
    } catch (error) {
      return failureOf(error);
    }
  }

  /**
   * Reads the next entries of a range of encoded keys.
   *
   * @param start The first encoded key that may be meant.
   * @param end The first one past the range, or `undefined` if it has no end.
   * @param limit How many entries to examine at most.
   * @param bytes About how many bytes the page may take.
   */
  page(
    start: string,
    end: string | undefined,
    limit: number,
    bytes: number,
  ): ObjectPage {
    const count = Math.min(limit, MAX_ROWS);
    // SQLite sorts a blob after every text.
    const last = end ?? Uint8Array.of(0);
    const found = this.#withTables(() => this.#page.all(start, last, count));
    const rows: ObjectRow[] = [];
    const now = Date.now();
    let left = bytes;
    for (const [key, expires, octets, small] of found) {
      const id = key as string;
      let row: ObjectRow;
      try {
        const expiry = expiryOf(expires);
        if (expiry !== undefined && expiry <= now) continue;
        const size = small === null ? octets as number : sizeOf(valueOf(small));
        left -= id.length + size;
        if (left < 0 && rows.length > 0) return { rows, next: id };
        const ttl = expiry === undefined ? undefined : expiry - now;
        row = { id, value: size > bytes ? null : this.#read(id, small), ttl };
      } catch (error) {
        row = { id, ...failureOf(error) };
      }
      rows.push(row);
    }
    const next = found.length < count
      ? undefined
      : idAfter(found.at(-1)![0] as string);
    return { rows, next };
  }

  #read(id: string, small: unknown): EncodedValue {
    const stored = valueOf(small ?? this.#value.get(id)?.[0]);
    return this.#chunked.whole(id, stored);
  }

  /**
   * Deletes some of the expired entries, unless there are no tables.
   *
   * @returns When to sweep again, in epoch milliseconds, or `undefined` if no
   * entry expires.
   */
  sweep(): number | undefined {
    try {
      this.#entries.sweep(CALLS_PER_SWEEP);
      // Numbers come first: what follows text, no sweep reaches.
      const due = this.#nextDue.get()?.[0];
      return typeof due === "number" ? due : undefined;
    } catch (error) {
      if (isMissingTable(error)) return undefined;
      throw error;
    }
  }

  #withTables<Result>(apply: () => Result): Result {
    try {
      return apply();
    } catch (error) {
      if (!isMissingTable(error)) throw error;
    }
    for (const sql of objectSchema(TABLE)) {
      this.#storage.sql.exec(sql);
    }
    this.#onEmpty();
    return apply();
  }
}

function failureOf(error: unknown): ObjectFailure {
  return {
    error: error instanceof Error ? error.message : String(error),
    isCorruption: error instanceof KvCorruptionError,
  };
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
function statement({ sql }: ObjectStorage, query: string): Statement {
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
