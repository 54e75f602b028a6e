/** What the OpenTelemetry SDK receives, on real backends. */

import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { StackContextManager } from "@opentelemetry/sdk-trace";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { DatabaseSync } from "node:sqlite";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { openKv } from "../../open/mod.ts";
import { sharedUrl, startRedis, unavailable } from "../../servers/mod.ts";
import { Telemetry } from "./telemetry.ts";

function openSqlite(tableName = "kv"): SqliteKvStore {
  return new SqliteKvStore(new DatabaseSync(":memory:"), { tableName });
}

Deno.test("a call has a span and a duration by the conventions", async () => {
  using telemetry = new Telemetry();
  const kv = openSqlite("sessions");
  await kv.set(["a"], 1);
  const span = telemetry.span("set sessions");
  assertEquals({ ...span.attributes }, {
    "db.system.name": "sqlite",
    "db.collection.name": "sessions",
    "db.operation.name": "set",
  });
  assertEquals(span.status.code, SpanStatusCode.UNSET);
  const [point] = await telemetry.points("db.client.operation.duration");
  assertEquals({ ...point!.attributes }, { ...span.attributes });
  assertEquals(point!.value.count, 1);
  assertEquals(
    point!.value.buckets.boundaries,
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  );
});

Deno.test("the span of a round trip has its size, and belongs to its calls", async () => {
  using telemetry = new Telemetry();
  const kv = openSqlite();
  await Promise.all([kv.set(["a"], 1), kv.set(["b"], 2), kv.set(["c"], 3)]);
  const trip = telemetry.span("BATCH set kv");
  assertEquals(trip.attributes["db.operation.batch.size"], 3);
  assertEquals(trip.kind, SpanKind.INTERNAL);
  const calls = telemetry.spans.filter(({ name }) => name === "set kv");
  assertEquals(trip.parentSpanContext?.spanId, calls[0]!.spanContext().spanId);
  assertEquals(
    trip.links.map((it) => it.context.spanId),
    calls.slice(1).map((it) => it.spanContext().spanId),
  );
  const [size] = await telemetry.points("kv.client.round_trip.calls");
  assertEquals(size!.value.count, 1);
  await kv.get(["a"]);
  const single = telemetry.spans.filter(({ name }) => name === "get kv");
  assertEquals(
    single.map((it) => "db.operation.batch.size" in it.attributes),
    [false, false],
  );
});

Deno.test("the span of a call belongs to the caller's span", async () => {
  context.setGlobalContextManager(new StackContextManager().enable());
  try {
    using telemetry = new Telemetry();
    const kv = openSqlite();
    const caller = trace.wrapSpanContext({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      traceFlags: 1,
    });
    const inside = trace.setSpan(context.active(), caller);
    await context.with(inside, () => kv.set(["a"], 1));
    assertEquals(
      telemetry.spans.map((it) => it.spanContext().traceId),
      Array(2).fill(caller.spanContext().traceId),
    );
  } finally {
    context.disable();
  }
});

Deno.test("lost swaps, pending calls and swept entries are counted", async () => {
  using telemetry = new Telemetry();
  const kv = openSqlite();
  const swaps = [kv.cas(["a"], 1, 2), kv.cas(["b"], undefined, 1)];
  assertEquals(await Promise.all(swaps), [false, true]);
  assertEquals(
    (await telemetry.points("kv.client.pending_calls"))[0]!.value,
    0,
  );
  assertEquals((await telemetry.points("kv.client.lost_swaps"))[0]!.value, 1);
  await kv.set(["short"], 1, { ttl: 1 });
  while (await kv.get(["short"]) !== undefined);
  const swept = await kv.sweep();
  const [entries] = await telemetry.points("kv.client.swept_entries");
  assertEquals([swept, entries!.value], [1, 1]);
});

Deno.test("expired entries that a write removes are counted, too", async () => {
  using telemetry = new Telemetry();
  const kv = new MemoryKvStore();
  await kv.set(["short"], 1, { ttl: 1 });
  while (await kv.get(["short"]) !== undefined);
  await kv.set(["other"], 1);
  const [entries] = await telemetry.points("kv.client.swept_entries");
  assertEquals(entries!.value, 1);
  assertEquals({ ...entries!.attributes }, { "db.system.name": "memory" });
});

Deno.test({
  name: "an unknown outcome is counted, and has its class as error.type",
  // ioredis keeps the timers of commands that it never settles.
  sanitizeOps: false,
  sanitizeResources: false,
  ignore: await unavailable("redis") !== undefined,
  async fn() {
    await using server = await startRedis();
    using telemetry = new Telemetry();
    await using kv = await openKv(server.url, { timeout: 500 });
    await kv.set(["a"], 1);
    const admin = new Redis(server.url);
    await admin.call("CLIENT", "PAUSE", "60000", "ALL");
    const write = assertRejects(() => kv.set(["a"], 2), KvOutcomeUnknownError);
    const [pending] = await telemetry.points("kv.client.pending_calls");
    assertEquals(pending!.value, 1);
    await write;
    admin.disconnect();
    const [point] = await telemetry.points("kv.client.unknown_outcomes");
    assertEquals(point!.value, 1);
    const span = telemetry.spans.findLast(({ name }) => name === "set kv")!;
    assertEquals(span.attributes["error.type"], "KvOutcomeUnknownError");
    assertEquals(span.status, { code: SpanStatusCode.ERROR });
  },
});

const SECRETS = { key: "k3y-of-alice", value: "v4lue-of-alice" };

const URLS: [kind: string, url: () => Promise<string>][] = [
  ["memory", () => Promise.resolve("memory:")],
  ["sqlite", () => Promise.resolve("sqlite::memory:")],
  ["deno", () => Promise.resolve("deno::memory:")],
];
for (const kind of ["redis", "postgres", "mariadb"] as const) {
  if (await unavailable(kind) === undefined) {
    const url = await sharedUrl(kind);
    URLS.push([kind, () => Promise.resolve(url)]);
  }
}

for (const [kind, url] of URLS) {
  Deno.test(`no key, value or password is in the telemetry of ${kind}`, async () => {
    using telemetry = new Telemetry();
    const password = /:([^:@/]+)@/.exec(await url())?.[1] ?? "no password";
    const key = [SECRETS.key, crypto.randomUUID()] as const;
    {
      await using kv = await openKv(await url());
      await Promise.all([
        kv.set(key, SECRETS.value, { ttl: 60_000 }),
        kv.set([...key, "2"], { [SECRETS.value]: SECRETS.value }),
      ]);
      await kv.get(key);
      await kv.cas!(key, SECRETS.value, [SECRETS.value]);
      await Array.fromAsync(kv.list([key[0]]));
      await kv.clear(key);
      await kv.check();
    }
    if (password !== "no password") {
      const wrong = (await url()).replace(password, `${password}-wrong`);
      await using kv = await openKv(wrong, { timeout: 2_000 });
      await assertRejects(() => kv.set(key, SECRETS.value), KvError);
    }
    const metrics = await telemetry.collect();
    const everything = JSON.stringify([
      telemetry.spans.map((span) => [
        span.name,
        span.attributes,
        span.events,
        span.status,
        span.links.map(({ attributes }) => attributes),
        span.instrumentationScope,
      ]),
      metrics.scopeMetrics,
    ]) + new PrometheusSerializer().serialize(metrics);
    assert(telemetry.spans.length > 5);
    for (const secret of [...Object.values(SECRETS), key[1], password]) {
      assert(!everything.includes(secret), `the telemetry holds ${secret}`);
    }
  });
}
