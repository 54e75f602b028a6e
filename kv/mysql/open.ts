/**
 * Opening the table of a MySQL store: creating it if it is missing, and checking
 * that it fits before anything is read or changed.
 *
 * @module
 */

import { Buffer } from "../core/builtin.ts";
import { failure } from "../core/message.ts";
import { KvError } from "../errors.ts";
import { type Query, queryTwice } from "./client.ts";
import { examine, inspect } from "./inspect.ts";
import { type Limits, MAX_SWAPS } from "./operations.ts";
import { definition, MAX_KEY_BYTES, quoted, type TableName } from "./schema.ts";
import { PROBE } from "./sql.ts";

/** Bytes that any change of texts by a client changes. */
const ECHO = " null,\tÿ_\"'\\{}\r\n1e3 ";

const SETTINGS = `SELECT CAST(DATABASE() AS BINARY),
  CAST(@@max_allowed_packet AS BINARY), CAST(@@innodb_page_size AS BINARY),
  CAST(@@autocommit + 0 AS BINARY), CAST(? AS BINARY)`;

/** A table that is open. */
export interface Opened {
  /** The name with the database in which the table is. */
  readonly tableName: TableName;
  /** What limits the statements on it. */
  readonly limits: Limits;
}

/**
 * Opens the table.
 *
 * @param query Runs a statement.
 * @param tableName The name of the table.
 * @returns Where it is, and its limits.
 * @throws {KvError} If the server or the table cannot hold a store.
 */
export async function openTable(
  query: Query,
  tableName: TableName,
): Promise<Opened> {
  const action = `open ${quoted(tableName)}`;
  try {
    return await open(query, tableName, action);
  } catch (error) {
    throw error instanceof KvError ? error : failure(action, error);
  }
}

async function open(
  query: Query,
  tableName: TableName,
  action: string,
): Promise<Opened> {
  const bytes = Buffer.from(ECHO);
  const settings = await queryTwice(query, SETTINGS, [bytes]);
  const [current, packet, page, autocommit, echo] = settings.rows[0] ?? [];
  if (!echo?.equals(bytes)) {
    throw new KvError(`Cannot ${action}: the client changes bytes`);
  }
  if (String(autocommit) !== "1") {
    throw new KvError(`Cannot ${action}: autocommit must be on: received off`);
  }
  const database = tableName.database ?? current?.toString();
  if (database === undefined) {
    throw new KvError(
      `Cannot ${action}: the connection has no database: connect to one, or ` +
        "put its name and a dot in front of tableName",
    );
  }
  const resolved: TableName = { database, name: tableName.name };
  let found = await inspect(query, resolved);
  if (found === undefined) {
    // An index takes at most this share of a page.
    const keyBytes = Math.min(MAX_KEY_BYTES, Number(page) / 16 * 3);
    await query(definition(quoted(resolved), keyBytes), []);
    found = await inspect(query, resolved);
  }
  if (found === undefined) {
    throw new KvError(`Cannot ${action}: it was dropped as soon as created`);
  }
  const result = examine(found);
  if (typeof result === "object") {
    throw new KvError(
      `Cannot open ${quoted(resolved)}: ${result.found}: ${result.fix}`,
    );
  }
  const limits: Limits = {
    keyBytes: Math.min(result, MAX_KEY_BYTES),
    packetBytes: Number(packet),
    swaps: await canCollectBits(query) ? MAX_SWAPS : 1,
  };
  return { tableName: resolved, limits };
}

/** Whether a statement can tell of several operations; see `sql.ts`. */
async function canCollectBits(query: Query): Promise<boolean> {
  const { rows } = await queryTwice(query, PROBE, []);
  const numbers = rows.map(([number]) => Number(number));
  return numbers.length === 3 &&
    numbers.every((number, i) =>
      i === 0 || number === (numbers[i - 1]! & 1023) * 2 + 1
    );
}
