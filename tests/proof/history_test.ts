// Short histories under faults; `deno task prove` plays long ones.
import { assert, assertEquals } from "@std/assert";
import type { Fault } from "../../proof/faults.ts";
import { play } from "../../proof/history.ts";
import { PLANTED } from "../../proof/plant.ts";
import type { Backend } from "../../proof/stores.ts";
import { unstartable } from "../../servers/mod.ts";

const SCENES: readonly {
  backend: Backend;
  fault: Fault;
  reason?: string | undefined;
}[] = [
  { backend: "sqlite", fault: "kill-writer" },
  {
    backend: "postgres",
    fault: "terminate",
    reason: await unstartable("postgres"),
  },
  {
    backend: "mysql",
    fault: "terminate",
    reason: await unstartable("mariadb"),
  },
];

for (const { backend, fault, reason } of SCENES) {
  Deno.test({
    name: `a history of ${backend} is linearizable under the fault ${fault}${
      reason === undefined ? "" : ` (${reason})`
    }`,
    ignore: reason !== undefined,
    async fn() {
      const report = await play({
        backend,
        faults: [fault],
        seed: Date.now() % 2 ** 31,
        histories: 3,
        milliseconds: 120_000,
        calls: 150,
      });
      assertEquals(report.failures, []);
      assert(report.calls.ok > 100, JSON.stringify(report));
    },
  });
}

for (const planted of PLANTED) {
  Deno.test(`histories of a SQLite store with the fault ${planted} are rejected`, async () => {
    const { failures } = await play({
      backend: "sqlite",
      faults: ["none"],
      seed: 1,
      // Calls must meet, which takes some histories on a busy machine.
      histories: 100,
      milliseconds: 120_000,
      calls: 150,
      planted,
      maxFailures: 1,
    });
    assertEquals([...new Set(failures.map(({ kind }) => kind))], ["violation"]);
  });
}
