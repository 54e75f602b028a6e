/**
 * The statements of a MySQL store.
 *
 * @module
 */

import type { Bound } from "../sql/range.ts";

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
const EXPIRED = `expires <= ${NOW}`;
/** The expiry of a life: of a given expiry or else of a TTL, both perhaps NULL. */
const EXPIRY = `COALESCE(?, (${EPOCH}(6)) + 999) DIV 1000 + ?)`;
const DIGEST = "SHA2(value, 256)";

/** The most bits that a statement can set. */
export const MAX_SWAPS = 32;
/** What separates the tag from the bits. */
export const TAG_UNIT = 2 ** MAX_SWAPS;
/** The number of different tags: tag and bits fit into a JavaScript number. */
export const TAGS = 2 ** 20;
const TAG_MASK = TAG_UNIT * (TAGS - 1);

/** Rows of which each is made out of the one before, if bits can be collected. */
export const PROBE =
  `SELECT CAST(LAST_INSERT_ID((LAST_INSERT_ID() & 1023) * 2 + n) AS BINARY)
FROM (SELECT 1 AS n UNION ALL SELECT 1 UNION ALL SELECT 1) AS numbers`;

/** Sets a bit; the tag is the parameter, twice. */
function noteBit(bit: string): string {
  return `LAST_INSERT_ID(IF((LAST_INSERT_ID() & ${TAG_MASK}) = CAST(? AS UNSIGNED),
    LAST_INSERT_ID(), CAST(? AS UNSIGNED)) | (1 << ${bit}))`;
}

/** The database, the size of packets and pages, `autocommit`, and the parameter. */
export const SETTINGS = `SELECT CAST(DATABASE() AS BINARY),
  CAST(@@max_allowed_packet AS BINARY), CAST(@@innodb_page_size AS BINARY),
  CAST(@@autocommit + 0 AS BINARY), CAST(? AS BINARY)`;

/** `database, name` → what the server knows about a table, as text. */
export const INSPECTION: readonly string[] = [
  ["'type ', table_type", "tables"],
  ["'engine ', engine", "tables"],
  [
    `IF(extra LIKE '%AUTO_INC%' OR extra LIKE '% GENERATED%', 'generated ', ''),
  IF(column_name IN ('key', 'value', 'full_key', 'expires', 'due', 'version'), '',
    IF(is_nullable = 'YES' OR column_default IS NOT NULL, 'other ', 'required ')),
  'column ', column_name, ' ', data_type,
  IF(data_type = 'varbinary', CONCAT('(', character_maximum_length, ')'), ''),
  IF(is_nullable = 'YES', ' NULL', ' NOT NULL')`,
    "columns",
  ],
  [
    `IF(index_name = 'PRIMARY', 'primary key',
  IF(non_unique, 'index', CONCAT('unique index ', index_name))), ' (',
  GROUP_CONCAT(column_name, COALESCE(sub_part, '') ORDER BY seq_in_index), ')'`,
    "statistics",
    "GROUP BY index_name, non_unique",
  ],
  ["'trigger ', trigger_name", "triggers"],
].map(([fact, from, end = ""]) => {
  const [schema, name] = from === "triggers"
    ? ["event_object_schema", "event_object_table"]
    : ["table_schema", "table_name"];
  return `SELECT CAST(CONCAT('the ', ${fact}) AS BINARY)
FROM information_schema.${from} WHERE ${schema} = ? AND ${name} = ? ${end}`;
});

function list(length: number, item = "?"): string {
  return Array(length).fill(item).join(", ");
}

/** A value in parts. */
function joined(parts: number): string {
  return parts === 1 ? "?" : `CONCAT(${list(parts, "CAST(? AS BINARY)")})`;
}

/** A single table in the syntax for several: only that one takes a hint. */
function deletion(table: string, length = 1): string {
  return `DELETE t FROM ${table} AS t FORCE INDEX (PRIMARY)
WHERE \`key\` IN (${list(length)})`;
}

function swap(length: number, parts: number, compared: string): string {
  const keys = list(length);
  const number = length === 1 ? "1" : `FIELD(\`key\`, ${keys})`;
  const nth = (items: string) =>
    length === 1 ? items : `ELT(${number}, ${items})`;
  return `FORCE INDEX (PRIMARY)
SET version = version + (${noteBit(`(${number} - 1)`)} > 0),
  due = COALESCE(LEAST(due, ${EXPIRY}), due, ${EXPIRY}),
  value = ${nth(list(length, joined(parts)))}, expires = ${EXPIRY}
WHERE \`key\` IN (${keys}) AND ${compared} = ${nth(keys)} AND ${ALIVE}`;
}

const LEAST_DUE = "COALESCE(LEAST(due, VALUES(due)), due, VALUES(due))";

