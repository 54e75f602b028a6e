/**
 * The statements of a MySQL store.
 *
 * @module
 */

/*
 * Invariants of every statement:
 *
 * - It works on MySQL 8 and on MariaDB, with every `sql_mode`, time zone,
 *   isolation level and character set of the connection, and with FOUND_ROWS on
 *   and off. All text is passed and returned as bytes.
 * - Time is the server's, in whole milliseconds: rounded up where an expiry is
 *   set and down where it is checked, so that no entry expires early.
 * - It is a transaction, and finds its rows by the primary key, in key order. A
 *   scan of the table would lock all of them.
 * - It is written for a power of two of operations, so that a connection prepares
 *   few statements.
 * - An update never raises `due`; see the table's definition.
 *
 * A server answers a write with one number that a statement can choose, by
 * LAST_INSERT_ID(). Bits of it tell which of several operations were made, or
 * were not: those below 2^32, if the others are the tag of the statement.
 */
const EPOCH = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP";
const NOW = `${EPOCH}(3)) DIV 1000`;
const ALIVE = `(expires IS NULL OR expires > ${NOW})`;
/** The expiry of a life: of a given expiry or else of a TTL, both perhaps NULL. */
const EXPIRY = `COALESCE(?, (${EPOCH}(6)) + 999) DIV 1000 + ?)`;

/** What separates the tag from the bits. */
export const TAG_UNIT = 2 ** 32;
/** The number of different tags: tag and bits fit into a JavaScript number. */
export const TAGS = 2 ** 20;
const TAG_MASK = TAG_UNIT * (TAGS - 1);

/** Sets a bit; the tag is the parameter, twice. */
function noteBit(bit: string): string {
  return `LAST_INSERT_ID(IF((LAST_INSERT_ID() & ${TAG_MASK}) = CAST(? AS UNSIGNED),
    LAST_INSERT_ID(), CAST(? AS UNSIGNED)) | (1 << ${bit}))`;
}

/** Rows of which each is made out of the one before, if bits can be collected. */
export const PROBE =
  `SELECT CAST(LAST_INSERT_ID((LAST_INSERT_ID() & 1023) * 2 + n) AS BINARY)
FROM (SELECT 1 AS n UNION ALL SELECT 1 UNION ALL SELECT 1) AS numbers`;

/** What a bound of a page compares a parameter with. */
export type Bound = "`key` >=" | "`key` <" | "full_key >=" | "full_key <";

/** The form of a page. */
export interface PageForm {
  /** The bounds, in the order of their parameters. */
  readonly bounds: readonly Bound[];
  /** Whether it goes from the last key to the first. */
  readonly reverse: boolean;
  /** The size up to which values are read. */
  readonly maxBytes: number;
  /** The number of entries. */
  readonly limit: number;
}

function list(length: number, item = "?"): string {
  return Array(length).fill(item).join(", ");
}

/** A value in parts. */
function joined(parts: number): string {
  return parts === 1 ? "?" : `CONCAT(${list(parts, "CAST(? AS BINARY)")})`;
}

const HAS_DIGEST = "SHA2(value, 256) = ?";

/** The statements that are made once for each number of operations. */
type Sized =
  | "read"
  | "set"
  | "delete"
  | "create"
  | "swap"
  | "swapDigest"
  | "swaps"
  | "remove"
  | "removeDigest"
  | "sweep"
  | "postpone";

/** The statements on one table. */
export class MysqlStatements {
  readonly #table: string;
  readonly #made = new Map<string, string>();

  /** Creates the statements on the table with a quoted name. */
  constructor(table: string) {
    this.#table = table;
  }

  /** A statement for a number of operations, with values of a number of parts. */
  of(name: Sized, length: number, parts = 1): string {
    const id = `${name} ${length} ${parts}`;
    let statement = this.#made.get(id);
    if (statement === undefined) {
      statement = this[name](length, parts);
      this.#made.set(id, statement);
    }
    return statement;
  }

  /** `key, …` → the keys and values of those that have an entry. */
  read(length: number): string {
    return `SELECT \`key\`, value FROM ${this.#table}
WHERE \`key\` IN (${list(length)}) AND ${ALIVE}`;
  }

  /** `key, value, full_key, life, …`. */
  set(length: number, parts: number): string {
    return `INSERT INTO ${this.#table} (\`key\`, value, full_key, expires, due)
VALUES ${list(length, `(?, ${joined(parts)}, ?, ${EXPIRY}, expires)`)}
ON DUPLICATE KEY UPDATE version = version + 1, value = VALUES(value),
  due = COALESCE(LEAST(due, VALUES(due)), due, VALUES(due)),
  expires = VALUES(expires)`;
  }

