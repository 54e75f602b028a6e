/**
 * Medians and ratios of rounds.
 *
 * @module
 */

/** A median, and the quartiles around it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The median of numbers, and between what the middle half of them lies. */
export function spread(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * How often one is as fast as another: a ratio for each round, since what
 * disturbs a round disturbs both.
 */
export function ratio(
  rates: readonly number[],
  others: readonly number[],
): Spread {
  return spread(rates.map((rate, round) => rate / others[round]!));
}
