/**
 * Opening the table of a MySQL store: creating it if it is missing, and checking
 * that it fits before anything is read or changed.
 *
 * @module
 */

import { Buffer } from "../core/builtin.ts";
import { failure } from "../core/message.ts";
import { KvError } from "../errors.ts";
import { readTwice } from "../sql/errors.ts";
import {
  findOrCreate,
  migrateFrom,
  misfitError,
  OF_KEYV,
  OTHER_NAME,
} from "../sql/open.ts";
import type { SqlTable } from "../sql/table.ts";
import type { TableName } from "../sql/table_name.ts";
import type { Parameter, Query } from "./client.ts";
import { triage } from "./errors.ts";
import { definition, MAX_KEY_BYTES, quoted } from "./schema.ts";
import { INSPECTION, MAX_SWAPS, PROBE, SETTINGS } from "./sql.ts";
import { tableOn } from "./table.ts";

/** Bytes that any change of texts by a client changes. */
const ECHO = " null,\tÿ_\"'\\{}\r\n1e3 ";

/**
 * Opens the table.
 *
 * @param query Runs a statement.
 * @param tableName The name of the table.
 * @returns The table.
 * @throws {KvError} If the server or the table cannot hold a store.
 */
export async function openTable(
  query: Query,
  tableName: TableName,
): Promise<SqlTable<Buffer>> {
  try {
    return await open(query, tableName);
  } catch (error) {
    if (error instanceof KvError) throw error;
    throw failure(`open ${quoted(tableName)}`, error);
  }
}

async function open(
  query: Query,
  tableName: TableName,
): Promise<SqlTable<Buffer>> {
  const read = async (statement: string, parameters: Parameter[] = []) =>
    (await readTwice(triage, () => query(statement, parameters))).rows;
  const bytes = Buffer.from(ECHO);
  const [settings] = await read(SETTINGS, [bytes]);
  const [current, packet, page, autocommit, echo] = settings ?? [];
  if (!echo?.equals(bytes)) throw new Error("the client changes bytes");
  if (`${autocommit}` !== "1") {
    throw new Error("autocommit must be on: received off");
  }
  const schema = tableName.schema ?? current?.toString();
  if (schema === undefined) {
    throw new Error(
      "the connection has no database: connect to one, or put its name and a " +
        "dot in front of tableName",
    );
  }
  const name = { schema, name: tableName.name };
  const table = quoted(name);
  const place = [Buffer.from(schema), Buffer.from(name.name)];
  // An index takes at most this share of a page.
  const keyBytes = Math.min(MAX_KEY_BYTES, Number(page) / 16 * 3);
  const facts = await findOrCreate(
    table,
    async () => {
      const rows = await read(INSPECTION.join("\nUNION ALL "), [
        ...INSPECTION.flatMap(() => place),
      ]);
      return rows.length === 0 ? undefined : rows.map(([fact]) => `${fact}`);
    },
    () => query(definition(table, keyBytes), []),
  );
  const probe = (await read(PROBE)).map(([number]) => Number(number));
  const collectsBits = probe.length === 3 &&
    probe.every((n, i) => i === 0 || n === (probe[i - 1]! & 1023) * 2 + 1);
  return tableOn(query, name, {
    keyBytes: Math.min(keyBytesOf(facts, table), MAX_KEY_BYTES),
    packetBytes: Number(packet),
    swaps: collectsBits ? MAX_SWAPS : 1,
  });
}

/** What a table must have, and what helps where another name is not needed. */
const REQUIRED = new Map([
  ["the type BASE TABLE", ""],
  ["the column key varbinary NOT NULL", ""],
  ["the column value longblob NOT NULL", ""],
  ["the column full_key blob NULL", ""],
  ["the column expires bigint NULL", ""],
  ["the column due bigint NULL", ""],
  ["the column version bigint NOT NULL", ""],
  ["the engine InnoDB", "run ALTER TABLE … ENGINE=InnoDB, or "],
  ["the primary key (key)", ""],
  ["the index (due)", "run ALTER TABLE … ADD INDEX (due), or "],
]);

/** The fewest bytes that the column of the keys must hold. */
const MIN_KEY_BYTES = 256;

const KEY_BYTES = /varbinary\((\d+)\)/;

/**
 * The number of bytes that a key may have.
 *
 * @throws {KvError} If the table does not fit.
 */
function keyBytesOf(facts: readonly string[], table: string): number {
  const names = facts.map((fact) => fact.replace(KEY_BYTES, "varbinary"));
  for (const [required, fix] of REQUIRED) {
    if (names.includes(required)) continue;
    const [, kind] = required.split(" ");
    const found = names.filter((name) => name.split(" ").includes(kind!));
    throw misfitError(table, {
      found: `it lacks ${required}: it has ${found.join(", ") || "none"}`,
      fix: otherOwner(names) ?? fix + OTHER_NAME,
    });
  }
  const harmful = names.find((name) => /^the (unique|trigger|req)/.test(name));
  const bytes = Number(KEY_BYTES.exec(facts.join("\n"))![1]);
  const found = harmful === undefined
    ? `its column key holds only ${bytes} bytes`
    : `it has ${harmful}`;
  if (harmful === undefined && bytes >= MIN_KEY_BYTES) return bytes;
  throw misfitError(table, { found, fix: OTHER_NAME });
}

/** Whose table it is, and what to do about it. */
function otherOwner(facts: readonly string[]): string | undefined {
  const columns = facts.filter((fact) => fact.includes("column "))
    .map((fact) => fact.replace(/^.*column (\S+ \S+).*$/, "$1"))
    .sort().join();
  if (
    /^(created datetime,)?expires datetime,key varchar,value (json|longtext)$/
      .test(columns)
  ) return migrateFrom("MysqlKvStore");
  return /^(expires bigint,)?(id|key) varchar,value \w*text$/.test(columns)
    ? OF_KEYV
    : undefined;
}
