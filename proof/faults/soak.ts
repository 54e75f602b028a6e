/** Hours of mixed calls: memory and room must not grow. */
import { type Place, startPlace } from "./places.ts";
import type { SoakOptions, SoakReport } from "./soaker.ts";
import {
  linesOf,
  type Options,
  type Progress,
  type Result,
  type Suite,
} from "./suite.ts";

const PROGRAM = `${import.meta.dirname}/soaker.ts`;

const BACKENDS = [
  "memory",
  "sqlite",
  "deno",
  "redis",
  "redis-cluster",
  "postgres",
  "pglite",
  "mysql",
] as const;

/** How many times a process tells how it is. */
const SAMPLES = 12;

/** How much a figure may grow from the second third to the last. */
const GROWTH = 1.25;

/** Before, the first entries have not expired, and everything grows. */
const WARM_UP = 5;

/** What grows in a store that does not reclaim, by the names in the chart. */
interface Sample {
  readonly minutes: number;
  readonly sizes: Readonly<Record<string, number | undefined>>;
}

async function run(
  backend: typeof BACKENDS[number],
  { minutes, rate, seed }: Options,
  progress: Progress,
): Promise<Result> {
  await using place = await startPlace(backend);
  const milliseconds = minutes * 60_000;
  const interval = milliseconds / SAMPLES;
  const samples: Sample[] = [];
  const failures: string[] = [];
  let calls = 0;
  const options = { url: place.url, milliseconds, rate, seed, interval };
  for await (const report of reportsOf(options)) {
    ({ calls } = report);
    failures.splice(0, Infinity, ...report.failures);
    progress(report.milliseconds / milliseconds, `${calls} calls`);
    // Before the first calls there is no table.
    if (calls > 0) samples.push(await sampleOf(report, place));
  }
  if (samples.length < SAMPLES) failures.push("the process ended early");
  const names = Object.keys(samples[0]?.sizes ?? {});
  const figures = names.map((name) => {
    const sizes = samples.map(({ sizes }) => sizes[name] ?? 0);
    const third = Math.ceil(sizes.length / 3);
    const [early, late] = [
      Math.max(...sizes.slice(third, 2 * third)),
      Math.max(...sizes.slice(-third)),
    ];
    if (minutes > WARM_UP && late > GROWTH * early) {
      failures.push(`${name} grows`);
    }
    return `${name} ${megabytes(early)} then ${megabytes(late)} MB`;
  });
  return {
    summary: `${calls} calls in ${minutes} minutes, ${figures.join(", ")}`,
    failures,
    panel: {
      title: backend,
      places: samples.map(({ minutes }) => Math.round(minutes * 10) / 10),
      series: names.map((name) => ({
        name,
        values: samples.map(({ sizes }) => sizes[name]),
      })),
    },
  };
}

async function* reportsOf(options: SoakOptions): AsyncGenerator<SoakReport> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-all",
      "--unstable-kv",
      "--v8-flags=--expose-gc",
      PROGRAM,
      JSON.stringify(options),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  for await (const line of linesOf(process.stdout)) {
    yield JSON.parse(line) as SoakReport;
  }
  const { code } = await process.status;
  if (code !== 0) throw new Error(`The process exited with ${code}`);
}

async function sampleOf(
  { milliseconds, heap, rss }: SoakReport,
  place: Place,
): Promise<Sample> {
  const size = await place.size();
  return {
    minutes: milliseconds / 60_000,
    sizes: { heap, RSS: rss, ...(size === undefined ? {} : { entries: size }) },
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Nothing grows that ought not to, and every answer is right. */
export const soak: Suite = {
  text: "mixed calls with TTLs for a long time, on all backends at once",
  isSimultaneous: true,
  trials: BACKENDS.map((backend) => ({
    backend,
    title: "soak",
    run: (options: Options, progress: Progress) =>
      run(backend, options, progress),
  })),
};
