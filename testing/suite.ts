/**
 * Registers the conformance suite with a test runner.
 *
 * @module
 */
import type { KvGuarantee, KvStore } from "../kv/store.ts";
import type { OpenedStore, Without } from "./case.ts";
import { cases } from "./cases.ts";
import { passesAll } from "./left_out.ts";
import { runCase } from "./run.ts";

/**
 * A function that registers a case: `Deno.test`, or the `test` of `node:test`,
 * Vitest, Jest or `bun:test`.
 *
 * With a runner that has neither `ignore` nor `skip`, a case that is left out
 * prints its reason and passes.
 *
 * @example Usage
 * ```ts
 * import type { ConformanceRunner } from "@org/kv/testing";
 * import test from "node:test";
 *
 * const runner: ConformanceRunner = test;
 * ```
 */
export interface ConformanceRunner {
  /** Registers a case. */
  (name: string, fn: () => Promise<void>): unknown;
  /** Registers a case that is not run. */
  ignore?(name: string, fn: () => Promise<void>): unknown;
  /** Registers a case that is not run. */
  skip?(name: string, fn: () => Promise<void>): unknown;
}

/**
 * Options of {@linkcode conformance}.
 *
 * @example Usage
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import type { ConformanceOptions } from "@org/kv/testing";
 *
 * const options: ConformanceOptions = {
 *   name: "MemoryKvStore",
 *   open: () => new MemoryKvStore(),
 * };
 * ```
 */
export interface ConformanceOptions {
  /** The driver's name; the name of each case starts with it. */
  name: string;
  /**
   * Opens a fresh, isolated, empty store for one case: the store alone, or
   * together with another client, a clock and a function that closes them.
   */
  open: () => KvStore | OpenedStore | Promise<KvStore | OpenedStore>;
  /**
   * Registers a case.
   *
   * @default {Deno.test}
   */
  test?: ConformanceRunner;
  /**
   * The guarantees that the driver leaves out, each with its reason. Their
   * cases are shown as ignored, with the reason.
   *
   * @default {{}}
   */
  without?: Without;
  /**
   * Receives a message for each guarantee in `without` whose cases all pass, so
   * that a reason that no longer holds is noticed. A function that throws makes
   * it a failure.
   *
   * @default {console.warn}
   */
  report?: (message: string) => void;
}

/**
 * Registers every case of the contract for a driver, each on a fresh store.
 *
 * @param options The driver's name, how to open a store, and the runner.
 * @throws {TypeError} If there is no `Deno.test` and `test` is not given.
 *
 * @example Usage
 * ```ts ignore
 * import { conformance } from "@org/kv/testing";
 * import { DatabaseSync } from "node:sqlite";
 * import { SqliteKvStore } from "@org/kv/sqlite";
 *
 * conformance({
 *   name: "SqliteKvStore",
 *   open() {
 *     const db = new DatabaseSync(":memory:");
 *     return { store: new SqliteKvStore(db), close: () => db.close() };
 *   },
 * });
 * ```
 *
 * @example With another runner
 * ```ts
 * import { MemoryKvStore } from "@org/kv";
 * import { cases, conformance } from "@org/kv/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const names: string[] = [];
 * conformance({
 *   name: "MemoryKvStore",
 *   open: () => new MemoryKvStore(),
 *   test: (name) => names.push(name),
 * });
 * assertEquals(names.length, cases.length);
 * ```
 */
export function conformance(options: ConformanceOptions): void {
  const { name, open, without = {}, test = denoTest() } = options;
  const { report = console.warn } = options;
  for (const each of cases) {
    const run = () => runCase(each, open, { without });
    const missing = each.guarantees.find((guarantee) => guarantee in without);
    if (missing === undefined) test(`${name}: ${each.name}`, run);
    else ignore(test, `${name}: ${each.name}`, run, missing, without);
  }
  for (const guarantee of Object.keys(without) as KvGuarantee[]) {
    test(`${name}: leaves out ${guarantee}: ${without[guarantee]}`, async () => {
      if (!await passesAll(guarantee, open, without)) return;
      report(
        `${name} leaves out ${guarantee} (${without[guarantee]}), but every ` +
          "case of this guarantee passes: remove it from `without`, unless " +
          "the backend keeps it only in tests",
      );
    });
  }
}

function ignore(
  test: ConformanceRunner,
  name: string,
  run: () => Promise<void>,
  missing: KvGuarantee,
  without: Without,
): void {
  const reason = `${name} (without ${missing}: ${without[missing]})`;
  if (test.ignore) test.ignore(reason, run);
  else if (test.skip) test.skip(reason, run);
  else {
    test(reason, () => Promise.resolve(console.log(`ignored: ${reason}`)));
  }
}

function denoTest(): ConformanceRunner {
  const { Deno } = globalThis as { Deno?: { test: ConformanceRunner } };
  if (Deno === undefined) {
    throw new TypeError(
      "Cannot register the cases: test must be given where there is no Deno.test: received undefined",
    );
  }
  return Deno.test;
}
