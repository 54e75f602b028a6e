/**
 * A store in a table of a PostgreSQL database.
 *
 * @module
 */

import type { KvCall, KvCasCall } from "./core/call.ts";
import { KvCasDriver } from "./core/cas_driver.ts";
import type { KvStoredEntry } from "./core/listing.ts";
import { pause } from "./core/retry.ts";
import { KvOutcomeUnknownError } from "./errors.ts";
import {
  isTransaction,
  type PgliteClient,
  type PostgresJsClient,
  type Query,
  queryOf,
} from "./postgres/client.ts";
import { MAX_VALUE_BYTES, postgresCodec } from "./postgres/codec.ts";
import { isServerError, isTransient, isUnknown } from "./postgres/errors.ts";
import { listPages } from "./postgres/list.ts";
import { PostgresStatements } from "./postgres/sql.ts";
import { Sweeper } from "./postgres/sweep.ts";
import {
  makeTable,
  type PostgresKvStoreOptions,
  quotedName,
} from "./postgres/schema.ts";
import {
  type Kind,
  kindOf,
  type Operation,
  operationOf,
  parametersOf,
  statementsOf,
} from "./postgres/operations.ts";
import type { KvStoreTraits } from "./store.ts";

export type { PgliteClient, PostgresJsClient } from "./postgres/client.ts";
export { type PostgresKvStoreOptions, schema } from "./postgres/schema.ts";

/** The most calls in a batch: few enough that the server shares them out. */
const MAX_CALLS = 64;

/** How often a call is repeated that the server refused because of others. */
const MAX_ATTEMPTS = 50;

/**
 * A store in a table of a PostgreSQL database, through postgres.js or PGlite.
 *
 * The table is made on first use, if it is not there. Then a call is one
 * statement and one round trip, and the calls of one tick travel together. All
 * processes that use the table see each other's writes at once, and `cas` is
 * atomic among all of them.
 *
 * - **Durability** is the server's: what was acknowledged is on its disk.
 *   With `synchronous_commit = off` a crash of the server loses the last
 *   fraction of a second, though never half of a call; a failover to a replica
 *   loses what the replica had not got, unless `synchronous_standby_names` makes
 *   the server wait for it; an `unlogged` table is empty after a crash.
 * - **Rights**: `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the table; for the
 *   one who makes it `CREATE` on its schema, too. Deno needs
 *   `--allow-net=host:port`, and postgres.js wants `--allow-env`.
 * - **Transactions**: in `sql.begin((tx) => …)`, calls of a
 *   `new PostgresKvStore(tx)` take part in the transaction. An error of one ends
 *   it, as any error does: no call is repeated, and none sweeps.
 * - **PgBouncer** in its transaction mode needs a client with `prepare: false`,
 *   unless it knows of prepared statements (from 1.21 on). postgres.js takes
 *   two round trips a call then.
 * - **Failures**: postgres.js connects anew by itself. While the server is down,
 *   calls fail within the client's `connect_timeout`, and its `backoff`, by which
 *   it waits up to 20 seconds before it tries once more; calls on one key do so
 *   one after the other. It sets no limit to a query; the server does, by
 *   `statement_timeout`. End a client that may have lost connections by
 *   `sql.end({ timeout: 5 })`: without a limit, postgres.js 3.4 may wait for
 *   ever.
 * - **Expiry** is by the server's clock. Once a second a write first deletes some
 *   rows that have expired, and while there are many, each write does.
 *
 * Values are readable in SQL: `SELECT value::jsonb FROM kv` where they are
 * plain JSON. Others are text that starts with `cbor:`.
 *
 * @example Usage
 * ```ts ignore
 * import { PostgresKvStore } from "@org/kv/postgres";
 * import { assertEquals } from "@std/assert";
 * import postgres from "postgres";
 *
 * const sql = postgres("postgres://localhost/app", { fetch_types: false });
 * const kv = new PostgresKvStore(sql);
 * await kv.set(["greeting", "en"], "Hello", { ttl: 60_000 });
 * assertEquals(await kv.get(["greeting", "en"]), "Hello");
 * await sql.end();
 * ```
 */
export class PostgresKvStore extends KvCasDriver<string> {
  /** What the store is and what it does not promise. */
  readonly traits: KvStoreTraits = {
    driver: "postgres",
    persistent: true,
    shared: "network",
    maxValueBytes: MAX_VALUE_BYTES,
    without: {},
  };

  readonly #query: Query;
  readonly #isTransaction: boolean;
  readonly #options: PostgresKvStoreOptions;
  readonly #statements: PostgresStatements;
  readonly #sweeper: Sweeper;
  #opening: Promise<void> | undefined;
  #opened = false;

  /**
   * Makes a store on a client, which stays the caller's to close.
   *
   * @param sql The client: what `postgres()` of postgres.js returns, or a
   * `PGlite`.
   * @param options The name of the table, and how it is made.
   * @throws {TypeError} If the client or the name is none.
   */
  constructor(
    sql: PostgresJsClient | PgliteClient,
    options: PostgresKvStoreOptions = {},
  ) {
    super({ codec: postgresCodec, maxCalls: MAX_CALLS, concurrency: 4 });
    this.#query = queryOf(sql);
    this.#isTransaction = isTransaction(sql);
    this.#options = { ...options };
    this.#statements = new PostgresStatements(quotedName(options.tableName));
    this.#sweeper = new Sweeper(this.#query, this.#statements);
  }

