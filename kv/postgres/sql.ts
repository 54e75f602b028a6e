/**
 * The statements of a PostgreSQL store.
 *
 * @module
 */

import type { Bound } from "../sql/range.ts";

/** The two forms of a statement: for one operation, and for several. */
export interface Statement {
  /** Its parameters are those of the operation. */
  readonly single: string;
  /** Its parameters are those of all operations, each joined by newlines. */
  readonly batch: string;
}

/*
 * Invariants of every statement:
 *
 * - All parameters and all columns of answers are text. Clients have options
 *   that read or write other types in other ways.
 * - Unless it is a plain write, whose number of rows the client reports, it
 *   answers with a known number of rows, so that a missing answer is noticed.
 * - Time is the server's, in whole milliseconds: rounded up where an expiry is
 *   set and down where it is checked, so that no entry expires early. The start
 *   of the statement lies within the call, and can be looked up in an index,
 *   which `clock_timestamp()` cannot.
 * - Each statement is a transaction, and locks its rows in key order, in which
 *   the parameters come. So no two statements wait for each other.
 * - A batch looks up each of its keys by a separate subquery, which the planner
 *   cannot turn into a scan of the whole table. It can do that with a join while
 *   the table is small, and the plan of a prepared statement outlives that.
 * - Rows are addressed by their key. Partitions have equal values of `ctid`, so
 *   it only helps to find a row.
 * - Neither an encoded key nor a stored value holds a newline, so one text that
 *   is split takes the place of an array, which clients escape at length.
 * - An update never raises `due`; see the table's definition.
 */
const SECONDS = "date_part('epoch', statement_timestamp())";
const NOW = `floor(${SECONDS} * 1000)::bigint`;
const ALIVE = `(expires IS NULL OR expires > ${NOW})`;

/** The expiry of a TTL, which may be NULL, or of a moment, which is negative. */
function expiry(ttl: string): string {
  return `CASE WHEN ${ttl} < 0 THEN -${ttl}
  ELSE ceil(${SECONDS} * 1000)::bigint + ${ttl} END`;
}

function texts(parameter: number): string {
  return `string_to_array($${parameter}, E'\\n')`;
}

/** Texts of which an empty one stands for NULL. */
function optional(parameter: number): string {
  return `string_to_array($${parameter}, E'\\n', '')`;
}

/** What keys and values start with, of which a client takes a part away. */
export const MARK = "\x01";

/** The form of a page. */
export interface PageForm {
  /** The bounds, in the order of their parameters. */
  readonly bounds: readonly Bound[];
  /** Whether it goes from the last key to the first. */
  readonly reverse: boolean;
  /** Whether no values are wanted. */
  readonly keysOnly: boolean;
}

/** The statements on one table. */
export class PostgresStatements {
  /** `key` → its value or NULL. A batch has a row for each key, in order. */
  readonly read: Statement;
  /** `key, value, full_key, ttl`. */
  readonly set: Statement;
  /** `key`. */
  readonly delete: Statement;
  /** `key, value, full_key, ttl` → the keys that had no entry. */
  readonly create: Statement;
  /**
   * `key, expected, value, ttl` → for each operation its number from 1 on,
   * whether the swap was made (`true` or `false`), and otherwise the value.
   */
  readonly swap: Statement;
  /** `key, expected` → as for a swap. */
  readonly remove: Statement;
  readonly #table: string;
  /** What is selected for a column. */
  readonly #answer: (column: string) => string;