  /** `key, …`. */
  delete(length: number): string {
    return this.#deletion(list(length));
  }

  /** `key, value, full_key, life, …, tag, tag` → a bit for each that exists. */
  create(length: number, parts: number): string {
    const rows = Array.from(
      { length },
      (_, i) => `(?, ${joined(parts)}, ?, ${EXPIRY}, expires, ${i})`,
    );
    const expired = `expires <= ${NOW}`;
    const replaced = (column: string, value = `VALUES(${column})`) =>
      `${column} = IF(${expired}, ${value}, ${column})`;
    return `INSERT INTO ${this.#table}
  (\`key\`, value, full_key, expires, due, version)
VALUES ${rows.join(", ")}
ON DUPLICATE KEY UPDATE
  version = version + IF(${expired}, 1, ${noteBit("VALUES(version)")} * 0),
  ${replaced("value")},
  ${replaced("due", "COALESCE(LEAST(due, VALUES(due)), due, VALUES(due))")},
  ${replaced("expires")}`;
  }

  /** `life, life, value, life, key, expected`. */
  swap(_: number, parts: number, condition = "value = ?"): string {
    return `UPDATE ${this.#table} FORCE INDEX (PRIMARY)
SET due = COALESCE(LEAST(due, ${EXPIRY}), due, ${EXPIRY}),
  value = ${joined(parts)}, expires = ${EXPIRY}, version = version + 1
WHERE \`key\` = ? AND ${condition} AND ${ALIVE}`;
  }

  /** As `swap`, with a digest of what is expected. */
  swapDigest(_: number, parts: number): string {
    return this.swap(_, parts, HAS_DIGEST);
  }

  /**
   * `tag, tag, key, …, life, life, key, …, value, …, life, key, …, key, …,
   * expected, …` → a bit for each that was made.
   */
  swaps(length: number): string {
    const keys = list(length);
    const number = `FIELD(\`key\`, ${keys})`;
    return `UPDATE ${this.#table} FORCE INDEX (PRIMARY)
SET version = version + (${noteBit(`(${number} - 1)`)} > 0),
  due = COALESCE(LEAST(due, ${EXPIRY}), due, ${EXPIRY}),
  value = ELT(${number}, ${keys}), expires = ${EXPIRY}
WHERE \`key\` IN (${keys}) AND value = ELT(${number}, ${keys}) AND ${ALIVE}`;
  }

  /** `key, expected`. */
  remove(): string {
    return `${this.#deletion("?")} AND value = ? AND ${ALIVE}`;
  }

  /** As `remove`, with a digest of what is expected. */
  removeDigest(): string {
    return `${this.#deletion("?")} AND ${HAS_DIGEST} AND ${ALIVE}`;
  }

  /** `from` → the keys that are due, their `due`, and whether they expired. */
  due(limit: number): string {
    return `SELECT \`key\`, CAST(due AS BINARY), CAST(expires <= ${NOW} AS BINARY)
FROM ${this.#table} WHERE due >= ? AND due <= ${NOW} ORDER BY due LIMIT ${limit}`;
  }

  /** `key, …`: deletes those that have expired. */
  sweep(length: number): string {
    return `${this.#deletion(list(length))} AND expires <= ${NOW}`;
  }

  /** `key, …`: looks at those again when they expire. */
  postpone(length: number): string {
    return `UPDATE ${this.#table} FORCE INDEX (PRIMARY) SET due = expires
WHERE \`key\` IN (${list(length)}) AND ${ALIVE}`;
  }

  /**
   * The bounds → `key, value, full_key, expires`, the milliseconds that the entry
   * has left or NULL, and whether the value is larger than wanted.
   */
  page({ bounds, reverse, maxBytes, limit }: PageForm): string {
    const value = maxBytes === 0
      ? "NULL, full_key"
      : `IF(OCTET_LENGTH(value) <= ${maxBytes}, value, NULL), full_key`;
    const conditions = bounds.map((bound) => `${bound} ?`);
    return `SELECT \`key\`, ${value}, CAST(expires AS BINARY),
  CAST(expires - ${NOW} AS BINARY)
FROM ${this.#table} FORCE INDEX (PRIMARY)
WHERE ${[...conditions, ALIVE].join(" AND ")}
ORDER BY \`key\`${reverse ? " DESC" : ""} LIMIT ${limit}`;
  }

  /** A single table in the syntax for several: only that one takes a hint. */
  #deletion(keys: string): string {
    return `DELETE t FROM ${this.#table} AS t FORCE INDEX (PRIMARY)
WHERE \`key\` IN (${keys})`;
  }
}