  /** Carries out a batch of calls. */
  protected override execute(calls: readonly KvCall<string>[]): Promise<void> {
    let writes = 0;
    for (const { kind } of calls) if (kind !== "get") writes++;
    if (!this.#opened) {
      return this.#open().then(
        () => this.execute(calls),
        (error) => calls.forEach((call) => call.reject(error)),
      );
    }
    // In a transaction, what is swept would be locked until its end.
    return writes > 0 && !this.#isTransaction && this.#sweeper.isDue(writes)
      ? this.#carryOutAround(calls)
      : this.#carryOut(calls);
  }

  /** Sweeps before the writes, which the reads need not wait for. */
  async #carryOutAround(calls: readonly KvCall<string>[]): Promise<void> {
    const reads = calls.filter(({ kind }) => kind === "get");
    const writes = calls.filter(({ kind }) => kind !== "get");
    await Promise.all([
      reads.length > 0 ? this.#carryOut(reads) : undefined,
      this.#sweeper.sweep().then(() => this.#carryOut(writes)),
    ]);
  }

  #carryOut(calls: readonly KvCall<string>[]): Promise<void> {
    if (calls.length === 1) {
      const call = calls[0]!;
      return this.#run(kindOf(call), [operationOf(call)]);
    }
    const runs = statementsOf(calls).map(([kind, operations]) =>
      this.#run(kind, operations)
    );
    return Promise.all(runs).then(() => {});
  }

  /** Reads the entries under a prefix. */
  protected override async *pages(
    prefix: readonly string[],
  ): AsyncGenerator<KvStoredEntry<string>[]> {
    if (!this.#opened) await this.#open();
    yield* listPages(this.#query, this.#statements, prefix);
  }

  #run(kind: Kind, operations: Operation[], attempt = 0): Promise<void> {
    const { single, batch } = this.#statements[kind];
    return this.#query(
      operations.length === 1 ? single : batch,
      parametersOf(kind, operations),
    ).then(
      (rows) => this.#answered(kind, operations, attempt, rows),
      (error) => this.#failed(kind, operations, attempt, error),
    ) as Promise<void>;
  }

  #answered(
    kind: Kind,
    operations: Operation[],
    attempt: number,
    rows: unknown[][],
  ): void | Promise<void> {
    switch (kind) {
      case "read":
        for (let i = 0; i < operations.length; i++) {
          const { call } = operations[i]!;
          const stored = rows[i]?.[0] as string | null | undefined ?? undefined;
          if (call.kind === "get") call.found(stored);
          else if (call.kind === "cas") call.resolve(stored === undefined);
        }
        return;
      case "set":
      case "delete":
        for (const { call } of operations) {
          if (call.kind === "set" || call.kind === "delete") call.resolve();
        }
        return;
      case "create": {
        const created = new Set(rows.map((row) => row[0]));
        for (const { call, key } of operations) {
          if (call.kind === "cas") call.resolve(created.has(key));
        }
        return;
      }
      default:
        return this.#compared(kind, operations, attempt, rows);
    }
  }

  /**
   * Settles swaps. Where the row holds another form of what is expected, or held
   * what is expected until another call was faster, the swap is repeated.
   */
  async #compared(
    kind: Kind,
    operations: Operation[],
    attempt: number,
    rows: unknown[][],
  ): Promise<void> {
    const undecided: Promise<void>[] = [];
    const found = new Array<string | null | undefined>(operations.length);
    for (const [number, value] of rows as [number, string | null][]) {
      found[number - 1] = value;
    }
    for (let i = 0; i < operations.length; i++) {
      const operation = operations[i]!;
      const call = operation.call as KvCasCall<string>;
      const stored = found[i];
      if (stored === null) {
        call.resolve(true);
      } else if (stored === undefined || !matches(call, stored)) {
        if (!call.settled) call.resolve(false);
      } else {
        const error = new Error("the row stayed as it was, without an error");
        undecided.push(
          this.#repeat(
            kind,
            { ...operation, expected: stored },
            attempt,
            error,
          ),
        );
      }
    }
    await Promise.all(undecided);
  }

  /** Repeats what may be repeated, and rejects the rest. */
  async #failed(
    kind: Kind,
    operations: Operation[],
    attempt: number,
    error: unknown,
  ): Promise<void> {
    const broken = isUnknown(error);
    // After an error, a transaction takes no more statements.
    const mayRepeat = !this.#isTransaction;
    if (mayRepeat && kind === "read" && broken && attempt === 0) {
      await this.#run(kind, operations, 1);
    } else if (mayRepeat && operations.length > 1 && isServerError(error)) {
      await Promise.all(
        operations.map((operation) => this.#run(kind, [operation])),
      );
    } else if (mayRepeat && isTransient(error)) {
      await this.#repeat(kind, operations[0]!, attempt, error);
    } else {
      for (const { call } of operations) {
        call.reject(
          error,
          kind !== "read" && broken ? KvOutcomeUnknownError : undefined,
        );
      }
    }
  }

  async #repeat(
    kind: Kind,
    operation: Operation,
    attempt: number,
    error: unknown,
  ): Promise<void> {
    if (attempt === MAX_ATTEMPTS) return operation.call.reject(error);
    if (attempt > 0) await pause(Math.random() * Math.min(2 ** attempt, 64));
    await this.#run(kind, [operation], attempt + 1);
  }

  async #open(): Promise<void> {
    this.#opening ??= makeTable(this.#query, this.#options);
    try {
      await this.#opening;
      this.#opened = true;
    } finally {
      this.#opening = undefined;
    }
  }
}

function matches(call: KvCasCall<string>, stored: string): boolean {
  try {
    return call.matches(stored);
  } catch (error) {
    call.reject(error);
    return false;
  }
}
