/**
 * What is common to the command lines.
 *
 * @module
 */
import { backendNames } from "./backends.ts";

/**
 * The names of the backends that were asked for; all if none was.
 *
 * @throws {RangeError} If there is no such backend.
 */
export function chooseBackends(names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (!backendNames.includes(name)) {
      throw new RangeError(`Unknown backend: ${name}`);
    }
  }
  return names.length === 0
    ? backendNames
    : backendNames.filter((name) => names.includes(name));
}

/**
 * A positive integer.
 *
 * @throws {RangeError} If it is none.
 */
export function positive(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`Not a positive integer: ${text}`);
}
