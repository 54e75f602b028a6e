/**
 * Fedify's real traffic as a closed loop: so many workers, each of which makes
 * its next call when the last one is answered.
 *
 * @module
 */
import { build, type Histogram } from "hdr-histogram-js";
import { load, type Subject } from "./subject.ts";
import { FIRST_REVISION, keyOf, separateValueOf, valueOf } from "./values.ts";

/** Options of {@linkcode Mix.load}. */
export interface MixOptions {
  /**
   * How many entries there are.
   *
   * @default {200_000}
   */
  readonly entries?: number;
  /**
   * The share of gets.
   *
   * @default {0.75}
   */
  readonly gets?: number;
  /**
   * The share of sets with a TTL.
   *
   * @default {0.5}
   */
  readonly ttls?: number;
  /**
   * The size of all values, instead of that of Fedify's.
   *
   * @default {undefined}
   */
  readonly bytes?: number;
}

/** Latencies in nanoseconds. */
export interface Latencies {
  readonly gets: Histogram;
  readonly sets: Histogram;
}

/** What a worker does next. */
interface Step {
  readonly entry: number;
  readonly bytes: number;
  readonly kind: "get" | "set" | "setWithTtl";
}

/** The sizes of values by their share in a hundred thousand. */
const SIZES: readonly (readonly [share: number, bytes: number])[] = [
  [25_000, 4],
  [10_000, 100],
  [30_000, 1_024],
  [20_000, 2_048],
  [14_900, 4_096],
  [100, 64_000],
];

const STEPS = 65_536;

/** The mix on one subject. */
export class Mix {
  readonly #subject: Subject;
  readonly #keys: readonly unknown[];
  readonly #steps: readonly Step[];
  /** The latencies since they were last forgotten. */
  readonly latencies: Latencies = { gets: histogram(), sets: histogram() };
  #step = 0;
  #revision = FIRST_REVISION;

  private constructor(
    subject: Subject,
    entries: number,
    steps: readonly Step[],
  ) {
    this.#subject = subject;
    this.#keys = Array.from(
      { length: entries },
      (_, i) => subject.toKey(keyOf("mix", i)),
    );
    this.#steps = steps;
  }

  /** Loads the entries into a subject. */
  static async load(
    subject: Subject,
    options: MixOptions = {},
  ): Promise<Mix> {
    const { entries = 200_000, ttls = 0.5, bytes } = options;
    const mix = new Mix(subject, entries, stepsOver(entries, options));
    const random = randoms();
    for (let i = 0; i < entries; i += 2_000) {
      await load(
        subject,
        mix.#keys.slice(i, i + 2_000).map((key, j) => ({
          key,
          value: separateMixValue(bytes ?? sizeBy(random()), ++mix.#revision),
          expires: ttls > 0 && (i + j) % 2 === 1,
        })),
      );
    }
    return mix;
  }

  /** Lets so many workers work until it is over; returns calls a second. */
  async run(workers: number, isOver: () => boolean): Promise<number> {
    const start = performance.now();
    let made = 0;
    const work = async () => {
      while (!isOver()) {
        await this.#next();
        made++;
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
    return made * 1_000 / (performance.now() - start);
  }

  /** Forgets the latencies. */
  forget(): void {
    this.latencies.gets.reset();
    this.latencies.sets.reset();
  }

  async #next(): Promise<void> {
    const { kind, entry, bytes } = this.#steps[this.#step++ % STEPS]!;
    const key = this.#keys[entry]!;
    if (kind === "get") {
      const start = performance.now();
      const value = await this.#subject.get(key);
      this.latencies.gets.recordValue(nanosecondsSince(start));
      if (value === undefined || value === null) {
        throw new Error("an entry is missing");
      }
      return;
    }
    const value = mixValue(bytes, ++this.#revision);
    const start = performance.now();
    if (kind === "set") await this.#subject.set(key, value);
    else await this.#subject.setWithTtl!(key, value);
    this.latencies.sets.recordValue(nanosecondsSince(start));
  }
}

function histogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 100,
    highestTrackableValue: 600e9,
    numberOfSignificantValueDigits: 3,
  });
}

function nanosecondsSince(start: number): number {
  return Math.round((performance.now() - start) * 1e6);
}

function mixValue(bytes: number, revision: number): unknown {
  return bytes === 4 ? revision % 9_000 + 1_000 : valueOf(bytes, revision);
}

function separateMixValue(bytes: number, revision: number): unknown {
  return bytes > 4 && bytes < 10_000
    ? separateValueOf(bytes, revision)
    : mixValue(bytes, revision);
}

function stepsOver(
  entries: number,
  { gets = 0.75, ttls = 0.5, bytes }: MixOptions,
): Step[] {
  const random = randoms();
  const withTtl = gets + (1 - gets) * (1 - ttls);
  return Array.from({ length: STEPS }, () => {
    const kind = random();
    return {
      kind: kind < gets ? "get" : kind < withTtl ? "set" : "setWithTtl",
      entry: Math.floor(random() * entries),
      bytes: bytes ?? sizeBy(random()),
    };
  });
}

function sizeBy(random: number): number {
  let left = random * 100_000;
  for (const [share, bytes] of SIZES) {
    left -= share;
    if (left < 0) return bytes;
  }
  return SIZES.at(-1)![1];
}

/** The same numbers from 0 to 1 for all subjects, by mulberry32. */
function randoms(): () => number {
  let state = 20_260_504;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4_294_967_296;
  };
}
