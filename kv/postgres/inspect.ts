/**
 * What the server knows about the table of a store, and whether it fits.
 *
 * @module
 */

import {
  migrateFrom,
  type Misfit,
  misfitOf,
  OF_KEYV,
  OTHER_NAME,
} from "../sql/open.ts";
import { literal } from "./schema.ts";

/** A column of a table. */
interface Column {
  readonly name: string;
  readonly type: string;
  /** The type's number, which no search path changes. */
  readonly oid: number;
  readonly collation: string | null;
  readonly isRequired: boolean;
  readonly hasDefault: boolean;
  readonly isGenerated: boolean;
}

/** An index of a table. */
interface Index {
  readonly name: string;
  /** The names of its columns; NULL for an expression. */
  readonly columns: readonly (string | null)[];
  readonly collation: string | null;
  readonly isUnique: boolean;
  /** Whether it is valid, and checked at once. */
  readonly isUsable: boolean;
  readonly condition: string | null;
}

/** A table as it was found. */
export interface FoundTable {
  readonly schema: string;
  readonly name: string;
  /** `pg_class.relkind`. */
  readonly kind: string;
  readonly isTemporary: boolean;
  readonly isChild: boolean;
  readonly children: readonly {
    readonly name: string;
    readonly kind: string;
  }[];
  readonly owner: string;
  readonly isOwnerTrusted: boolean;
  readonly user: string;
  readonly hasRowSecurity: boolean;
  readonly triggers: readonly string[];
  readonly rules: readonly string[];
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
}

/** What the server knows. */
export interface Found {
  readonly encoding: string;
  /** The schema in which a table without one is created. */
  readonly schema: string | null;
  readonly hasLz4: boolean;
  readonly table: FoundTable | null;
}

/*
 * The owner of a table may add triggers and read everything. Whoever owns the
 * schema or the database, or is a superuser, can do so anyway.
 */
const IS_TRUSTED = `c.relowner = me.oid OR o.rolsuper
    OR pg_has_role(c.relowner, n.nspowner, 'MEMBER')
    OR pg_has_role(c.relowner, d.datdba, 'MEMBER')
    OR NOT me.rolsuper AND pg_has_role(me.oid, c.relowner, 'MEMBER')`;

/**
 * The statement that inspects the table with a quoted name: `echo` → what was
 * found as JSON, the parameter after a byte order mark (after a space where the
 * encoding has no such mark), and NULL.
 */
export function inspection(table: string): string {
  return `SELECT json_build_object(
  'encoding', current_setting('server_encoding'),
  'schema', current_schema(),
  'hasLz4', EXISTS (SELECT FROM pg_catalog.pg_settings
    WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)),
  'table', (SELECT json_build_object(
    'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
    'isTemporary', c.relpersistence = 't',
    'isChild', EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid),
    'children', (SELECT coalesce(json_agg(json_build_object(
        'name', h.inhrelid::regclass::text, 'kind', p.relkind)), '[]')
      FROM pg_catalog.pg_inherits AS h
      JOIN pg_catalog.pg_class AS p ON p.oid = h.inhrelid
      WHERE h.inhparent = c.oid),
    'owner', o.rolname, 'user', me.rolname,
    'isOwnerTrusted', ${IS_TRUSTED},
    'hasRowSecurity', row_security_active(c.oid),
    'triggers', (SELECT coalesce(json_agg(tgname ORDER BY tgname), '[]')
      FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal
        AND tgenabled <> 'D' AND tgtype & 3 = 3),
    'rules', (SELECT coalesce(json_agg(rulename ORDER BY rulename), '[]')
      FROM pg_catalog.pg_rewrite WHERE ev_class = c.oid AND ev_enabled <> 'D'),
    'columns', (SELECT coalesce(json_agg(json_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'oid', a.atttypid::bigint,
        'collation', (SELECT collname FROM pg_catalog.pg_collation
          WHERE oid = a.attcollation),
        'isRequired', a.attnotnull,
        'hasDefault', a.atthasdef OR a.attidentity <> '',
        'isGenerated', a.attgenerated <> '') ORDER BY a.attnum), '[]')
      FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'indexes', (SELECT coalesce(json_agg(json_build_object(
        'name', i.indexrelid::regclass::text,
        'columns', (SELECT json_agg(a.attname ORDER BY k.n)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
          LEFT JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
          WHERE k.n <= i.indnkeyatts),
        'collation', (SELECT collname FROM pg_catalog.pg_collation
          WHERE oid = i.indcollation[0]),
        'isUnique', i.indisunique OR i.indisexclusion,
        'isUsable', i.indisvalid AND i.indisready AND i.indimmediate,
        'condition', pg_get_expr(i.indpred, i.indrelid))), '[]')
      FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid))
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_roles AS o ON o.oid = c.relowner
    JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
    JOIN pg_catalog.pg_database AS d ON d.datname = current_database()
    WHERE c.oid = to_regclass(${literal(table)}))
)::text, chr(CASE current_setting('server_encoding')
  WHEN 'UTF8' THEN 65279 ELSE 32 END) || $1::text, NULL::text`;
}

const TEXT = 25;
const BIGINT = 20;

