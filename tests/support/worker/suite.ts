// Registers the conformance cases that a worker runs.
import { cases } from "../../../testing/mod.ts";
import type { Without } from "../../../testing/mod.ts";
import { Workerd } from "./workerd.ts";

/** What keeps `Deno.test` from looking at Miniflare. */
export const unsanitized = { sanitizeOps: false, sanitizeResources: false };

/**
 * Registers every case of the conformance suite, run in workerd.
 *
 * @param name The name of the store.
 * @param path Its path in the worker.
 * @param options The promises left out, and how many workerd are to share the
 * work: each uses one processor.
 */
export function conformanceInWorkerd(
  name: string,
  path: string,
  options: { without?: Without; processes?: number } = {},
): void {
  const { without = {}, processes = 1 } = options;
  const indexes = [...cases.keys()].filter((i) =>
    cases[i]!.guarantees.every((guarantee) => !(guarantee in without))
  );
  const answers = new Map<number, Promise<string>>();
  let workers: Workerd[] = [];

  Deno.test.beforeAll(async () => {
    workers = await Promise.all(
      Array.from(
        { length: processes },
        () =>
          Workerd.start("tests/support/worker/conformance.ts", {
            objects: { OBJECTS: "KvStoreDurableObject" },
          }),
      ),
    );
  });
  Deno.test.afterAll(async () => {
    await Promise.allSettled(answers.values());
    for (const worker of workers) await worker[Symbol.asyncDispose]();
  });

  for (const [i, each] of cases.entries()) {
    const missing = each.guarantees.find((guarantee) => guarantee in without);
    const reason = missing && ` (without ${missing}: ${without[missing]})`;
    Deno.test({
      ...unsanitized,
      name: `${name}: ${each.name}${reason ?? ""}`,
      ignore: missing !== undefined,
      async fn() {
        // The next cases run meanwhile, if there is a processor for them.
        const at = indexes.indexOf(i);
        for (const next of indexes.slice(at, at + processes)) answer(next);
        const message = await answer(i);
        if (message !== "") throw new Error(message);
      },
    });
  }

  function answer(i: number): Promise<string> {
    const worker = workers[indexes.indexOf(i) % processes]!;
    const asked = answers.get(i) ??
      worker.fetch(`http://worker/${path}/${i}`).then((response) =>
        response.text()
      );
    answers.set(i, asked);
    return asked;
  }
}
