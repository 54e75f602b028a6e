// How TTLs become points in time.
import { DatabaseSync } from "node:sqlite";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryKvStore } from "../../kv/memory.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { ttlMilliseconds, ttlOf } from "../../kv/core/ttl.ts";
import { FakeTime } from "@std/testing/time";

Deno.test("ttlMilliseconds() rounds up", () => {
  assertEquals(ttlMilliseconds(undefined), undefined);
  assertEquals(ttlMilliseconds(1000), 1000);
  assertEquals(ttlMilliseconds(0.1), 1);
  assertEquals(
    ttlMilliseconds(Temporal.Duration.from({ microseconds: 1500 })),
    2,
  );
});

Deno.test("ttlMilliseconds() leaves a TTL that is over zero or negative", () => {
  assertEquals(ttlMilliseconds(0), 0);
  assertEquals(ttlMilliseconds(-5), -5);
  assertEquals(ttlMilliseconds(Temporal.Duration.from({ days: -1 })), -864e5);
});

Deno.test("ttlMilliseconds() counts calendar units from now, in UTC", () => {
  const cases: [string, Temporal.DurationLike, number][] = [
    ["2027-02-01T00:00:00Z", { months: 1 }, 28],
    ["2028-02-01T00:00:00Z", { months: 1 }, 29],
    ["2027-03-01T12:00:00Z", { years: 1 }, 366],
    ["2027-03-01T12:00:00Z", { weeks: 2, days: 1 }, 15],
  ];
  for (const [now, duration, days] of cases) {
    using _time = new FakeTime(now);
    assertEquals(
      ttlMilliseconds(Temporal.Duration.from(duration)),
      days * 24 * 60 * 60 * 1000,
    );
  }
});

Deno.test("ttlMilliseconds() takes any object that can tell its total", () => {
  assertEquals(ttlMilliseconds({ total: (_: "milliseconds") => 12 }), 12);
});

Deno.test("ttlMilliseconds() ends no later than time does", () => {
  using _time = new FakeTime("2027-01-01T00:00:00Z");
  assertEquals(
    ttlMilliseconds(Number.MAX_VALUE),
    8.64e15 - Date.parse("2027-01-01T00:00:00Z"),
  );
});

Deno.test("ttlMilliseconds() refuses what is no finite TTL", () => {
  for (const ttl of [NaN, Infinity, -Infinity]) {
    assertThrows(
      () => ttlMilliseconds(ttl),
      RangeError,
      `ttl must be finite: received ${ttl}`,
    );
  }
  for (const ttl of [null, "1", 1n, true, {}, [], () => 1]) {
    assertThrows(() => ttlMilliseconds(ttl), TypeError, "ttl must be a number");
  }
  assertThrows(() => ttlMilliseconds({ total: () => "1" }), TypeError);
});

Deno.test("a TTL that is not in an object of options is refused, not ignored", async () => {
  using db = new DatabaseSync(":memory:");
  for (const kv of [new MemoryKvStore(), new SqliteKvStore(db)]) {
    for (const options of [5, "5", true]) {
      const calls = [
        () => kv.set(["a"], 1, options as never),
        () => kv.cas(["a"], undefined, 1, options as never),
      ];
      for (const call of calls) {
        await assertRejects(
          call,
          TypeError,
          `["a"]: options must be an object: received a ${typeof options}`,
        );
      }
    }
    assertEquals(await kv.get(["a"]), undefined);
    await kv.set(["a"], 1, null as never);
    assertEquals(await kv.get(["a"]), 1);
  }
});

Deno.test("ttlOf() rejects an option that is not known", () => {
  assertEquals(ttlOf({ ttl: 5 }), 5);
  assertEquals(ttlOf({}), undefined);
  for (const options of [{ tll: 5 }, { ttl: 5, expireIn: 5 }]) {
    assertThrows(
      () => ttlOf(options),
      TypeError,
      `unknown option "${Object.keys(options).at(-1)}": expected ttl`,
    );
  }
});
