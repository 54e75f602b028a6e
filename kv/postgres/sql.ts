/**
 * The statements of a PostgreSQL store.
 *
 * @module
 */

/** The two forms of a statement: for one call, and for several. */
export interface Statement {
  /** Its parameters are those of the call. */
  readonly single: string;
  /** Its parameters are those of all calls, each joined by newlines. */
  readonly batch: string;
}

/*
 * All statements hold these lines:
 *
 * - Time is the server's, in whole milliseconds: rounded up where an expiry is
 *   set and down where it is checked, so that no entry expires early. The time
 *   at which a statement started lies within the call, and an index can be
 *   asked with it, which it cannot with `clock_timestamp()`.
 * - Each statement is a transaction of its own, and locks its rows in key order,
 *   in which the parameters stand. So no two of them wait for each other.
 * - A batch looks up each of its keys by a subquery of its own, which the
 *   planner cannot turn into a scan of the whole table. A join it can, while the
 *   table is small, and the plan of a prepared statement outlives that.
 * - Neither an encoded key nor a stored value holds a newline, so a parameter
 *   that is split takes the place of an array, which clients escape at length.
 */
const SECONDS = "date_part('epoch', statement_timestamp())";
const NOW = `floor(${SECONDS} * 1000)::bigint`;
const ALIVE = `(expires IS NULL OR expires > ${NOW})`;

/** The expiry of a TTL, which may be NULL. */
function expiry(ttl: string): string {
  return `ceil(${SECONDS} * 1000)::bigint + ${ttl}`;
}

function texts(parameter: number): string {
  return `string_to_array($${parameter}, E'\\n')`;
}

/** Texts of which an empty one stands for NULL. */
function optional(parameter: number): string {
  return `string_to_array($${parameter}, E'\\n', '')`;
}

/** The statements on one table. */
export class PostgresStatements {
  /** `key` → its value. A batch has a row for each key, in their order. */
  readonly read: Statement;
  /** `key, value, full_key, ttl`. */
  readonly set: Statement;
  /** `key`. */
  readonly delete: Statement;
  /** `key, value, full_key, ttl` → the keys under which nothing was. */
  readonly create: Statement;
  /**
   * `key, expected, value, ttl` → for each entry its number from 1 on, and NULL
   * if it was swapped, or else its value.
   */
  readonly swap: Statement;
  /** `key, expected` → as for a swap. */
  readonly remove: Statement;
  readonly #table: string;

  /** Makes the statements on the table with a quoted name. */
  constructor(table: string) {
    this.#table = table;
    this.read = {
      single: `SELECT value FROM ${table} WHERE key = $1 AND ${ALIVE}`,
      batch: `SELECT (SELECT value FROM ${table} WHERE key = w.key AND ${ALIVE})
FROM unnest(${texts(1)}) AS w (key)`,
    };
    const columns = "(key, value, full_key, expires)";
    const single = `INSERT INTO ${table} AS t ${columns}
VALUES ($1, $2, $3, ${expiry("$4::bigint")})`;
    const batch = `INSERT INTO ${table} AS t ${columns}
SELECT key, value, full_key, ${expiry("ttl")}
FROM unnest(${texts(1)}, ${texts(2)}, ${optional(3)}, ${optional(4)}::bigint[])
  AS w (key, value, full_key, ttl)`;
    const overwrite = `ON CONFLICT (key) DO UPDATE
SET value = excluded.value, expires = excluded.expires`;
    this.set = {
      single: `${single} ${overwrite}`,
      batch: `${batch} ${overwrite}`,
    };
    const create = `${overwrite} WHERE t.expires <= ${NOW} RETURNING key`;
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
      `UPDATE ${table} AS t SET value = $3, expires = ${expiry("$4::bigint")}`,
      `UPDATE ${table} AS t SET value = l.new, expires = ${expiry("l.ttl")}
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
   * Deletes the first expired rows, up to a number and from an expiry on → their
   * number, and the last expiry as text. Without parameters it is planned anew
   * each time, which it must be: what suits a small table does not suit a large
   * one.
   */
  sweep(limit: number, from?: string): string {
    const next = from === undefined ? "" : ` AND expires >= ${from}`;
    return `WITH swept AS (
  DELETE FROM ${this.#table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${this.#table} WHERE expires <= ${NOW}${next}
    ORDER BY expires LIMIT ${limit} FOR UPDATE SKIP LOCKED
  )) RETURNING expires
) SELECT count(*)::int, max(expires)::text FROM swept`;
  }

  /**
   * A page of the entries from a key on: `first, limit`, and then, each only if
   * asked for, `end` of the keys and `start, end` of the true keys of shortened
   * ones → `key, value, full_key`, and the milliseconds that the entry has left,
   * or NULL.
   */
  page(bounds: { end: boolean; fullKey: boolean }): string {
    let condition = `key >= $1 AND ${ALIVE}`;
    if (bounds.end) condition += " AND key < $3";
    if (bounds.fullKey) condition += " AND full_key >= $4 AND full_key < $5";
    return `SELECT key, value, full_key, (expires - ${NOW})::float8
FROM ${this.#table}
WHERE ${condition} ORDER BY key LIMIT $2`;
  }

  /*
   * One row is found, compared and written by the one UPDATE, which waits for
   * others and then looks again. What the SELECT reads in place of a row that
   * was not written is as old as the start of the statement; so it may even be
   * the expected value, if another call was faster.
   *
   * A batch locks its rows first, and what the lock returns is what counts. If
   * a row was changed while the lock was waited for, its new place is invisible
   * to the UPDATE. It is not written then, and reported with its value.
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
) SELECT 1, NULL FROM done
UNION ALL SELECT 1, value FROM ${this.#table}
WHERE key = $1 AND ${ALIVE} AND NOT EXISTS (SELECT FROM done)`,
      batch: `WITH locked AS MATERIALIZED (
  SELECT w.number, w.expected, ${columns}t.place, t.value FROM ${wanted}
  CROSS JOIN LATERAL (
    SELECT ctid AS place, value FROM ${this.#table}
    WHERE key = w.key AND ${ALIVE} FOR UPDATE
  ) AS t
), done AS (
  ${batch} WHERE t.ctid = l.place AND l.value = l.expected RETURNING l.number
) SELECT l.number::int, CASE WHEN done.number IS NULL THEN l.value END
FROM locked AS l LEFT JOIN done ON done.number = l.number`,
    };
  }
}
