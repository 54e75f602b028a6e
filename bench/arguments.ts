/**
 * What is common to the command lines.
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import { backends } from "./backends.ts";

/**
 * The backends of so many names; all if there is none.
 *
 * @throws {RangeError} If there is no such backend.
 */
export function chooseBackends(names: readonly string[]): readonly Backend[] {
  for (const name of names) {
    if (!backends.some((backend) => backend.name === name)) {
      throw new RangeError(`Unknown backend: ${name}`);
    }
  }
  return names.length === 0
    ? backends
    : backends.filter(({ name }) => names.includes(name));
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
