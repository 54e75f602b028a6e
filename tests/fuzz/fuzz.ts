// Runs random plans on a store until the time is over.
import fc from "fast-check";
import { now } from "../../testing/time.ts";
import { execute, type Subject } from "./execute.ts";
import { plans } from "./steps.ts";

/** How long to fuzz, and from which seed on. */
export interface FuzzOptions {
  readonly seed: number;
  readonly milliseconds: number;
}

/** What a run of the fuzzer did. */
export interface FuzzReport {
  plans: number;
  calls: number;
}

/** Fuzzes one store. */
export type Fuzz = (options: FuzzOptions) => Promise<FuzzReport>;

/** Plans of one seed. */
const plansPerSeed = 10;

/**
 * Fuzzes a store: executes random plans and compares with the model.
 *
 * @throws {Error} With the seed and the shortest plan found that differs.
 */
export async function fuzz(
  open: () => Promise<Subject>,
  { seed, milliseconds }: FuzzOptions,
): Promise<FuzzReport> {
  const report: FuzzReport = { plans: 0, calls: 0 };
  const end = now() + milliseconds;
  let subject: Subject | undefined;
  // The shortest plan may fail for another reason, or the store not open again.
  let first: unknown;
  try {
    for (let next = seed; next === seed || now() < end; next++) {
      const result = await fc.check(
        fc.asyncProperty(plans, async (plan) => {
          subject ??= await open();
          try {
            report.calls += await execute(subject, plan);
            report.plans++;
          } catch (error) {
            first ??= error;
            // Whatever the failed plan left must not reach the next one.
            await subject[Symbol.asyncDispose]();
            subject = undefined;
            throw error;
          }
        }),
        { seed: next, numRuns: plansPerSeed },
      );
      if (result.failed) {
        const { errorInstance } = result;
        throw new Error(
          `seed ${next} fails after ${report.calls} calls: ${
            messageOf(errorInstance)
          }\n  The first failure was: ${messageOf(first).split("\n")[0]}`,
          { cause: first },
        );
      }
    }
  } finally {
    await subject?.[Symbol.asyncDispose]();
  }
  return report;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
