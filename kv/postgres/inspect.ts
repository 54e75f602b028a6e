/**
 * What the server knows about the table of a store, and whether it fits.
 *
 * @module
 */

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
 * found as JSON, the parameter, and NULL.
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
)::text, $1::text, NULL::text`;
}

/** The type that each column must have, by number. */
const COLUMNS: Readonly<Record<string, { oid: number; type: string }>> = {
  key: { oid: 25, type: "text" },
  value: { oid: 25, type: "text" },
  full_key: { oid: 25, type: "text" },
  expires: { oid: 20, type: "bigint" },
  due: { oid: 20, type: "bigint" },
};

/** Why a table does not fit, and what to do about it. */
export interface Misfit {
  readonly found: string;
  readonly fix: string;
}

/** Whether a table needs an upgrade, or the misfit. */
export function examine(table: FoundTable, name: string): Misfit | boolean {
  return wrongOwner(table, name) ?? wrongKind(table) ??
    wrongColumns(table, name) ?? wrongIndexes(table, name) ??
    wrongExtras(table) ??
    !(table.columns.some(({ name }) => name === "due") && hasDueIndex(table));
}

const OTHER_NAME = "use another tableName";

const KINDS: Readonly<Record<string, string>> = {
  v: "a view",
  m: "a materialized view",
  f: "a foreign table",
  S: "a sequence",
  i: "an index",
  I: "an index",
  c: "a type",
};

function wrongKind(table: FoundTable): Misfit | undefined {
  const { kind, isTemporary, isChild, children } = table;
  const fix = OTHER_NAME;
  if (kind !== "r" && kind !== "p") {
    return { found: `it is ${KINDS[kind] ?? "not a table"}`, fix };
  }
  if (isTemporary) {
    return {
      found: "it is a temporary table, which only one connection sees",
      fix: "put the name of a schema in front of tableName, or drop that table",
    };
  }
  if (isChild) {
    return { found: "it is a partition or child of another table", fix };
  }
  const wrong = children.find((child) => kind === "r" || child.kind !== "r");
  if (wrong !== undefined) {
    return {
      found: kind === "r"
        ? `the table ${wrong.name} inherits from it`
        : `its partition ${wrong.name} is not a plain table`,
      fix,
    };
  }
  return undefined;
}

function wrongOwner(table: FoundTable, name: string): Misfit | undefined {
  if (table.isOwnerTrusted) return undefined;
  const role = `"${table.user.replaceAll('"', '""')}"`;
  return {
    found: `it belongs to the role "${table.owner}", which could read and ` +
      "change what is stored",
    fix: `use a tableName in a schema that only you can create tables in, or ` +
      `run ALTER TABLE ${name} OWNER TO ${role} if you trust its content`,
  };
}

function wrongColumns(
  { columns, indexes }: FoundTable,
  name: string,
): Misfit | undefined {
  const fits = Object.entries(COLUMNS).every(([name, { oid }]) => {
    const column = columns.find((column) => column.name === name);
    // A table of an earlier version lacks it.
    if (column === undefined) return name === "due";
    return column.oid === oid && !column.isGenerated &&
      (name === "key" || column.isRequired === (name === "value"));
  });
  const others = columns.filter(({ name }) => !Object.hasOwn(COLUMNS, name));
  const required = others.find((it) => it.isRequired && !it.hasDefault);
  if (fits && required === undefined) return wrongCollation(columns, name);
  const keys = indexes.find(({ isUnique }) => isUnique)?.columns ?? [];
  const list = columns.map(({ name, type }) =>
    `${name} ${type}${keys.includes(name) ? " (key)" : ""}`
  ).join(", ");
  return {
    found: fits
      ? `its column ${required!.name} is required`
      : `its columns are ${list}`,
    fix: otherOwner(columns) ??
      `${OTHER_NAME}, or drop the table if nobody needs it`,
  };
}

/** Whose table has these columns, and what to do about it. */
function otherOwner(columns: readonly Column[]): string | undefined {
  const names = columns.map(({ name }) => name).sort().join();
  const key = columns.find(({ name }) => name === "key");
  if (names === "created,key,ttl,value" && key?.type === "text[]") {
    return "it is a table of Fedify's PostgresKvStore; use another tableName, " +
      "and copy the entries with @org/kv/migrate";
  }
  if (/^(expires,)?key,value$/.test(names)) {
    return `it looks like a table of Keyv; ${OTHER_NAME}`;
  }
  return undefined;
}

function wrongCollation(
  columns: readonly Column[],
  name: string,
): Misfit | undefined {
  for (const column of ["key", "full_key"]) {
    const { collation } = columns.find(({ name }) => name === column)!;
    if (collation !== "C") {
      return {
        found: `its column ${column} has the collation "${collation}", not "C"`,
        fix: `run ALTER TABLE ${name} ALTER COLUMN ${column} ` +
          `TYPE text COLLATE "C", or ${OTHER_NAME}`,
      };
    }
  }
  return undefined;
}

function wrongIndexes(table: FoundTable, name: string): Misfit | undefined {
  const isKey = (
    { columns, collation, isUnique, isUsable, condition }: Index,
  ) =>
    isUnique && isUsable && columns.join() === "key" && collation === "C" &&
    condition === null;
  if (!table.indexes.some(isKey)) {
    return {
      found: "it has no usable unique index on the column key alone",
      fix: `run ALTER TABLE ${name} ADD PRIMARY KEY (key), or ${OTHER_NAME}`,
    };
  }
  const other = table.indexes.find((index) =>
    index.isUnique && index.columns.join() !== "key"
  );
  return other && {
    found: `its index ${other.name} forbids entries with equal values`,
    fix: `drop that index, or ${OTHER_NAME}`,
  };
}

function wrongExtras(table: FoundTable): Misfit | undefined {
  const { triggers, rules, hasRowSecurity } = table;
  const fix = `remove that, or ${OTHER_NAME}`;
  if (triggers.length > 0) {
    return { found: `its trigger "${triggers[0]}" may change writes`, fix };
  }
  if (rules.length > 0) {
    return { found: `its rule "${rules[0]}" changes statements`, fix };
  }
  if (hasRowSecurity) {
    return { found: "its row security hides entries", fix };
  }
  return undefined;
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
