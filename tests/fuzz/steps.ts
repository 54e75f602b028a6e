// The steps of a run: calls, and what lies between them.
import fc from "fast-check";
import type { KvKey } from "../../kv/store.ts";
import { keys } from "./keys.ts";
import { type Spec, specs } from "./values.ts";

/** One step; `key` and `value` are indexes into what the run picks from. */
export type Step =
  | { step: "get"; key: number }
  | { step: "set"; key: number; value: number; ttl: number }
  | { step: "delete"; key: number }
  | { step: "cas"; key: number; expected: Expected; value: number; ttl: number }
  | { step: "list"; key: number; parts: number }
  | {
    step: "list with options";
    key: number;
    parts: number;
    after: number;
    limit: number;
    reverse: boolean;
  }
  | { step: "clear"; key: number; parts: number }
  | { step: "list while writing"; key: number; parts: number; writes: Write[] }
  | { step: "invalid"; key: number; kind: number }
  | { step: "await" }
  | { step: "ticks"; count: number }
  | { step: "other client" }
  | { step: "pass"; time: number };

/** The value that a `cas` expects: the stored one, in a way, or another. */
export type Expected = "same" | "reordered" | "none" | number;

/** A write during a listing. */
export interface Write {
  /** After how many listed entries. */
  after: number;
  key: number;
  /** An index, or `-1` to delete. */
  value: number;
}

/** What one run does. */
export interface Plan {
  keys: KvKey[];
  values: Spec[];
  steps: Step[];
}

const index = fc.nat(20);
const value = fc.oneof({ weight: 9, arbitrary: index }, {
  weight: 1,
  arbitrary: fc.constant(-1),
});
/** Mostly none; others are indexes into the TTLs of the run, as moments from 8 on. */
const ttl = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, {
  weight: 2,
  arbitrary: fc.nat(15),
});
const listed = { key: index, parts: fc.integer({ min: -1, max: 4 }) };

function step<T extends object>(
  name: Step["step"],
  weight: number,
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
) {
  const arbitrary = fc.record({ step: fc.constant(name), ...fields });
  return { weight, arbitrary: arbitrary as unknown as fc.Arbitrary<Step> };
}

const steps = fc.oneof(
  step("get", 12, { key: index }),
  step("set", 16, { key: index, value, ttl }),
  step("delete", 4, { key: index }),
  step("cas", 12, {
    key: index,
    expected: fc.oneof(
      fc.constantFrom<Expected>("same", "same", "reordered", "none"),
      index,
    ),
    value,
    ttl,
  }),
  step("list", 3, listed),
  step("list with options", 2, {
    ...listed,
    after: fc.integer({ min: -1, max: 10 }),
    limit: fc.integer({ min: -1, max: 6 }),
    reverse: fc.boolean(),
  }),
  step("clear", 1, listed),
  step("list while writing", 1, {
    ...listed,
    writes: fc.array(
      fc.record({ after: fc.nat(4), key: index, value }),
      { maxLength: 4 },
    ),
  }),
  step("invalid", 3, { key: index, kind: fc.nat(40) }),
  step("await", 6, {}),
  step("ticks", 3, { count: fc.nat(5) }),
  step("other client", 1, {}),
  step("pass", 2, { time: fc.nat(7) }),
);

/** What a run may do. */
export const plans: fc.Arbitrary<Plan> = fc.record({
  keys,
  values: fc.array(specs, { minLength: 1, maxLength: 5 }),
  steps: fc.array(steps, { minLength: 1, maxLength: 60, size: "max" }),
});