  /**
   * Creates the statements.
   *
   * @param table The quoted name of the table.
   * @param isMarked Whether keys and values in answers start with a `MARK`.
   */
  constructor(table: string, isMarked = false) {
    this.#table = table;
    this.#answer = (column) =>
      isMarked ? `chr(${MARK.charCodeAt(0)}) || ${column}` : column;
    const value = this.#answer("value");
    this.read = {
      single:
        `SELECT (SELECT ${value} FROM ${table} WHERE key = $1 AND ${ALIVE})`,
      batch:
        `SELECT (SELECT ${value} FROM ${table} WHERE key = w.key AND ${ALIVE})
FROM unnest(${texts(1)}) AS w (key)`,
    };
    const columns = "(key, value, full_key, expires, due)";
    const later = expiry("$4::text::bigint");
    const single = `INSERT INTO ${table} AS t ${columns}
VALUES ($1, $2, $3, ${later}, ${later})`;
    const batch = `INSERT INTO ${table} AS t ${columns}
SELECT key, value, full_key, ${expiry("ttl")}, ${expiry("ttl")}
FROM unnest(${texts(1)}, ${texts(2)}, ${optional(3)}, ${optional(4)}::bigint[])
  AS w (key, value, full_key, ttl)`;
    const overwrite = `ON CONFLICT (key) DO UPDATE
SET value = excluded.value, expires = excluded.expires,
  due = least(t.due, excluded.due)`;
    this.set = {
      single: `${single} ${overwrite}`,
      batch: `${batch} ${overwrite}`,
    };
    const create = `${overwrite} WHERE t.expires <= ${NOW} RETURNING ${
      this.#answer("key")
    }`;
    this.create = {
      single: `${single} ${create}`,
      batch: `${batch} ${create}`,
    };
    this.delete = {
      single: `DELETE FROM ${table} WHERE key = $1`,
      batch: `WITH locked AS MATERIALIZED (
  SELECT t.key FROM unnest(${texts(1)}) AS w (key) CROSS JOIN LATERAL (
    SELECT key FROM ${table} WHERE key = w.key FOR UPDATE
  ) AS t
) DELETE FROM ${table} WHERE key = ANY (ARRAY(SELECT key FROM locked))`,
    };
    this.swap = this.#compared(
      `UPDATE ${table} AS t
  SET value = $3, expires = ${later}, due = least(due, ${later})`,
      `UPDATE ${table} AS t SET value = l.new,
    expires = ${expiry("l.ttl")}, due = least(due, ${expiry("l.ttl")})
  FROM locked AS l`,
      `unnest(${texts(1)}, ${texts(2)}, ${texts(3)}, ${optional(4)}::bigint[])
    WITH ORDINALITY AS w (key, expected, new, ttl, number)`,
      "w.new, w.ttl, ",
    );
    this.remove = this.#compared(
      `DELETE FROM ${table} AS t`,
      `DELETE FROM ${table} AS t USING locked AS l`,
      `unnest(${texts(1)}, ${texts(2)})
    WITH ORDINALITY AS w (key, expected, number)`,
      "",
    );
  }

  /**
   * `limit`, and `from` if the sweep does not start with the first row. It deals
   * with the rows that are due: deletes those that have expired and postpones the
   * others → how many it found and deleted, and the last `due` or NULL. It must
   * be planned each time: the plan for a small table does not suit a large one.
   */
  sweep(isFirst: boolean): string {
    const next = isFirst ? "" : " AND due >= $2::text::bigint";
    return `WITH found AS MATERIALIZED (
  SELECT key, expires, due FROM ${this.#table} WHERE due <= ${NOW}${next}
  ORDER BY due LIMIT $1::text::bigint FOR UPDATE SKIP LOCKED
), swept AS (
  DELETE FROM ${this.#table} WHERE expires <= ${NOW}
  AND key = ANY (ARRAY(SELECT key FROM found WHERE expires <= ${NOW}))
  RETURNING 1
), postponed AS (
  UPDATE ${this.#table} SET due = expires WHERE key = ANY (ARRAY(
    SELECT key FROM found WHERE expires IS NULL OR expires > ${NOW}))
) SELECT count(*)::text, (SELECT count(*) FROM swept)::text, max(due)::text
FROM found`;
  }

  /**
   * A page of the entries: `limit`, `bytes`, and then those bounds that there are
   * → `key, value, full_key, expires`, and the milliseconds that the entry has left
   * or NULL. A page ends after the entry that reaches the limit of bytes. The
   * server reads no value to find out its size.
   */
  page({ bounds, reverse, keysOnly }: PageForm): string {
    const conditions = bounds.map((bound, i) => `${bound} $${i + 3}`);
    const from = `FROM ${this.#table} WHERE ${
      [...conditions, ALIVE].join(" AND ")
    }`;
    const order = `ORDER BY key${reverse ? " DESC" : ""}`;
    const limit = "LIMIT $1::text::bigint";
    const [key, fullKey] = ["key", "full_key"].map(this.#answer);
    const times = `expires::text, (expires - ${NOW})::text`;
    const [value, columns, texts] = keysOnly
      ? ["NULL::text", "key, full_key, expires", ["key", "full_key"]]
      : [this.#answer("value"), "key, value, full_key, expires", [
        "key",
        "full_key",
        "value",
      ]];
    const bytes = texts.map((text) => `coalesce(octet_length(${text}), 0)`)
      .join(" + ");
    return `SELECT ${key}, ${value}, ${fullKey}, ${times} FROM (
  SELECT ${columns}, ${bytes} AS bytes,
    sum(${bytes}) OVER (${order} ROWS UNBOUNDED PRECEDING) AS total
  FROM (
    SELECT ${columns} ${from} ${order} ${limit}
  ) AS found
) AS page WHERE total - bytes < $2::text::bigint ${order}`;
  }

  /*
   * One row is found, compared and written by the one UPDATE, which waits for
   * others and then looks again. What the SELECT reads in place of a row that
   * was not written is as old as the start of the statement; so it may even be
   * the expected value, if another call was faster.
   *
   * A batch locks its rows first, and decides by what the lock returns. If a row
   * was changed while the lock was waited for, the UPDATE does not see its new
   * place. It is not written then, and reported with its value.
   */
  #compared(
    single: string,
    batch: string,
    wanted: string,
    columns: string,
  ): Statement {
    return {
      single: `WITH done AS (
  ${single} WHERE key = $1 AND value = $2 AND ${ALIVE} RETURNING 1
) SELECT '1', EXISTS (SELECT FROM done)::text, (
  SELECT ${this.#answer("value")} FROM ${this.#table}
  WHERE key = $1 AND ${ALIVE} AND NOT EXISTS (SELECT FROM done)
)`,
      batch: `WITH locked AS MATERIALIZED (
  SELECT w.number, w.expected, ${columns}t.key, t.place, t.value FROM ${wanted}
  LEFT JOIN LATERAL (
    SELECT key, ctid AS place, value FROM ${this.#table}
    WHERE key = w.key AND ${ALIVE} FOR UPDATE
  ) AS t ON true
), done AS (
  ${batch} WHERE t.ctid = l.place AND t.key = l.key AND l.value = l.expected
  RETURNING l.number
) SELECT l.number::text, (done.number IS NOT NULL)::text,
  CASE WHEN done.number IS NULL THEN ${this.#answer("l.value")} END
FROM locked AS l LEFT JOIN done ON done.number = l.number`,
    };
  }
}
