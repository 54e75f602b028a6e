/**
 * What the server knows about the table of a store, and whether it fits.
 *
 * @module
 */

import { Buffer } from "../core/builtin.ts";
import { type Column as Cell, type Query, queryTwice } from "./client.ts";
import type { TableName } from "./schema.ts";

/** A column of a table. */
interface Column {
  readonly name: string;
  readonly type: string;
  readonly length: number;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
  readonly isGenerated: boolean;
}

/** A table as it was found. */
export interface FoundTable {
  readonly type: string;
  readonly engine: string;
  readonly columns: readonly Column[];
  /** The columns of each index; a column of which only a part counts has a `*`. */
  readonly indexes: ReadonlyMap<string, { unique: boolean; columns: string[] }>;
  readonly triggers: readonly string[];
}

/** Why a table does not fit, and what to do about it. */
export interface Misfit {
  readonly found: string;
  readonly fix: string;
}

const OF_TABLE = "table_schema = COALESCE(?, DATABASE()) AND table_name = ?";

/** Reads what the server knows about a table; `undefined` if it does not exist. */
export async function inspect(
  query: Query,
  { database, name }: TableName,
): Promise<FoundTable | undefined> {
  const parameters = [
    database === undefined ? null : Buffer.from(database),
    Buffer.from(name),
  ];
  async function read(columns: string, from: string): Promise<string[][]> {
    const cells = columns.split(", ").map((it) => `CAST(${it} AS BINARY)`);
    const { rows } = await queryTwice(
      query,
      `SELECT ${cells.join(", ")} FROM information_schema.${from}`,
      parameters,
    );
    return rows.map((row) => row.map((cell: Cell) => cell?.toString() ?? ""));
  }
  const [tables, columns, statistics, triggers] = await Promise.all([
    read("table_type, engine", `tables WHERE ${OF_TABLE}`),
    read(
      "column_name, data_type, character_maximum_length, is_nullable, " +
        "column_default IS NOT NULL, extra",
      `columns WHERE ${OF_TABLE} ORDER BY ordinal_position`,
    ),
    read(
      "index_name, non_unique, column_name, sub_part",
      `statistics WHERE ${OF_TABLE} ORDER BY index_name, seq_in_index`,
    ),
    read(
      "trigger_name",
      "triggers WHERE event_object_schema = COALESCE(?, DATABASE()) " +
        "AND event_object_table = ?",
    ),
  ]);
  const [table] = tables;
  if (table === undefined) return undefined;
  const indexes = new Map<string, { unique: boolean; columns: string[] }>();
  for (const [index, nonUnique, column, part] of statistics) {
    const found = indexes.get(index!) ??
      { unique: nonUnique === "0", columns: [] };
    found.columns.push(part === "" ? column! : `${column}*`);
    indexes.set(index!, found);
  }
  return {
    type: table[0]!,
    engine: table[1]!,
    columns: columns.map((
      [name, type, length, nullable, hasDefault, extra],
    ) => ({
      name: name!,
      type: type!.toLowerCase(),
      length: Number(length),
      isNullable: nullable === "YES",
      hasDefault: hasDefault === "1",
      isGenerated: /generated|auto_increment/i.test(extra!) &&
        !/default_generated/i.test(extra!),
    })),
    indexes,
    triggers: triggers.map(([name]) => name!),
  };
}

/** The type that each column must have. */
const COLUMNS: Readonly<Record<string, string>> = {
  key: "varbinary",
  value: "longblob",
  full_key: "blob",
  expires: "bigint",
  due: "bigint",
  version: "bigint",
};

/** The fewest bytes that the column of the keys must hold. */
const MIN_KEY_BYTES = 256;

const OTHER_NAME = "use another tableName";

/** Why a table does not fit, or the number of bytes that a key may have. */
export function examine(table: FoundTable): Misfit | number {
  const { type, engine, columns, triggers } = table;
  const fix = OTHER_NAME;
  if (type !== "BASE TABLE") {
    return { found: `it is a ${type.toLowerCase()}, not a table`, fix };
  }
  const column = (name: string) => columns.find((it) => it.name === name);
  const fits = Object.entries(COLUMNS).every(([name, type]) => {
    const found = column(name);
    return found?.type === type && !found.isGenerated &&
      (["key", "value", "version"].includes(name) || found.isNullable);
  });
  const required = columns.find((it) =>
    !Object.hasOwn(COLUMNS, it.name) && !it.isNullable && !it.hasDefault &&
    !it.isGenerated
  );
  if (!fits || required !== undefined) {
    const list = columns.map(({ name, type }) => `${name} ${type}`).join(", ");
    return {
      found: fits
        ? `its column ${required!.name} is required`
        : `its columns are ${list}`,
      fix: otherOwner(columns) ??
        `${fix}, or drop the table if nobody needs it`,
    };
  }
  if (engine !== "InnoDB") {
    return {
      found: `its engine is ${engine}, not InnoDB`,
      fix: `run ALTER TABLE … ENGINE=InnoDB, or ${fix}`,
    };
  }
  const keyBytes = column("key")!.length;
  if (keyBytes < MIN_KEY_BYTES) {
    return { found: `its column key holds only ${keyBytes} bytes`, fix };
  }
  return wrongIndexes(table) ?? (triggers.length === 0 ? keyBytes : {
    found: `its trigger ${triggers[0]} may change writes`,
    fix: `drop the trigger, or ${fix}`,
  });
}

function wrongIndexes({ indexes }: FoundTable): Misfit | undefined {
  if (indexes.get("PRIMARY")?.columns.join() !== "key") {
    return { found: "its primary key is not its column key", fix: OTHER_NAME };
  }
  const all = [...indexes].map(([name, index]) => ({ name, ...index }));
  const other = all.find(({ name, unique }) => unique && name !== "PRIMARY");
  if (other !== undefined) {
    return {
      found: `its index ${other.name} forbids entries with equal values`,
      fix: `drop that index, or ${OTHER_NAME}`,
    };
  }
  return all.some(({ columns }) => columns[0] === "due") ? undefined : {
    found: "it has no index on the column due",
    fix: `run ALTER TABLE … ADD INDEX (due), or ${OTHER_NAME}`,
  };
}

/** Whose table has these columns, and what to do about it. */
function otherOwner(columns: readonly Column[]): string | undefined {
  const list = columns.map(({ name, type }) => `${name} ${type}`).sort().join();
  if (
    /^(created datetime,)?expires datetime,key varchar,value (json|longtext)$/
      .test(list)
  ) {
    return "it is a table of Fedify's MysqlKvStore; use another tableName, " +
      "and copy the entries with @org/kv/migrate";
  }
  if (/^(expires bigint,)?(id|key) varchar,value \w*text$/.test(list)) {
    return `it looks like a table of Keyv; ${OTHER_NAME}`;
  }
  return undefined;
}
