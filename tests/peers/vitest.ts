// As much of Vitest as the suites of other projects use, over Deno.test.
import { expect } from "expect";
import type { Kind, Opened } from "./stores.ts";

type Hook = () => void | Promise<void>;
type Case = (context: { expect: typeof expect }) => void | Promise<void>;

/** What a suite registers its cases with. */
export interface Vitest {
  it(name: string, fn: Case): void;
  beforeEach(fn: Hook): void;
  afterEach(fn: Hook): void;
}

/**
 * Registers a suite on a kind of store: one store for all of its cases, opened
 * by the first one and closed by the last one. `left` names cases that are not
 * run, each with its reason.
 */
export function registerSuite(
  suite: string,
  kind: Kind,
  register: (vitest: Vitest, opened: () => Opened) => void,
  left: Readonly<Record<string, string>> = {},
): void {
  const hooks: { before: Hook[]; after: Hook[] } = { before: [], after: [] };
  const cases: [name: string, fn: Case][] = [];
  let opened: Opened | undefined;
  register(
    {
      it: (name, fn) => void cases.push([name, fn]),
      beforeEach: (fn) => void hooks.before.push(fn),
      afterEach: (fn) => void hooks.after.push(fn),
    },
    () => opened ??= kind.open(),
  );
  const where = `${suite} on ${kind.name}`;
  Deno.test({
    name: kind.reason === undefined ? where : `${where} (${kind.reason})`,
    ignore: kind.reason !== undefined,
    async fn(test) {
      try {
        for (const [name, fn] of cases) {
          const reason = left[name];
          await test.step({
            name: reason === undefined ? name : `${name} (${reason})`,
            ignore: reason !== undefined,
            fn: () => run(fn, hooks),
          });
        }
      } finally {
        await opened?.close();
      }
    },
  });
}

async function run(
  fn: Case,
  { before, after }: { before: Hook[]; after: Hook[] },
): Promise<void> {
  for (const hook of before) await hook();
  try {
    await fn({ expect });
    for (const { error } of expect.extractExpectedAssertionsErrors()) {
      throw error;
    }
  } finally {
    for (const hook of after) await hook();
  }
}
