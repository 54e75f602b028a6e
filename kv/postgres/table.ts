/**
 * The table of a PostgreSQL store that is open: running its statements.
 *
 * @module
 */

import { PAGE_BYTES } from "../core/paging.ts";
import {
  type Limits,
  type Operation,
  StoredKeys,
  type WriteKind,
} from "../sql/operations.ts";
import { boundsOf } from "../sql/range.ts";
import type { Outcome, Page, PageForm, SqlTable, Swept } from "../sql/table.ts";
import type { TableName } from "../sql/table_name.ts";
import { UnexpectedAnswer } from "./errors.ts";
import type { Answer, Query, Text } from "./query.ts";
import { quoted } from "./schema.ts";
import { PostgresStatements } from "./sql.ts";

/** An index entry of PostgreSQL holds 2,704 bytes, some of them its own. */
const MAX_STORED_KEY_BYTES = 2_600;

const LIMITS: Limits = {
  keys: new StoredKeys(MAX_STORED_KEY_BYTES),
  statementBytes: 262_144,
};

const key = ({ key }: Operation<string>): Text => key;
const fullKey = ({ fullKey }: Operation<string>): Text => fullKey;
const expected = ({ expected }: Operation<string>): Text => expected!;
const value = ({ call }: Operation<string>): Text => call.value!;
/** The TTL, which is positive, or an expiry as a negative number. */
const ttl = ({ call: { ttl, expires } }: Operation<string>): Text =>
  expires !== undefined ? `${-expires}` : ttl === undefined ? null : `${ttl}`;

const PARAMETERS: Readonly<
  Record<WriteKind, readonly ((operation: Operation<string>) => Text)[]>
> = {
  set: [key, value, fullKey, ttl],
  delete: [key],
  create: [key, value, fullKey, ttl],
  swap: [key, expected, value, ttl],
  remove: [key, expected],
};

/** A table that is open. */
export class PostgresTable implements SqlTable<string> {
  readonly name: TableName;
  readonly limits: Limits = LIMITS;
  readonly #query: Query;
  readonly #statements: PostgresStatements;

  /**
   * @param query Runs a statement.
   * @param name The name with the schema in which the table is.
   * @param isMarked Whether keys and values in answers start with a `MARK`.
   */
  constructor(query: Query, name: TableName, isMarked = false) {
    this.#query = query;
    this.name = name;
    this.#statements = new PostgresStatements(quoted(name), isMarked);
  }

  async read(keys: readonly string[]): Promise<(string | undefined)[]> {
    const { single, batch } = this.#statements.read;
    const { rows } = await this.#query(
      keys.length === 1 ? single : batch,
      [keys.join("\n")],
    );
    if (rows.length !== keys.length) throw new UnexpectedAnswer();
    return rows.map((row) => {
      if (row.length !== 1) throw new UnexpectedAnswer();
      return row[0] ?? undefined;
    });
  }

  async write(
    kind: WriteKind,
    operations: readonly Operation<string>[],
  ): Promise<readonly Outcome<string>[]> {
    const { single, batch } = this.#statements[kind];
    const columns = PARAMETERS[kind];
    const answer = operations.length === 1
      ? await this.#query(single, columns.map((of) => of(operations[0]!)))
      : await this.#query(batch, columns.map((of) => joined(operations, of)));
    return outcomesOf(kind, operations, answer);
  }

  async page(
    { range, reverse, keysOnly, limit }: PageForm,
  ): Promise<Page<string>> {
    const bounds = boundsOf(range);
    const form = { bounds: bounds.map(([bound]) => bound), reverse, keysOnly };
    const parameters = [
      ...[`${limit}`, `${PAGE_BYTES}`],
      ...bounds.map(([, value]) => value),
    ];
    const { rows } = await this.#query(
      this.#statements.page(form),
      parameters,
    );
    let length = 0;
    for (const row of rows) {
      const [key, value, fullKey] = row;
      if (
        row.length !== 5 || typeof key !== "string" ||
        keysOnly !== (value === null)
      ) throw new UnexpectedAnswer();
      length += key.length + (value?.length ?? 0) + (fullKey?.length ?? 0);
    }
    // A unit of a string takes three bytes at most.
    const isLast = rows.length < limit && length * 3 < PAGE_BYTES;
    return {
      rows: rows as unknown as Page<string>["rows"],
      isLast: isLast || rows.length === 0,
    };
  }

  async sweep(limit: number, from: number | undefined): Promise<Swept> {
    const isFirst = from === undefined;
    const { rows } = await this.#query(
      this.#statements.sweep(isFirst),
      isFirst ? [`${limit}`] : [`${limit}`, `${from}`],
      false,
    );
    const [found, deleted, last] = rows[0] ?? [];
    return {
      deleted: Number(deleted),
      isFull: Number(found) === limit,
      last: last ? Number(last) : undefined,
    };
  }
}

/** Where all are NULL, no text does as well: what is missing is NULL. */
function joined(
  operations: readonly Operation<string>[],
  parameterOf: (operation: Operation<string>) => Text,
): string {
  const parameters = operations.map(parameterOf);
  return parameters.every((parameter) => parameter === null)
    ? ""
    : parameters.join("\n");
}

/** What became of writes, if the answer is one to the statement. */
function outcomesOf(
  kind: WriteKind,
  operations: readonly Operation<string>[],
  { rows, count }: Answer,
): readonly Outcome<string>[] {
  const { length } = operations;
  const affected = count === null ? NaN : Number(count);
  switch (kind) {
    case "set":
    case "delete": {
      const fits = kind === "set" ? affected === length : affected >= 0;
      if (rows.length > 0 || !fits) throw new UnexpectedAnswer();
      return [];
    }
    case "create": {
      const created = new Set(rows.map(([key]) => key));
      const outcomes = operations.map(({ key }) => created.delete(key));
      if (affected !== rows.length || created.size > 0) {
        throw new UnexpectedAnswer();
      }
      return outcomes;
    }
    default: {
      const outcomes = new Map<number, Outcome<string>>();
      for (const [number, done, value] of rows) {
        if (done !== "true" && done !== "false") throw new UnexpectedAnswer();
        outcomes.set(Number(number), done === "true" || (value ?? undefined));
      }
      if (rows.length !== length) throw new UnexpectedAnswer();
      return operations.map((_, i) => {
        if (!outcomes.has(i + 1)) throw new UnexpectedAnswer();
        return outcomes.get(i + 1);
      });
    }
  }
}
