/**
 * What a driver for an SQL server implements: the statements on its table.
 *
 * @module
 */

import type { Limits, Operation, WriteKind } from "./operations.ts";
import type { Range } from "./range.ts";
import type { TableName } from "./table_name.ts";

/** A row of a listing; all but the value is text. */
export type Row<Stored> = readonly [
  key: string,
  /** `null` if it was left out. */
  value: Stored | null,
  /** The true key, if the stored one is a shortened one. */
  fullKey: string | null,
  expires: string | null,
  /** The milliseconds until it expires. */
  left: string | null,
];

/** Which rows of a range to read. */
export interface PageForm {
  /** The stored keys. */
  readonly range: Range;
  /** Whether to go from the last key to the first. */
  readonly reverse: boolean;
  /** Whether to leave out the values. */
  readonly keysOnly: boolean;
  /** The most rows. */
  readonly limit: number;
}

/** Rows of a range. */
export interface Page<Stored> {
  readonly rows: readonly Row<Stored>[];
  /** Whether no further ones follow. */
  readonly isLast: boolean;
}

/** What a step of a sweep did. */
export interface Swept {
  /** How many rows it deleted. */
  readonly deleted: number;
  /** Whether it found as many rows that were due as it looked for. */
  readonly isFull: boolean;
  /** The `due` of the last row that it found. */
  readonly last: number | undefined;
}

/**
 * What became of a write: `true` if it was made. Of a swap that was not made, it
 * is the stored value (`undefined` if there is none), or `false` if the statement
 * does not tell.
 */
export type Outcome<Stored> = Stored | boolean | undefined;

/** The statements on a table that is open. */
export interface SqlTable<Stored> {
  /** Its name, with the schema or database in which it is. */
  readonly name: TableName;
  /** What limits the statements. */
  readonly limits: Limits;
  /** Reads the values of stored keys, in their order. */
  read(keys: readonly string[]): Promise<readonly (Stored | undefined)[]>;
  /** Executes operations of one kind by one statement. */
  write(
    kind: WriteKind,
    operations: readonly Operation<Stored>[],
  ): Promise<readonly Outcome<Stored>[]>;
  /** Why the server cannot take an operation, although it comes alone. */
  rejection?(operation: Operation<Stored>): RangeError | undefined;
  /** Reads rows of a range. */
  page(form: PageForm): Promise<Page<Stored>>;
  /**
   * Deletes rows that have expired, out of those that are due, and sets `due` of
   * the others to their expiry.
   *
   * @param limit The most rows.
   * @param from The `due` from which on to look; `undefined` for all.
   */
  sweep(limit: number, from: number | undefined): Promise<Swept>;
}
