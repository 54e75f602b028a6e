/**
 * Rounds: in each, everyone has a turn. What disturbs the machine for a while
 * disturbs all alike, and the ratio of a round is worth more than any figure.
 *
 * @module
 */

/** Someone who is measured. */
export interface Contestant {
  readonly name: string;
  /** Works for a turn; returns calls a second. */
  turn(): Promise<number>;
}

/** What came out for one contestant: calls a second in each round, or why not. */
export interface Figure {
  readonly name: string;
  readonly rates: readonly number[];
  readonly failure?: string;
}

/** Lets contestants work in alternating turns, after one that does not count. */
export async function interleave(
  contestants: readonly Contestant[],
  rounds: number,
): Promise<Figure[]> {
  const rates = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  const failures = new Map<string, string>();
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      // Another one begins each round.
      const { name, turn } = contestants[(i + round + 1) % contestants.length]!;
      if (failures.has(name)) continue;
      try {
        const rate = await turn();
        if (round >= 0) rates.get(name)!.push(rate);
      } catch (error) {
        failures.set(name, error instanceof Error ? error.message : `${error}`);
      }
    }
  }
  return contestants.map(({ name }) => {
    const failure = failures.get(name);
    return failure === undefined
      ? { name, rates: rates.get(name)! }
      : { name, rates: [], failure };
  });
}
