/**
 * The entries in the database of a Durable Object.
 *
 * @module
 */

import { ChunkedEntries, isLarge } from "./chunks.ts";
import { failureOf, ObjectPages } from "./pages.ts";
import {
  expiryOf,
  type ObjectAnswer,
  type ObjectCall,
  type ObjectPage,
  type ObjectPageRequest,
} from "./protocol.ts";
import { objectSchema } from "./schema.ts";
import type { KvStoreDurableObjectState } from "./state.ts";
import { equalValues } from "../core/equal.ts";
import { KvCorruptionError } from "../errors.ts";
import { SqliteEntries, type Statement } from "../sqlite/entries.ts";
import { isMissingTable } from "../sqlite/errors.ts";
import { decodeValue, type EncodedValue } from "../core/value.ts";

/** The storage of an object, but for its alarm. */
type ObjectStorage = Pick<
  KvStoreDurableObjectState["storage"],
  "sql" | "transactionSync"
>;

const TABLE = "kv";

/** How many expired entries are deleted at once. */
const RECLAIM_ROWS = 4096;

/** The entries of an object, in tables that are created when they are missing. */
export class ObjectEntries {
  readonly #storage: ObjectStorage;
  readonly #entries: SqliteEntries;
  readonly #chunked: ChunkedEntries;
  readonly #pages: ObjectPages;
  readonly #delete: Statement;
  readonly #postpone: Statement;
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
    this.#pages = new ObjectPages(this.#chunked, prepare, TABLE);
    const due =
      `(SELECT rowid FROM ${TABLE} WHERE due <= ? ORDER BY due LIMIT ?)`;
    this.#delete = prepare(
      `DELETE FROM ${TABLE} WHERE rowid IN ${due} AND expires <= ?`,
    );
    this.#postpone = prepare(
      `UPDATE ${TABLE} SET due = expires WHERE rowid IN ${due} ` +
        "AND (expires > ? OR expires IS NULL)",
    );
    this.#nextDue = prepare(
      `SELECT due FROM ${TABLE} WHERE due IS NOT NULL ORDER BY due LIMIT 1`,
    );
  }

  /** Executes a call and answers it. */
  execute(call: ObjectCall): ObjectAnswer {
    const { kind, id, value, expected } = call;
    const execute = () =>
      this.#chunked.execute({
        kind,
        id,
        value,
        expiry: expiryOf(call),
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

  /** Reads the next entries of a range of encoded keys. */
  page(request: ObjectPageRequest): ObjectPage {
    return this.#withTables(() => this.#pages.read(request));
  }

  /**
   * Deletes some of the expired entries, unless there are no tables.
   *
   * @returns How many; 0 if none are left.
   */
  reclaim(): number {
    const now = Date.now();
    try {
      while (true) {
        const deleted = this.#delete.run(now, RECLAIM_ROWS, now);
        const postponed = this.#postpone.run(now, RECLAIM_ROWS, now);
        if (deleted > 0 || postponed === 0) return deleted;
      }
    } catch (error) {
      if (isMissingTable(error)) return 0;
      throw error;
    }
  }

  /** When to reclaim next, in epoch milliseconds; `undefined` for never. */
  nextDue(): number | undefined {
    try {
      // Numbers come first: no reclaiming reaches what follows text.
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