/** The number of the type that each column must have. */
const COLUMNS: Readonly<Record<string, number>> = {
  key: TEXT,
  value: TEXT,
  full_key: TEXT,
  expires: BIGINT,
  due: BIGINT,
};

const KINDS: Readonly<Record<string, string>> = {
  v: "a view",
  m: "a materialized view",
  f: "a foreign table",
  S: "a sequence",
  i: "an index",
  I: "an index",
  c: "a type",
};

/** Whether a table needs an upgrade, or the misfit. */
export function examine(table: FoundTable, name: string): Misfit | boolean {
  const { kind, columns, indexes, children } = table;
  const role = `"${table.user.replaceAll('"', '""')}"`;
  const child = children.find((child) => kind === "r" || child.kind !== "r");
  const required = columns.find((it) =>
    !Object.hasOwn(COLUMNS, it.name) && it.isRequired && !it.hasDefault
  );
  const key = indexes.find(({ isUnique }) => isUnique)?.columns ?? [];
  const list = columns.map(({ name, type }) =>
    `${name} ${type}${key.includes(name) ? " (key)" : ""}`
  );
  const dropTable = otherOwner(columns) ??
    `${OTHER_NAME}, or drop the table if nobody needs it`;
  const unordered = columns.find(({ name, collation }) =>
    (name === "key" || name === "full_key") && collation !== "C"
  );
  const unique = indexes.find(({ isUnique, columns }) =>
    isUnique && columns.join() !== "key"
  );
  const remove = `remove that, or ${OTHER_NAME}`;
  return misfitOf([
    [
      !table.isOwnerTrusted,
      `it belongs to the role "${table.owner}", which could read and change ` +
      "what is stored",
      "use a tableName in a schema that only you can create tables in, or " +
      `run ALTER TABLE ${name} OWNER TO ${role} if you trust its content`,
    ],
    [kind !== "r" && kind !== "p", `it is ${KINDS[kind] ?? "not a table"}`],
    [
      table.isTemporary,
      "it is a temporary table, which only one connection sees",
      "put the name of a schema in front of tableName, or drop that table",
    ],
    [table.isChild, "it is a partition or child of another table"],
    [
      !!child,
      kind === "r"
        ? `the table ${child?.name} inherits from it`
        : `its partition ${child?.name} is not a plain table`,
    ],
    [
      !Object.keys(COLUMNS).every((name) => fits(name, columns)),
      `its columns are ${list.join(", ")}`,
      dropTable,
    ],
    [!!required, `its column ${required?.name} is required`, dropTable],
    [
      !!unordered,
      `its column ${unordered?.name} has the collation ` +
      `"${unordered?.collation}", not "C"`,
      `run ALTER TABLE ${name} ALTER COLUMN ${unordered?.name} ` +
      `TYPE text COLLATE "C", or ${OTHER_NAME}`,
    ],
    [
      !indexes.some(isKeyIndex),
      "it has no usable unique index on the column key alone",
      `run ALTER TABLE ${name} ADD PRIMARY KEY (key), or ${OTHER_NAME}`,
    ],
    [
      !!unique,
      `its index ${unique?.name} forbids entries with equal values`,
      `drop that index, or ${OTHER_NAME}`,
    ],
    [
      table.triggers.length > 0,
      `its trigger "${table.triggers[0]}" may change writes`,
      remove,
    ],
    [
      table.rules.length > 0,
      `its rule "${table.rules[0]}" changes statements`,
      remove,
    ],
    [table.hasRowSecurity, "its row security hides entries", remove],
  ]) ?? !(columns.some(({ name }) => name === "due") && hasDueIndex(table));
}

function fits(name: string, columns: readonly Column[]): boolean {
  const column = columns.find((column) => column.name === name);
  // A table of an earlier version lacks it.
  if (column === undefined) return name === "due";
  return column.oid === COLUMNS[name] && !column.isGenerated &&
    (name === "key" || column.isRequired === (name === "value"));
}

function isKeyIndex(index: Index): boolean {
  return index.isUnique && index.isUsable && index.columns.join() === "key" &&
    index.collation === "C" && index.condition === null;
}

/** Whose table has these columns, and what to do about it. */
function otherOwner(columns: readonly Column[]): string | undefined {
  const names = columns.map(({ name }) => name).sort().join();
  const key = columns.find(({ name }) => name === "key");
  if (names === "created,key,ttl,value" && key?.type === "text[]") {
    return migrateFrom("PostgresKvStore");
  }
  return /^(expires,)?key,value$/.test(names) ? OF_KEYV : undefined;
}

function hasDueIndex({ indexes }: FoundTable): boolean {
  return indexes.some(({ columns, isUsable, condition }) =>
    columns[0] === "due" && isUsable &&
    (condition === null || condition === "(due IS NOT NULL)")
  );
}

/** The indexes by `expires` that an earlier version created. */
export function oldIndexes({ indexes }: FoundTable): string[] {
  return indexes.filter(({ columns, condition, isUnique }) =>
    columns.join() === "expires" && !isUnique &&
    condition === "(expires IS NOT NULL)"
  ).map(({ name }) => name);
}
