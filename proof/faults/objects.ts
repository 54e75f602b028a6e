/** Damaged entries of Durable Objects, which a worker damages and reads. */
import { Workerd } from "../../tests/support/worker/workerd.ts";
import type { Options, Progress, Result } from "./suite.ts";

/** How many entries an object damages in one request. */
const GROUP = 500;

/** Damages entries in workerd. */
export async function damageObjects(
  { entries, seed }: Options,
  progress: Progress,
): Promise<Result> {
  await using worker = await Workerd.start("tests/support/worker/damage.ts", {
    objects: { OBJECTS: "DamagedObject" },
  });
  const counts = { right: 0, damaged: 0, other: 0 };
  const failures: string[] = [];
  for (let done = 0; done < entries && failures.length < 5; done += GROUP) {
    const response = await worker.fetch(
      `http://worker/object${done}/random?times=${GROUP}&seed=${seed + done}`,
    );
    const result = await response.json() as string | typeof counts;
    if (typeof result === "string") {
      failures.push(`seed ${seed + done}: ${result}`);
      continue;
    }
    counts.right += result.right;
    counts.damaged += result.damaged;
    counts.other += result.other;
    progress(done / entries, `${counts.damaged} corrupt`);
  }
  const { right, damaged, other } = counts;
  return {
    summary: `${right + damaged + other} damaged entries: ` +
      `${damaged} corrupt, ${right} right, ${other} another value`,
    failures,
  };
}
