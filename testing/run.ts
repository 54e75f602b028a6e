// Runs one case: opens a store, limits the time, closes everything.
import type { KvStore } from "../kv/store.ts";
import type {
  ConformanceCase,
  ConformanceContext,
  OpenedStore,
  Without,
} from "./case.ts";
import { Bound } from "./bound.ts";
import { ConformanceError } from "./expect.ts";
import { show } from "./show.ts";
import { clearTimeout, setTimeout } from "./time.ts";

/**
 * Options of {@linkcode runCase}.
 *
 * @example Usage
 * ```ts
 * import type { RunCaseOptions } from "@org/kv/testing";
 *
 * const options: RunCaseOptions = { timeLimit: 1_000 };
 * ```
 */
export interface RunCaseOptions {
  /**
   * The guarantees that the store leaves out, each with its reason.
   *
   * @default {{}}
   */
  without?: Without;
  /**
   * The milliseconds after which a case that does not end has failed.
   *
   * @default {30_000}
   */
  timeLimit?: number;
}

/**
 * Runs one case on a fresh store and closes the store, whatever happens.
 *
 * @param conformanceCase The case to run.
 * @param open Opens a fresh, isolated, empty store.
 * @param options The guarantees left out, and the time limit.
 * @throws {ConformanceError} If the store breaks the contract.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { cases, runCase } from "@org/kv/testing";
 *
 * const values = cases.filter(({ section }) => section === "Values");
 * for (const each of values) await runCase(each, () => new MemoryKvStore());
 * ```
 */
export async function runCase(
  conformanceCase: ConformanceCase,
  open: () => KvStore | OpenedStore | Promise<KvStore | OpenedStore>,
  options: RunCaseOptions = {},
): Promise<void> {
  const { without = {}, timeLimit = 30_000 } = options;
  const opened = await open();
  const fixture: OpenedStore = "get" in opened ? { store: opened } : opened;
  const bound = new Bound(timeLimit);
  const store = bound.limit(fixture.store);
  let peer: Promise<KvStore> | undefined;
  const context: ConformanceContext = {
    store,
    without,
    exact: fixture.advance !== undefined,
    maxKeyBytes: fixture.maxKeyBytes ?? 8_192,
    async peer() {
      const opened = await (peer ??= openPeer(fixture));
      return opened === fixture.store ? store : bound.limit(opened);
    },
    pass: async (milliseconds) => {
      if (fixture.advance) await fixture.advance(milliseconds);
      else await wait(milliseconds);
    },
  };
  const failures: unknown[] = [];
  try {
    await withinLimit(conformanceCase.run(context), bound, timeLimit);
  } catch (error) {
    failures.push(explain(conformanceCase, bound.error ?? error));
  }
  bound.stop("the case has ended");
  try {
    if (peer !== undefined && await peer !== fixture.store) {
      await dispose(await peer);
    }
    await dispose(fixture.store);
  } catch (error) {
    failures.push(error);
  }
  try {
    await fixture.close?.();
  } catch (error) {
    failures.push(error);
  }
  if (failures.length > 0) throw failures[0];
}

async function openPeer(fixture: OpenedStore): Promise<KvStore> {
  return await fixture.peer?.() ?? fixture.store;
}

async function dispose(store: KvStore & Partial<AsyncDisposable & Disposable>) {
  if (Symbol.asyncDispose in store) await store[Symbol.asyncDispose]?.();
  else store[Symbol.dispose]?.();
}

function explain({ name, line }: ConformanceCase, cause: unknown): Error {
  const reason = cause instanceof ConformanceError
    ? cause.message
    : `an unexpected error: ${show(cause)}`;
  return new ConformanceError(
    `${name}\n    ${reason}\n    contract: ${line}`,
    { cause },
  );
}

async function withinLimit(
  run: Promise<void>,
  bound: Bound,
  timeLimit: number,
) {
  let timer;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(bound.stop()), timeLimit);
  });
  try {
    await Promise.race([run, limit]);
  } finally {
    clearTimeout(timer);
  }
}

// A server may count whole milliseconds on its own clock and call one that equals
// the expiry still alive: two more settle it.
const clockSlack = 2;

async function wait(milliseconds: number) {
  const end = Date.now() + milliseconds + clockSlack;
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, end - Date.now()));
  }
}
