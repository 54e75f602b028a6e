/**
 * How the cost of a call grows with something, for our store on each backend.
 *
 * @module
 */
import type { Backend } from "../backend.ts";
import { Field } from "../field.ts";
import { load } from "../subject.ts";
import type { KvKey } from "../../mod.ts";
import { valueOf } from "../values.ts";
import { cost } from "./cost.ts";
import { withStore } from "./stores.ts";

/** Microseconds a call, by operation. */
export type Costs = Readonly<Record<string, number>>;

/** A curve to be measured. */
export interface Curve {
  /** What it is called on the command line. */
  readonly name: string;
  readonly title: string;
  /** The numbers on which the cost depends. */
  steps(backend: Backend, largest: number): number[];
  /** Measures the cost at one of them. */
  measure(backend: Backend, step: number): Promise<Costs>;
}

/** The number of entries. */
export const entries: Curve = {
  name: "entries",
  title: "number of entries",
  steps: ({ name }, largest) =>
    [1_000, 10_000, 100_000, 1_000_000].filter((step) =>
      step <= (name === "deno" ? Math.min(largest, 100_000) : largest)
    ),
  measure: (backend, step) =>
    withStore(backend, async (subject) => {
      const groups = step / 100;
      const field = await Field.load(subject, {
        entries: step,
        bytes: 100,
        keyOf: (i) => ["entries", `group${i % groups}`, `entry${i}`],
      });
      const costs = await getAndSet(field);
      // Redis has no order: a listing looks through all keys.
      const lists = backend.name !== "redis" || step <= 100_000;
      return lists
        ? {
          ...costs,
          "list 100": await cost((i) =>
            subject.list!(["entries", `group${i % groups}`])
          ),
        }
        : costs;
    }),
};

/** The size of a value. */
export const value: Curve = {
  name: "value",
  title: "size of a value in bytes",
  steps: () => [100, 1_000, 10_000, 100_000, 1_000_000],
  measure: (backend, step) =>
    withStore(backend, async (subject) => {
      const field = await Field.load(subject, {
        entries: Math.max(20, Math.min(1_000, 10_000_000 / step)),
        bytes: step,
        keyOf: (i) => ["value", `entry${i}`],
      });
      return await getAndSet(field);
    }),
};

/** The number of parts of a key. */
export const parts: Curve = {
  name: "parts",
  title: "number of parts of a key, 8 characters each",
  steps: () => [1, 2, 4, 8, 16, 32, 64],
  measure: (backend, step) =>
    measureKeys(backend, (i) => [
      ...Array.from({ length: step - 1 }, (_, j) => `part-${100 + j}`),
      `last${1_000 + i}`,
    ]),
};

/** The length of a part. */
export const length: Curve = {
  name: "length",
  title: "length of a part in characters, two parts",
  steps: () => [10, 30, 100, 300, 1_000, 3_000],
  measure: (backend, step) =>
    measureKeys(backend, (i) => ["length", `${i}`.padStart(step, "x")]),
};

/** The share of entries that are expired and not yet reclaimed. */
export const expired: Curve = {
  name: "expired",
  title: "percentage of 50,000 entries that are expired",
  steps: () => [0, 25, 50, 75, 95],
  measure: (backend, step) =>
    withStore(backend, async (subject) => {
      const keyOf = (i: number): KvKey => [
        "expired",
        `group${i % 500}`,
        `entry${i}`,
      ];
      const dead = Math.round(50_000 * step / 100);
      const field = await Field.load(subject, {
        entries: 50_000 - dead,
        bytes: 100,
        keyOf: (i) => keyOf(dead + i),
      });
      const end = Date.now() + 10_000;
      await load(
        {
          ...subject,
          setWithTtl: (key, value) =>
            subject.setFor!(key, value, end - Date.now()),
        },
        Array.from({ length: dead }, (_, i) => ({
          key: keyOf(i),
          value: valueOf(100, i),
          expires: true,
        })),
      );
      await new Promise((resolve) =>
        setTimeout(resolve, dead === 0 ? 0 : end - Date.now())
      );
      const list = await cost((i) =>
        subject.list!(["expired", `group${i % 500}`])
      );
      return { ...await getAndSet(field), "list the rest of 100": list };
    }),
};

/** All curves. */
export const curves: readonly Curve[] = [
  entries,
  value,
  parts,
  length,
  expired,
];

function measureKeys(
  backend: Backend,
  keyOf: (i: number) => readonly string[],
): Promise<Costs> {
  return withStore(backend, async (subject) => {
    const field = await Field.load(subject, {
      entries: 1_000,
      bytes: 100,
      keyOf: (i) => keyOf(i) as KvKey,
    });
    return await getAndSet(field);
  });
}

async function getAndSet(field: Field): Promise<Costs> {
  const { subject, keys, bytes } = field;
  return {
    get: await cost(() => subject.get(keys[field.next()])),
    set: await cost(() => {
      const i = field.next();
      return subject.set(keys[i], valueOf(bytes, field.nextRevision(i)));
    }),
  };
}
