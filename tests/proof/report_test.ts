// The table that sums up runs.
import { assertEquals } from "@std/assert";
import type { Report } from "../../proof/history.ts";
import { tableOf } from "../../proof/report.ts";

const REPORT: Report = {
  backend: "redis",
  histories: 600,
  calls: { ok: 100_000, rejected: 20, unknown: 3 },
  lists: 4_000,
  strikes: { cut: 2, kill: 1 },
  processes: 36,
  slowest: 1_234.5,
  failures: [{ kind: "violation", text: "no order" }],
};

Deno.test("tableOf() sums up the runs of each backend", () => {
  const other: Report = { ...REPORT, backend: "sqlite", failures: [] };
  const later: Report = { ...REPORT, slowest: 7, strikes: { cut: 3 } };
  assertEquals(tableOf([REPORT, other, later]).split("\n").slice(2), [
    "| redis | 1,200 | 200,046 | 8,000 | 40 | 6 | 5 cut, 1 kill | 72 | 1,235 ms | 2 | 0 | 0 | 0 |",
    "| sqlite | 600 | 100,023 | 4,000 | 20 | 3 | 2 cut, 1 kill | 36 | 1,235 ms | 0 | 0 | 0 | 0 |",
    "",
  ]);
});
