/**
 * Checks of what a row holds. Anyone can write to a SQLite file, and any column
 * can hold any type.
 *
 * @module
 */

import type { EncodedValue } from "../core/value.ts";
import { DamagedRowError } from "./errors.ts";

/**
 * Checks the column `value`.
 *
 * @param column What the client read.
 * @returns JSON text, or bytes.
 * @throws {DamagedRowError} If it is neither text nor a blob.
 */
export function valueOf(column: unknown): EncodedValue {
  if (typeof column === "string") return column;
  // A Buffer is one, too, but its methods differ.
  if (column instanceof Uint8Array) {
    return column.constructor === Uint8Array
      ? column
      : new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  }
  if (column instanceof ArrayBuffer) return new Uint8Array(column);
  throw new DamagedRowError(
    `the column "value" must hold text or a blob: found ${typeName(column)}`,
  );
}

/**
 * Checks the column `expires`.
 *
 * @param column What the client read.
 * @returns Epoch milliseconds, or `undefined` for never.
 * @throws {DamagedRowError} If it is neither a number nor NULL.
 */
export function expiryOf(column: unknown): number | undefined {
  if (column === null) return undefined;
  if (typeof column === "number") return column;
  if (typeof column === "bigint") return Number(column);
  throw new DamagedRowError(
    `the column "expires" must hold a number or NULL: found ${
      typeName(column)
    }`,
  );
}

/** Whether two stored values are the same text or the same bytes. */
export function isSame(a: EncodedValue, b: EncodedValue): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function typeName(column: unknown): string {
  if (column === null || column === undefined) return "NULL";
  if (typeof column === "string") return "text";
  return typeof column === "object" ? "a blob" : "a number";
}
