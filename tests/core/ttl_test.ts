// How TTLs become points in time.
import { DatabaseSync } from "node:sqlite";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryKvStore } from "../../kv/memory.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { lifeOf, ttlMilliseconds } from "../../kv/core/ttl.ts";
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

Deno.test("lifeOf() rejects an option that is not known", () => {
  assertEquals(lifeOf({ ttl: 5 }), { ttl: 5, expires: undefined });
  assertEquals(lifeOf({}), undefined);
  for (const options of [{ tll: 5 }, { ttl: 5, expireIn: 5 }]) {
    assertThrows(
      () => lifeOf(options),
      TypeError,
      `unknown option "${
        Object.keys(options).at(-1)
      }": expected ttl or expires`,
    );
  }
});

Deno.test("lifeOf() takes an expiry in place of a TTL", () => {
  using _time = new FakeTime(1_000);
  assertEquals(lifeOf({ expires: 1_500 }), { ttl: 500, expires: 1_500 });
  assertEquals(lifeOf({ expires: 1_000.2, ttl: undefined }), {
    ttl: 1,
    expires: 1_001,
  });
  assertEquals(lifeOf({ expires: 5 }), { ttl: -995, expires: 5 });
  assertEquals(lifeOf({ expires: undefined }), undefined);
  assertEquals(lifeOf({ expires: 1e300 })?.expires, 8.64e15);
  assertThrows(
    () => lifeOf({ expires: 5, ttl: 5 }),
    TypeError,
    "ttl and expires exclude each other",
  );
  for (const expires of [NaN, Infinity, -Infinity]) {
    assertThrows(
      () => lifeOf({ expires }),
      RangeError,
      `expires must be finite: received ${expires}`,
    );
  }
  for (const expires of [null, "5", 5n, true, {}, new Date(5), () => 5]) {
    assertThrows(
      () => lifeOf({ expires }),
      TypeError,
      "expires must be a number of epoch milliseconds: received ",
    );
  }
});
