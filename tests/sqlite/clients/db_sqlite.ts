// A stand-in for @db/sqlite with its API, on node:sqlite.
import { DatabaseSync, type StatementSync } from "node:sqlite";

type BindValue =
  | number
  | string
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array;

/**
 * A client with the shape and the quirks of `@db/sqlite` 0.12 and 0.13, which
 * only JSR has:
 *
 * - SQL is cut, in bytes of UTF-8, to the length of the string.
 * - An integer is bound as one of 32 or 64 bits, and read as one of 32 bits
 *   unless the database is opened with `int64`.
 * - Text is read up to the first NUL.
 * - `run()` returns a number. Errors carry a message and no code.
 * - Closing frees the statements, so that their use afterwards is undefined.
 */
export class Database {
  readonly int64: boolean;
  readonly #db: DatabaseSync;
  #open = true;

  constructor(path: string, { int64 = false }: { int64?: boolean } = {}) {
    this.#db = new DatabaseSync(path);
    this.int64 = int64;
  }

  get open(): boolean {
    return this.#open;
  }

  get inTransaction(): boolean {
    return this.#open && this.#db.isTransaction;
  }

  prepare(sql: string): Statement {
    const bytes = new TextEncoder().encode(sql).subarray(0, sql.length);
    const cut = new TextDecoder().decode(bytes);
    return new Statement(this, unwrap(() => this.#db.prepare(cut)));
  }

  exec(sql: string): number {
    unwrap(() => this.#db.exec(sql));
    return this.prepare("SELECT changes() AS n").get()!.n as number;
  }

  transaction<T>(body: () => T): () => T {
    return () => {
      this.exec("BEGIN");
      try {
        const result = body();
        this.exec("COMMIT");
        return result;
      } catch (error) {
        this.exec("ROLLBACK");
        throw error;
      }
    };
  }

  close(): void {
    this.#open = false;
    this.#db.close();
  }
}

/** A prepared statement of {@linkcode Database}. */
export class Statement {
  readonly #db: Database;
  readonly #statement: StatementSync;
  readonly #names: readonly string[];

  constructor(db: Database, statement: StatementSync) {
    this.#db = db;
    this.#statement = statement;
    this.#names = statement.columns().map(({ name }) => name!);
    statement.setReturnArrays(true);
    statement.setReadBigInts(true); // To tell INTEGER from REAL.
  }

  run(...parameters: BindValue[]): number {
    return Number(
      this.#use(() => this.#statement.run(...bind(parameters))).changes,
    );
  }

  get(...parameters: BindValue[]): Record<string, unknown> | undefined {
    const row = this.#use(() => this.#statement.get(...bind(parameters)));
    return row === undefined ? undefined : this.#row(row);
  }

  all(...parameters: BindValue[]): Record<string, unknown>[] {
    return this.#use(() => this.#statement.all(...bind(parameters)))
      .map((row) => this.#row(row));
  }

  #use<T>(action: () => T): T {
    if (!this.#db.open) throw new Error("memory is used that is freed");
    return unwrap(action);
  }

  #row(row: unknown): Record<string, unknown> {
    const columns = row as unknown[];
    return Object.fromEntries(
      this.#names.map((name, i) => [name, this.#read(columns[i])]),
    );
  }

  #read(column: unknown): unknown {
    if (typeof column === "string") return column.split("\0", 1)[0];
    if (typeof column !== "bigint") return column;
    if (!this.#db.int64) return Number(BigInt.asIntN(32, column));
    return Number.isSafeInteger(Number(column)) ? Number(column) : column;
  }
}

function bind(parameters: readonly BindValue[]) {
  return parameters.map((value) => {
    switch (typeof value) {
      case "number":
        return Number.isInteger(value)
          ? BigInt.asIntN(64, BigInt(value))
          : value;
      case "boolean":
        return value ? 1n : 0n;
      case "undefined":
        return null;
      case "object":
        return value instanceof Date ? value.toISOString() : value;
      default:
        return value;
    }
  });
}

function unwrap<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new Error((error as Error).message);
  }
}
