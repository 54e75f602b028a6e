/**
 * Opening a table: creating it if it is missing, and checking that it fits
 * before anything is read or changed.
 *
 * @module
 */

import { KvError } from "../errors.ts";

/** Why a table does not fit, and what to do about it. */
export interface Misfit {
  readonly found: string;
  readonly fix: string;
}

/** What helps with every table that does not fit. */
export const OTHER_NAME = "use another tableName";

/** What helps with a table of Fedify's store. */
export function migrateFrom(store: string): string {
  return `it is a table of Fedify's ${store}; ${OTHER_NAME}, ` +
    "and copy the entries with @org/kv/migrate";
}

/** What helps with a table of Keyv. */
export const OF_KEYV = `it looks like a table of Keyv; ${OTHER_NAME}`;

/** Whether a table is wrong in some way, what was found, and what to do then. */
export type Check = readonly [isWrong: boolean, found: string, fix?: string];

/** The first check that fails; the fix is another name, unless it has one. */
export function misfitOf(checks: readonly Check[]): Misfit | undefined {
  const failed = checks.find(([isWrong]) => isWrong);
  if (failed === undefined) return undefined;
  const [, found, fix = OTHER_NAME] = failed;
  return { found, fix };
}

/** The error about a table that does not fit. */
export function misfitError(table: string, { found, fix }: Misfit): KvError {
  return new KvError(`Cannot open ${table}: ${found}: ${fix}`);
}

/**
 * Finds a table, and creates it if it is missing.
 *
 * @param table Its name, for the message.
 * @param inspect Reads what the server knows; `undefined` if there is no table.
 * @param create Creates the table.
 */
export async function findOrCreate<Found>(
  table: string,
  inspect: () => Promise<Found | undefined>,
  create: () => Promise<unknown>,
): Promise<Found> {
  let found = await inspect();
  if (found === undefined) {
    await create();
    found = await inspect();
  }
  if (found !== undefined) return found;
  throw new KvError(
    `Cannot open ${table}: it was dropped as soon as it was created`,
  );
}
