// How the suite registers cases, limits their time and reports failures.
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import nodeTest from "node:test";
import { runInNewContext } from "node:vm";
import type { KvStore } from "../../kv/store.ts";
import {
  cases,
  conformance,
  type ConformanceCase,
  ConformanceError,
  type ConformanceRunner,
  type OpenedStore,
  runCase,
} from "../../testing/mod.ts";
import { openedSimple, SimpleStore } from "./wrong/simple_store.ts";

const without = { cas: "it has no conditional write" };
const withoutCas = cases.filter(({ guarantees }) => guarantees.includes("cas"));

conformance({
  name: "a simple store under node:test",
  open: openSimple,
  test: nodeTest,
  without: { streaming: "this shows a case that is left out" },
});

Deno.test("conformance() registers each case under its own name", () => {
  const { names, test } = recorder();
  conformance({ name: "Store", open: openSimple, test });
  assertEquals(names, cases.map(({ name }) => `Store: ${name}`));
});

for (const member of ["ignore", "skip"] as const) {
  Deno.test(`conformance() leaves a promise out by test.${member}, with its reason`, () => {
    const { names, test } = recorder();
    const left = recorder();
    test[member] = left.test;
    conformance({ name: "Store", open: openSimple, test, without });
    assertEquals(
      names.slice(cases.length - withoutCas.length),
      ["Store: leaves out cas: it has no conditional write"],
    );
    assertEquals(
      left.names,
      withoutCas.map(({ name }) =>
        `Store: ${name} (without cas: it has no conditional write)`
      ),
    );
  });
}

Deno.test("conformance() runs a case left out as one that prints its reason", async () => {
  const { runs, test } = recorder();
  conformance({
    name: "Store",
    open: () => {
      throw new Error("a case that is left out opens no store");
    },
    test,
    without,
  });
  const { log } = console;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    for (const [name, run] of runs) {
      if (name.includes("(without cas")) await run();
    }
  } finally {
    console.log = log;
  }
  assertEquals(lines.length, withoutCas.length);
  for (const line of lines) {
    assertStringIncludes(line, "without cas: it has no conditional write");
  }
});

Deno.test("runCase() says what failed, where, and which line it breaks", async () => {
  class Forgetful extends SimpleStore {
    override read() {
      return undefined;
    }
  }
  const error = await assertRejects(
    () => runCase(caseNamed("null is a value"), () => new Forgetful()),
    ConformanceError,
  );
  for (
    const part of [
      "null is a value",
      'get(["a"])',
      "expected: null",
      "actual:   undefined",
      "contract: null is a value, different from a missing key",
    ]
  ) assertStringIncludes(error.message, part);
});

Deno.test("runCase() closes what was opened, also when the case fails", async () => {
  const log: string[] = [];
  class Disposable extends SimpleStore {
    constructor(readonly name: string) {
      super();
    }

    [Symbol.asyncDispose]() {
      log.push(`dispose ${this.name}`);
      return Promise.resolve();
    }
  }
  const open = () => ({
    store: new Disposable("store"),
    peer: () => new Disposable("peer"),
    close() {
      log.push("close");
    },
  });
  const failing: ConformanceCase = {
    ...caseNamed("null is a value"),
    async run({ peer }) {
      await peer();
      throw new Error("the case fails");
    },
  };
  const error = await assertRejects(() => runCase(failing, open));
  assertStringIncludes(error.message, "the case fails");
  assertEquals(log, ["dispose peer", "dispose store", "close"]);

  log.length = 0;
  await runCase(caseNamed("null is a value"), () => new Disposable("alone"));
  assertEquals(log, ["dispose alone"]);
});

Deno.test("runCase() fails when closing fails, and closes the rest", async () => {
  const log: string[] = [];
  class Stuck extends SimpleStore {
    [Symbol.dispose]() {
      throw new Error("it cannot be disposed");
    }
  }
  const open = () => ({
    store: new Stuck(),
    close() {
      log.push("close");
    },
  });
  const error = await assertRejects(
    () => runCase(caseNamed("null is a value"), open),
  );
  assertEquals(error.message, "it cannot be disposed");
  assertEquals(log, ["close"]);
});

Deno.test("runCase() ends a case that does not end", async () => {
  class Hanging extends SimpleStore {
    override async get<T>(): Promise<T | undefined> {
      return await new Promise(() => {});
    }
  }
  const error = await assertRejects(() =>
    runCase(caseNamed("null is a value"), () => new Hanging(), {
      timeLimit: 10,
    })
  );
  assertStringIncludes(error.message, "it did not end within 10 ms");
});

Deno.test("conformance() reports a guarantee that is left out although its cases pass", async () => {
  class Unordered extends SimpleStore {
    override async *walk(prefix: readonly string[]) {
      yield* (await Array.fromAsync(super.walk(prefix))).reverse();
    }
  }
  const reports: string[] = [];
  const leaveOut = async (open: () => KvStore) => {
    const { runs, test } = recorder();
    const report = (message: string) => reports.push(message);
    const without = { order: "it is a hash table" };
    conformance({ name: "Store", open, test, without, report });
    const [name, run] = runs.at(-1)!;
    assertEquals(name, "Store: leaves out order: it is a hash table");
    await run();
  };
  await leaveOut(() => new Unordered());
  assertEquals(reports, []);
  await leaveOut(() => new SimpleStore());
  assertEquals(reports.length, 1);
  assertStringIncludes(
    reports[0]!,
    "Store leaves out order (it is a hash table), but every case",
  );
});

Deno.test("a failure shows the difference when only the class differs", async () => {
  const { Date: OtherDate } = runInNewContext("({ Date })");
  class Day extends Date {}
  const received: [value: unknown, message: string][] = [
    [new Day(0), "expected Date(0), received Day(0)"],
    [new OtherDate(0), "received Date(0) of another class Date"],
  ];
  for (const [value, message] of received) {
    class Other extends SimpleStore {
      override copyOut(stored: unknown) {
        return stored instanceof Date ? value : super.copyOut(stored);
      }
    }
    const error = await assertRejects(
      () =>
        runCase(caseNamed("get() returns dates as dates"), () => new Other()),
      ConformanceError,
    );
    assertStringIncludes(error.message, message);
  }
});

Deno.test("a failure shows the difference in a long string and in long bytes", async () => {
  class Cutting extends SimpleStore {
    override copyOut(value: unknown) {
      return typeof value === "string" ? value.slice(0, 69_999) : value;
    }
  }
  const name = "get() and list() return values of 70 KB and 1 MB";
  const error = await assertRejects(
    () => runCase(caseNamed(name), () => new Cutting()),
    ConformanceError,
  );
  assertStringIncludes(
    error.message,
    'at value from index 69999: expected "x", received ""',
  );
});

function caseNamed(name: string): ConformanceCase {
  const found = cases.find((each) => each.name === name);
  assert(found, `there is no case named ${name}`);
  return found;
}

/** A runner that only notes what it is given. */
function recorder() {
  const runs: [name: string, run: () => Promise<void>][] = [];
  const names: string[] = [];
  const test: ConformanceRunner = (name, run) => {
    names.push(name);
    runs.push([name, run]);
  };
  return { names, runs, test };
}

function openSimple(): OpenedStore {
  return openedSimple(new SimpleStore());
}
