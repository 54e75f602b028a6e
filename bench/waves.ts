/**
 * Waves: so many calls at once, awaited together, one wave after the other.
 *
 * @module
 */
import type { Field } from "./field.ts";
import type { Operation } from "./operations.ts";

/**
 * Makes calls in waves for some time.
 *
 * @returns Calls a second.
 * @throws {Error} If a call fails, or gives what it should not.
 */
export async function runWaves(
  operation: Operation,
  field: Field,
  { atOnce, milliseconds }: { atOnce: number; milliseconds: number },
): Promise<number> {
  const count = Math.ceil(operation.chunk / atOnce) * atOnce;
  let elapsed = 0;
  let made = 0;
  while (elapsed < milliseconds) {
    const { call, isRight } = operation.prepare(field, count);
    let last: unknown;
    const start = performance.now();
    if (atOnce === 1) {
      for (let i = 0; i < count; i++) last = await call(i);
    } else {
      for (let i = 0; i < count;) {
        const wave = new Array<Promise<unknown>>(atOnce);
        for (let j = 0; j < atOnce; j++) wave[j] = call(i++);
        last = (await Promise.all(wave)).at(-1);
      }
    }
    elapsed += performance.now() - start;
    made += count;
    if (!isRight(last)) {
      throw new Error(`a call gave ${Deno.inspect(last).slice(0, 200)}`);
    }
  }
  return made * 1_000 / elapsed;
}
