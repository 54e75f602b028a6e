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

/**
 * Does what a command line asks for.
 *
 * @param planOf Reads the command line; nothing if it asks for the usage.
 * @param carryOut Carries out the plan, and tells whether all went well.
 * @returns The exit code: 0, or 1 if something failed, or 2 if the command line
 * is wrong.
 */
export async function obey<Plan>(
  usage: string,
  planOf: (args: string[]) => Plan | undefined,
  carryOut: (plan: Plan) => Promise<boolean>,
): Promise<number> {
  let plan: Plan | undefined;
  try {
    plan = planOf(Deno.args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (plan === undefined) {
    console.log(usage);
    return 0;
  }
  return await carryOut(plan) ? 0 : 1;
}
