/**
 * What one call costs.
 *
 * @module
 */
import { spread } from "../statistics.ts";

const BLOCKS = 7;

/**
 * Measures calls, one at a time, in blocks that take some milliseconds each.
 *
 * @returns Microseconds a call: the median of the blocks.
 */
export async function cost(
  call: (i: number) => Promise<unknown>,
  milliseconds = 40,
): Promise<number> {
  const costs: number[] = [];
  let i = 0;
  for (let block = -1; block < BLOCKS; block++) {
    const start = performance.now();
    const first = i;
    let elapsed = 0;
    do {
      await call(i++);
      elapsed = performance.now() - start;
    } while (elapsed < milliseconds);
    // The first block is for the compiler and the caches.
    if (block >= 0) costs.push(elapsed * 1_000 / (i - first));
  }
  return spread(costs).median;
}
