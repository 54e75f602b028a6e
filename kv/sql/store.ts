/**
 * What the stores on SQL servers share: opening the table once, sweeping before
 * writes, and reading again.
 *
 * @module
 */

import type { KvCall } from "../core/call.ts";
import type { KvPageRequest, KvStoredEntry } from "../core/listing.ts";
import type { KvStoreTraits } from "../store.ts";
import { readTwice, type Triage } from "./errors.ts";
import { listPages } from "./list.ts";
import { Sweeper } from "./sweep.ts";
import type { SqlTable } from "./table.ts";
import type { TableName } from "./table_name.ts";
import { executeBatch, type Execution } from "./write.ts";

/** How a store opens its table, and deals with errors. */
export interface SqlStoreOptions<Stored> {
  /** What the store is. */
  readonly traits: KvStoreTraits;
  /** The name of the table. */
  readonly tableName: TableName;
  /** Opens the table, and creates it if it is missing. */
  open(tableName: TableName): Promise<SqlTable<Stored>>;
  /** Tells what an error says about its statement. */
  readonly triage: Triage;
  /** The most rows of a sweep. */
  readonly maxSweepRows: number;
  /** Whether statements run in a transaction that the caller has begun. */
  isInTransaction?(): boolean;
}

interface Opened<Stored> extends Execution<Stored> {
  readonly sweeper: Sweeper;
}

/** The entries in a table of an SQL server. */
export class SqlStore<Stored extends { readonly length: number }> {
  readonly #options: SqlStoreOptions<Stored>;
  #tableName: TableName;
  #opened: Opened<Stored> | undefined;
  #opening: Promise<Opened<Stored>> | undefined;

  constructor(options: SqlStoreOptions<Stored>) {
    this.#options = options;
    this.#tableName = options.tableName;
  }

  /** Executes a batch of calls. */
  execute(calls: readonly KvCall<Stored>[]): Promise<void> {
    const opened = this.#opened;
    return opened !== undefined ? execute(opened, calls) : this.#open().then(
      (opened) => execute(opened, calls),
      (error) => calls.forEach((call) => call.reject(error)),
    );
  }

  /** Reads the entries under a prefix. */
  async *pages(
    prefix: readonly string[],
    request: KvPageRequest,
  ): AsyncGenerator<KvStoredEntry<Stored>[]> {
    const { table, triage, isInTransaction } = this.#opened ??
      await this.#open();
    const reading = async <T>(read: () => Promise<T>): Promise<T> => {
      try {
        return await readTwice(triage, read);
      } catch (error) {
        if (isInTransaction() || triage(error) !== "no table") throw error;
        await this.#open();
        return await read();
      }
    };
    yield* listPages(table, reading, prefix, request);
  }

  /** Deletes some expired entries. */
  async reclaim(): Promise<number> {
    const { sweeper } = this.#opened ?? await this.#open();
    return await sweeper.reclaim();
  }

  /** Opens the table: at first, and again if it was dropped. */
  async #open(): Promise<Opened<Stored>> {
    this.#opening ??= this.#openTable();
    try {
      return await this.#opening;
    } finally {
      this.#opening = undefined;
    }
  }

  async #openTable(): Promise<Opened<Stored>> {
    const { triage, maxSweepRows, isInTransaction, traits } = this.#options;
    const table = await this.#options.open(this.#tableName);
    // From now on, no setting of a connection decides where the table is.
    this.#tableName = table.name;
    return this.#opened ??= {
      table,
      triage,
      isInTransaction: isInTransaction ?? (() => false),
      restore: () => this.#open(),
      sweeper: new Sweeper(table, maxSweepRows, traits),
    };
  }
}

/** Executes calls, and sweeps before the writes, for which no read waits. */
async function sweepAndExecute<Stored>(
  opened: Opened<Stored>,
  calls: readonly KvCall<Stored>[],
): Promise<void> {
  const reads = calls.filter(({ kind }) => kind === "get");
  const writes = calls.filter(({ kind }) => kind !== "get");
  await Promise.all([
    reads.length > 0 ? executeBatch(opened, reads) : undefined,
    opened.sweeper.sweep().then(() => executeBatch(opened, writes)),
  ]);
}

function execute<Stored>(
  opened: Opened<Stored>,
  calls: readonly KvCall<Stored>[],
): Promise<void> {
  let writes = 0;
  for (const { kind } of calls) if (kind !== "get") writes++;
  // In a transaction, the rows that a sweep deletes stay locked until its end.
  return writes > 0 && !opened.isInTransaction() &&
      opened.sweeper.isDue(writes)
    ? sweepAndExecute(opened, calls)
    : executeBatch(opened, calls);
}
