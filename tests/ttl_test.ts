import { assertEquals, assertThrows } from "@std/assert";
import { ttlMilliseconds } from "../kv/ttl.ts";
import { FakeTime } from "./fake_time.ts";

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
