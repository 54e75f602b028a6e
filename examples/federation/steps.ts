// Prints each step of the demo and stops at the first one that fails.
import { isDeepStrictEqual } from "node:util";
import { setTimeout as delay } from "node:timers/promises";

/** Something was not as the demo expects it. */
export class UnexpectedError extends Error {
  override name = "UnexpectedError";
}

/** Runs the steps of a demo in turn, and prints a numbered line for each. */
export class Steps {
  readonly #print: (line: string) => void;
  readonly #signal: AbortSignal;
  #count = 0;

  constructor(print: (line: string) => void, signal: AbortSignal) {
    this.#print = print;
    this.#signal = signal;
  }

  /** Runs a step. The text that it returns says what happened. */
  async run(title: string, step: () => Promise<string>): Promise<void> {
    this.#signal.throwIfAborted();
    const number = ++this.#count;
    const start = performance.now();
    try {
      const result = await step();
      const took = Math.round(performance.now() - start);
      this.#print(
        `${`${number}`.padStart(2)}. ${title} (${took} ms)\n    ${result}`,
      );
    } catch (cause) {
      throw new UnexpectedError(`Step ${number} failed: ${title}`, { cause });
    }
  }
}

/** Throws unless both are equal by content. */
export function expectEqual<T>(what: string, actual: T, expected: T): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new UnexpectedError(
    `${what}: expected ${Deno.inspect(expected)}, got ${Deno.inspect(actual)}`,
  );
}

/** Asks until there is an answer other than `undefined` and `false`. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeout = 20_000,
): Promise<Exclude<T, undefined | false>> {
  const start = performance.now();
  while (true) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      return answer as Exclude<T, undefined | false>;
    }
    if (performance.now() - start > timeout) {
      throw new UnexpectedError(
        `Waited ${timeout} ms for ${what}: expected it by now, got nothing`,
      );
    }
    await delay(5);
  }
}
