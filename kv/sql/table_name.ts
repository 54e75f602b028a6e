/**
 * The names of tables.
 *
 * @module
 */

/** The name of a table. */
export interface TableName {
  /** The schema or database; `undefined` for the one of the connection. */
  readonly schema: string | undefined;
  /** The table. */
  readonly name: string;
}

/**
 * Checks the option `tableName`.
 *
 * @param tableName What the caller gave: a name, or two with a dot between them.
 * @param ruleOf Returns the rule of the server that a name breaks, if any.
 * @throws {TypeError} If it is invalid.
 */
export function parseTableName(
  tableName: unknown,
  ruleOf: (name: string) => string | undefined,
): TableName {
  if (typeof tableName !== "string") throw badName(tableName, "be a string");
  const names = tableName.split(".");
  if (names.length > 2) throw badName(tableName, "hold one dot at most");
  for (const name of names) {
    const rule = name === "" ? "not be empty" : ruleOf(name);
    if (rule !== undefined) throw badName(tableName, rule);
  }
  return { name: names.pop()!, schema: names[0] };
}

function badName(tableName: unknown, rule: string): TypeError {
  const received = typeof tableName === "string"
    ? JSON.stringify(tableName)
    : `a value of type ${typeof tableName}`;
  return new TypeError(
    `Cannot name a table: each name must ${rule}: received ${received}`,
  );
}

/** The name of a table in a statement, in the quotes of the server. */
export function quoteTable(
  { schema, name }: TableName,
  quote: '"' | "`",
): string {
  return (schema === undefined ? [name] : [schema, name])
    .map((name) => quote + name.replaceAll(quote, quote + quote) + quote)
    .join(".");
}
