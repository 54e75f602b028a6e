/** Measures a store next to a bare client, in turns. */

/** What is measured: a number of calls at once. */
export interface Subject {
  set(index: number): unknown;
  get(index: number): unknown;
}

/** Calls per second, as medians of all rounds. */
export interface Figures {
  readonly operation: "set" | "get";
  readonly concurrency: number;
  readonly ours: number;
  readonly bare: number | undefined;
}

/** How many different keys are used. */
export const KEYS = 256;

/** How long a turn of one of them takes, in milliseconds. */
const TURN = 100;

/**
 * Measures all operations. Turns of both alternate, and each begins half of the
 * rounds, so that what else the machine does affects both alike.
 *
 * @param ours The store.
 * @param bare The bare client.
 * @param seconds How long to measure.
 * @param signal Ends it early.
 */
export async function* measure(
  ours: Subject,
  bare: Subject | undefined,
  seconds: number,
  signal: AbortSignal,
): AsyncGenerator<Figures> {
  const subjects = bare === undefined ? [ours] : [ours, bare];
  const rounds = Math.max(
    3,
    Math.round(seconds * 1000 / (4 * subjects.length * TURN)),
  );
  for (const concurrency of [1, 64]) {
    for (const operation of ["set", "get"] as const) {
      const rates = new Map<Subject, number[]>(subjects.map((it) => [it, []]));
      for (let round = -1; round < rounds; round++) {
        for (const it of round % 2 === 0 ? subjects : subjects.toReversed()) {
          signal.throwIfAborted();
          const rate = await turn((i) => it[operation](i), concurrency);
          // The first round warms up.
          if (round >= 0) rates.get(it)!.push(rate);
        }
      }
      yield {
        operation,
        concurrency,
        ours: median(rates.get(ours)!),
        bare: bare && median(rates.get(bare)!),
      };
    }
  }
}

/** Makes calls for the time of a turn; returns how many per second. */
async function turn(
  call: (index: number) => unknown,
  concurrency: number,
): Promise<number> {
  const start = performance.now();
  let calls = 0;
  let elapsed: number;
  do {
    const first = calls;
    await Promise.all(
      Array.from({ length: concurrency }, (_, i) => call((first + i) % KEYS)),
    );
    calls += concurrency;
    elapsed = performance.now() - start;
  } while (elapsed < TURN);
  return calls / elapsed * 1000;
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
}
