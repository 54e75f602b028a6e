/**
 * The benches of `deno bench`. It runs one after the other, so its figures say
 * less about ratios than those of `deno task bench`.
 *
 * @module
 */
import { type Backend, type OpenBackend, OURS } from "./backend.ts";
import type { Field } from "./field.ts";
import { Mix } from "./mix.ts";
import type { WaveOperationName } from "./operation_names.ts";
import { operations } from "./operations.ts";
import type { Subject } from "./subject.ts";
import { describeBytes } from "./text.ts";

const SIZES = [100, 2_048];
const AT_ONCE = [1, 256];
const MIX_ENTRIES = 20_000;
const MIX_CALLS = 2_048;

/** A subject on its backend. */
interface Place {
  readonly name: string;
  readonly subject: Subject;
}

/** Registers the benches of a backend: the bare client is the baseline. */
export async function benchBackend(backend: Backend): Promise<void> {
  const open = await tryToOpen(backend);
  if (open === undefined) return;
  register(
    backend.title,
    open.subjects.map((subject) => ({ name: subject.name, subject })),
    backend.operations,
  );
}

/** Registers benches that compare our store on one backend and another. */
export async function benchStores(backends: readonly Backend[]): Promise<void> {
  const places: Place[] = [];
  for (const backend of backends) {
    const open = await tryToOpen(backend);
    const subject = open?.subjects.find(({ name }) => name === OURS);
    if (subject !== undefined) places.push({ name: backend.title, subject });
  }
  register("All backends", places);
}

async function tryToOpen(backend: Backend): Promise<OpenBackend | undefined> {
  try {
    return await backend.open();
  } catch (error) {
    Deno.bench({
      name: `${backend.title} (skipped: ${(error as Error).message})`,
      ignore: true,
      fn() {},
    });
    return undefined;
  }
}

function register(
  title: string,
  places: readonly Place[],
  only: Backend["operations"] = [...namesOfOperations(), "mix"],
): void {
  for (const name of namesOfOperations()) {
    if (!only.includes(name) || name === "set among 100,000") continue;
    const { sizes, atOnce, fits } = operations[name];
    const able = places.filter(({ subject }) =>
      subject.without?.[name] === undefined && fits(subject)
    );
    for (const bytes of SIZES.filter((size) => sizes.includes(size))) {
      const fields = new Map<Subject, Promise<Field>>();
      for (const n of AT_ONCE.filter((n) => atOnce.includes(n))) {
        const what = `${name} ${describeBytes(bytes)}, ${n} at once`;
        for (const { name: who, subject } of able) {
          Deno.bench({
            name: `${who}: ${what}`,
            group: `${title}: ${what}`,
            baseline: who === able[0]!.name,
            async fn(b) {
              await benchWave(b, name, { fields, subject, bytes, n });
            },
          });
        }
      }
    }
  }
  if (only.includes("mix")) registerMix(title, places);
}

function namesOfOperations(): WaveOperationName[] {
  return Object.keys(operations) as WaveOperationName[];
}

async function benchWave(
  b: Deno.BenchContext,
  name: WaveOperationName,
  { fields, subject, bytes, n }: {
    fields: Map<Subject, Promise<Field>>;
    subject: Subject;
    bytes: number;
    n: number;
  },
): Promise<void> {
  const operation = operations[name];
  let field = fields.get(subject);
  if (field === undefined) {
    field = operation.load(subject, bytes);
    fields.set(subject, field);
  }
  const { call, isRight } = operation.prepare(await field, n);
  let last: unknown;
  if (n === 1) {
    b.start();
    last = await call(0);
  } else {
    const wave = new Array<Promise<unknown>>(n);
    b.start();
    for (let i = 0; i < n; i++) wave[i] = call(i);
    last = (await Promise.all(wave)).at(-1);
  }
  b.end();
  if (!isRight(last)) throw new Error("a call gave what it should not");
}

function registerMix(title: string, places: readonly Place[]): void {
  const able = places.filter(({ subject }) =>
    subject.without?.mix === undefined
  );
  for (const { name: who, subject } of able) {
    let loading: Promise<Mix> | undefined;
    const what = `mix, ${MIX_CALLS} calls by 256 workers`;
    Deno.bench({
      name: `${who}: ${what}`,
      group: `${title}: ${what}`,
      baseline: who === able[0]!.name,
      async fn(b) {
        loading ??= Mix.load(subject, { entries: MIX_ENTRIES });
        const mix = await loading;
        let left = MIX_CALLS;
        b.start();
        await mix.run(256, () => left-- <= 0);
        b.end();
      },
    });
  }
}
