/**
 * Opening the table of a PostgreSQL store: creating it if it is missing, and
 * otherwise checking that it fits before anything is read or changed.
 *
 * @module
 */

import { failure } from "../core/message.ts";
import { KvError } from "../errors.ts";
import { readTwice } from "../sql/errors.ts";
import { findOrCreate, misfitError } from "../sql/open.ts";
import type { TableName } from "../sql/table_name.ts";
import { triage } from "./errors.ts";
import {
  examine,
  type Found,
  type FoundTable,
  inspection,
  oldIndexes,
} from "./inspect.ts";
import { definition, dueIndex, literal, quoted } from "./schema.ts";
import type { Query } from "./query.ts";
import { MARK } from "./sql.ts";
import { PostgresTable } from "./table.ts";

/**
 * A text that any change of texts by a client changes. The server puts a byte
 * order mark before it, which PGlite takes away, and which may be part of a key.
 */
const ECHO = " null,\tab_Cd\\\"'{}\r\n1e3 ";

/** Keeps processes that create or upgrade tables from doing so at once. */
const LOCK = "PERFORM pg_advisory_xact_lock(7738145620);";

/**
 * Opens the table.
 *
 * @param query Runs a statement.
 * @param tableName The name of the table.
 * @param unlogged Whether it is created as `UNLOGGED`.
 * @returns The table.
 * @throws {KvError} If the database or the table cannot hold a store.
 */
export async function openTable(
  query: Query,
  tableName: TableName,
  unlogged: boolean,
): Promise<PostgresTable> {
  let database: Inspected;
  const table = await findOrCreate(
    quoted(tableName),
    async () => {
      database = await inspect(query, tableName);
      return database.table ?? undefined;
    },
    () => create(query, tableName, unlogged, database),
  );
  const resolved = { schema: table.schema, name: table.name };
  const result = examine(table, quoted(resolved));
  if (typeof result === "object") throw misfitError(quoted(resolved), result);
  if (result) await upgrade(query, resolved, table);
  return database!.isMarked
    ? new PostgresTable(unmarking(query), resolved, true)
    : new PostgresTable(query, resolved);
}

/** Takes the marks of answers away. */
function unmarking(query: Query): Query {
  return async (...parameters) => {
    const { rows, ...answer } = await query(...parameters);
    const unmarked = rows.map((row) =>
      row.map((text) => text?.startsWith(MARK) ? text.slice(1) : text)
    );
    return { ...answer, rows: unmarked };
  };
}

/** What the server knows, and whether its answers need marks. */
interface Inspected extends Found {
  readonly isMarked: boolean;
}

async function inspect(query: Query, tableName: TableName): Promise<Inspected> {
  const table = quoted(tableName);
  let found: Found;
  let isMarked: boolean;
  try {
    const { rows } = await readTwice(
      triage,
      () => query(inspection(table), [ECHO]),
    );
    const [json, echo, nothing] = rows[0] ?? [];
    isMarked = echo === ECHO;
    if (!isMarked && echo?.slice(1) !== ECHO || nothing !== null) {
      throw new Error(
        "the client changes texts: remove its parsers, serializers and " +
          "transforms of texts and rows",
      );
    }
    found = JSON.parse(json!);
  } catch (error) {
    throw failure(`open ${table}`, error);
  }
  if (found.encoding !== "UTF8") {
    throw new KvError(
      `Cannot open ${table}: ` +
        `the database must be encoded in UTF8: received ${found.encoding}`,
    );
  }
  return { ...found, isMarked };
}

/**
 * Creates the table unless it exists. Processes that do so at once wait for each
 * other, as two `CREATE TABLE IF NOT EXISTS` may fail, and as nobody must find
 * the table without its index.
 */
async function create(
  query: Query,
  tableName: TableName,
  unlogged: boolean,
  { schema, hasLz4 }: Found,
): Promise<void> {
  const table = quoted({
    schema: tableName.schema ?? schema ?? undefined,
    name: tableName.name,
  });
  const statement = block(`IF to_regclass(${literal(table)}) IS NULL THEN
${definition(table, unlogged, hasLz4)}END IF;`);
  try {
    await query(statement, []);
  } catch (error) {
    // Someone who does not wait for others may have created it just now.
    const found = await inspect(query, tableName).catch(() => undefined);
    if (!found?.table) throw failure(`create ${table}`, error);
  }
}

/** Adds the column and the index that a table of an earlier version lacks. */
async function upgrade(
  query: Query,
  tableName: TableName,
  found: FoundTable,
): Promise<void> {
  const table = quoted(tableName);
  const statements = [`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE;`];
  if (!found.columns.some(({ name }) => name === "due")) {
    statements.push(
      `ALTER TABLE ${table} ADD COLUMN due bigint;`,
      `UPDATE ${table} SET due = expires WHERE expires IS NOT NULL;`,
    );
  }
  statements.push(
    ...oldIndexes(found).map((index) => `DROP INDEX ${index};`),
    dueIndex(table),
  );
  try {
    await query(block(statements.join("\n")), []);
  } catch (error) {
    // Another process may have been faster.
    const again = await inspect(query, tableName).catch(() => undefined);
    if (again?.table && examine(again.table, table) === false) return;
    const { message } = failure(`upgrade ${table}`, error);
    const fix = statements.slice(1).join(" ");
    throw new KvError(`${message}: let its owner run ${fix}`, { cause: error });
  }
}

function block(statements: string): string {
  return `DO ${literal(`BEGIN\n${LOCK}\n${statements}\nEND`)}`;
}
