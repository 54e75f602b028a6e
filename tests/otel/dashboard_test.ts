/** The dashboard and the alerts query metrics and labels that exist. */

import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { KvError } from "../../kv/errors.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { channels } from "../../kv/core/trace.ts";
import { KvOutcomeUnknownError } from "../../kv/errors.ts";
import { Telemetry } from "./telemetry.ts";

const FOLDER = new URL("../../docs/telemetry/", import.meta.url);

interface Dashboard {
  panels: { id: number; targets: { expr: string }[] }[];
  templating: { list: { name: string; definition?: string }[] };
}

/** Patterns of the metrics, and the names of the labels, in a query. */
function namesIn(query: string): { metrics: RegExp[]; labels: string[] } {
  const metrics = query.match(/(?<=")(?:db|kv)_client_[^"]+|\bkv_client_\w+/g);
  const labels = query.match(/\b(?:db_\w+_name|error_type|le)\b(?=[\s,)=!])/g);
  return {
    metrics: (metrics ?? []).map((it) => new RegExp(`^${it}$`)),
    labels: labels ?? [],
  };
}

/** The suffixes that Prometheus knows. */
const SUFFIX = /_(?:bucket|count|sum|total)$/;

/** The metrics as Prometheus receives them, and all their labels. */
async function exported(): Promise<
  { metrics: Set<string>; labels: Set<string> }
> {
  using telemetry = new Telemetry();
  const db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  await kv.cas(["a"], 1, 2);
  await kv.set(["short"], 1, { ttl: 1 });
  while (await kv.get(["short"]) !== undefined);
  await kv.sweep();
  db.close();
  await assertRejects(() => kv.get(["a"]), KvError);
  // A server would have to be cut off for this one; see otel_test.ts.
  const message = {
    store: kv,
    operation: "set",
    error: new KvOutcomeUnknownError("x"),
  };
  channels!.call.start.publish(message);
  channels!.call.asyncEnd.publish(message);
  const text = new PrometheusSerializer().serialize(await telemetry.collect());
  const samples = text.split("\n").filter((it) => /^[a-z]/.test(it));
  return {
    metrics: new Set(samples.map((it) => /^\w+/.exec(it)![0])),
    labels: new Set(text.match(/\w+(?==")/g)),
  };
}

Deno.test("the dashboard and the alerts query metrics that exist, and all of them", async () => {
  const dashboard = JSON.parse(
    await Deno.readTextFile(new URL("dashboard.json", FOLDER)),
  ) as Dashboard;
  const alerts = await Deno.readTextFile(new URL("alerts.yml", FOLDER));
  const queries = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map((it) => it.expr)),
    ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
    ...alerts.match(/expr: >-\n(?: {10}.*\n)+/g)!,
  ];
  assertEquals(queries.length, 11 + 2 + 6);
  const { metrics, labels } = await exported();
  const queried = new Set<string>();
  for (const query of queries) {
    const names = namesIn(query);
    assert(names.metrics.length > 0, `no metric is queried: ${query}`);
    for (const pattern of names.metrics) {
      const name = [...metrics].find((it) => pattern.test(it));
      assert(name !== undefined, `there is no metric ${pattern}: ${query}`);
      queried.add(name.replace(SUFFIX, ""));
    }
    for (const name of names.labels) {
      assert(labels.has(name), `there is no label ${name}: ${query}`);
    }
  }
  const ours = [...metrics].filter((it) => /^(?:db|kv)_/.test(it))
    .map((it) => it.replace(SUFFIX, ""));
  assertEquals([...queried].sort(), [...new Set(ours)].sort());
});

Deno.test("the panels of the dashboard have different ids and queries in balance", async () => {
  const { panels } = JSON.parse(
    await Deno.readTextFile(new URL("dashboard.json", FOLDER)),
  ) as Dashboard;
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { expr } of panels.flatMap(({ targets }) => targets)) {
    for (const [open, close] of ["()", "{}", "[]"]) {
      assertEquals(expr.split(open!).length, expr.split(close!).length, expr);
    }
  }
});