/** The statements on a table, for operations and values of so many parts. */
const FORMS = {
  /** `key` → its value, if it has an entry. */
  read: (table: string) =>
    `SELECT value FROM ${table} WHERE \`key\` = ? AND ${ALIVE}`,

  /** `key, …` → the keys and values of those that have an entry. */
  reads: (table: string, length: number) =>
    `SELECT \`key\`, value FROM ${table}
WHERE \`key\` IN (${list(length)}) AND ${ALIVE}`,

  /** `key, value, full_key, life, …`. */
  set: (table: string, length: number, parts: number) =>
    `INSERT INTO ${table} (\`key\`, value, full_key, expires, due)
VALUES ${list(length, `(?, ${joined(parts)}, ?, ${EXPIRY}, expires)`)}
ON DUPLICATE KEY UPDATE version = version + 1, value = VALUES(value),
  due = ${LEAST_DUE}, expires = VALUES(expires)`,

  /** `key, …`. */
  delete: deletion,

  /** `key, value, full_key, life, …, tag, tag` → a bit for each that exists. */
  create(table: string, length: number, parts: number) {
    const rows = Array.from(
      { length },
      (_, i) => `(?, ${joined(parts)}, ?, ${EXPIRY}, expires, ${i})`,
    );
    return `INSERT INTO ${table} (\`key\`, value, full_key, expires, due, version)
VALUES ${rows.join(", ")}
ON DUPLICATE KEY UPDATE
  version = version + IF(${EXPIRED}, 1, ${noteBit("VALUES(version)")} * 0),
  value = IF(${EXPIRED}, VALUES(value), value),
  due = IF(${EXPIRED}, ${LEAST_DUE}, due),
  expires = IF(${EXPIRED}, VALUES(expires), expires)`;
  },

  /**
   * `tag, tag, [key, …], life, life, [key, …], value, …, life, key, …, [key, …],
   * expected, …` → a bit for each that was made. One key is given only once.
   */
  swap: (table: string, length: number, parts: number) =>
    `UPDATE ${table} ${swap(length, parts, "value")}`,

  /** The same, with a digest of what is expected. */
  swapLarge: (table: string, length: number, parts: number) =>
    `UPDATE ${table} ${swap(length, parts, DIGEST)}`,

  /** `key, expected`. */
  remove: (table: string) => `${deletion(table)} AND value = ? AND ${ALIVE}`,

  /** The same, with a digest of what is expected. */
  removeLarge: (table: string) =>
    `${deletion(table)} AND ${DIGEST} = ? AND ${ALIVE}`,

  /** `from` → the keys that are due, their `due`, and whether they expired. */
  due: (table: string, limit: number) =>
    `SELECT \`key\`, CAST(due AS BINARY), CAST(COALESCE(${EXPIRED}, 0) AS BINARY)
FROM ${table} WHERE due >= ? AND due <= ${NOW} ORDER BY due LIMIT ${limit}`,

  /** `key, …`: deletes those that have expired. */
  sweep: (table: string, length: number) =>
    `${deletion(table, length)} AND ${EXPIRED}`,

  /** `key, …`: looks at those again when they expire. */
  postpone: (table: string, length: number) =>
    `UPDATE ${table} FORCE INDEX (PRIMARY) SET due = expires
WHERE \`key\` IN (${list(length)}) AND ${ALIVE}`,
};

/** What a statement does. */
export type Form = keyof typeof FORMS;

/** Returns a statement for operations and values of so many parts. */
export type Statements = (form: Form, length: number, parts: number) => string;

/** The statements on the table with a quoted name. */
export function statementsOn(table: string): Statements {
  const made = new Map<string, string>();
  return (form, length, parts) => {
    const id = `${form} ${length} ${parts}`;
    let statement = made.get(id);
    if (statement === undefined) {
      statement = FORMS[form](table, length, parts);
      made.set(id, statement);
    }
    return statement;
  };
}

/**
 * The bounds → `key, value, full_key, expires`, and the milliseconds that the
 * entry has left or NULL. A value of more than `maxBytes` is NULL.
 */
export function pageStatement(
  table: string,
  bounds: readonly (readonly [Bound, unknown])[],
  reverse: boolean,
  maxBytes: number,
  limit: number,
): string {
  const value = maxBytes === 0
    ? "NULL"
    : `IF(OCTET_LENGTH(value) <= ${maxBytes}, value, NULL)`;
  const conditions = bounds.map(([bound]) =>
    bound.replace(/\w+/, "`$&`") + " ?"
  );
  return `SELECT \`key\`, ${value}, full_key, CAST(expires AS BINARY),
  CAST(expires - ${NOW} AS BINARY)
FROM ${table} FORCE INDEX (PRIMARY)
WHERE ${[...conditions, ALIVE].join(" AND ")}
ORDER BY \`key\`${reverse ? " DESC" : ""} LIMIT ${limit}`;
}
