// The Durable Object store on real workerd.
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { objectName, shardOf } from "../../kv/durable_object/shards.ts";
import type { Inspection } from "../support/worker/objects.ts";
import { isFull } from "../support/extent.ts";
import { conformanceInWorkerd, unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";

if (isFull) conformanceInWorkerd("DurableObjectKvStore", "object");
conformanceInWorkerd("DurableObjectKvStore over three objects", "shards");

let worker: Workerd;

Deno.test.beforeAll(async () => {
  worker = await Workerd.start("tests/support/worker/objects.ts", {
    objects: { OBJECTS: "InspectedObject" },
  });
});

Deno.test.afterAll(() => worker[Symbol.asyncDispose]());

/** Asks the worker; each test uses its own store. */
async function ask<T>(path: string): Promise<T> {
  const response = await worker.fetch(`http://worker/${path}`);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.message), answer);
  return answer;
}

function inWorkerd(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...unsanitized, name: `DurableObjectKvStore: ${name}`, fn });
}

inWorkerd("one of 200 creates from ten requests wins", async () => {
  const won = await Promise.all(
    Array.from({ length: 10 }, () => ask<number>("race/create?times=20")),
  );
  assertEquals(won.reduce((a, b) => a + b), 1);
});

inWorkerd("200 increments from ten requests are all counted", async () => {
  await Promise.all(
    Array.from({ length: 10 }, () => ask<number>("count/increment?times=20")),
  );
  assertEquals(await ask("count/get?key=counter"), 200);
});

inWorkerd("an alarm deletes what has expired, chunks included", async () => {
  await ask("alarm/expiring?times=5000&ttl=50");
  await ask("alarm/set?key=live");
  const before = await ask<Inspection>("alarm/inspect");
  assertEquals(before.entries, 5_002);
  assertEquals(before.chunks, 3);
  assert(before.alarm !== null && before.alarm <= 10_050, `${before.alarm}`);

  await new Promise((resolve) => setTimeout(resolve, 60));
  await ask("alarm/ring");
  // More than one alarm can delete: it has to go off again automatically.
  const after = await until(
    () => ask<Inspection>("alarm/inspect"),
    ({ entries }) => entries === 1,
  );
  assertEquals(after, { entries: 1, chunks: 0, alarm: null });
});

inWorkerd("an alarm is set for the earliest expiry", async () => {
  await ask("later/expiring?times=1&ttl=600000");
  const late = (await ask<Inspection>("later/inspect")).alarm!;
  assert(late > 590_000 && late <= 600_000, `${late}`);
  await ask("later/expiring?times=1&ttl=100000");
  const early = (await ask<Inspection>("later/inspect")).alarm!;
  assert(early > 90_000 && early <= 100_000, `${early}`);
});

inWorkerd(
  "an alarm that comes before a later expiry is set again",
  async () => {
    await ask("renewed/expiring?times=1&ttl=50");
    await ask("renewed/expiring?times=1&ttl=600000");
    await new Promise((resolve) => setTimeout(resolve, 60));
    await ask("renewed/ring");
    const { entries, alarm } = await until(
      () => ask<Inspection>("renewed/inspect"),
      ({ alarm }) => alarm !== null && alarm > 20_000,
    );
    assertEquals(entries, 2);
    assert(alarm! > 590_000 && alarm! <= 600_000, `${alarm}`);
  },
);

inWorkerd("a store is empty after deleteAll(), and TTLs work", async () => {
  await ask("emptied/set?key=a");
  await ask("emptied/expiring?times=1&ttl=600000");
  await ask("emptied/empty");
  assertEquals(await ask("emptied/get?key=a"), null);
  assertEquals(await ask("emptied/list"), []);
  await ask("emptied/expiring?times=1&ttl=20000");
  const { entries, chunks, alarm } = await ask<Inspection>("emptied/inspect");
  assertEquals([entries, chunks], [2, 3]);
  assert(alarm !== null && alarm <= 20_000, `${alarm}`);
});

for (const action of ["list", "create?times=2", "large?bytes=3000000"]) {
  const name = action.split("?")[0]!;
  inWorkerd(`deleteAll() may come before a call of ${name}()`, async () => {
    const store = `emptied before ${name}`;
    const first = await ask(`${store}/${action}`);
    await ask(`${store}/empty`);
    assertEquals(await ask(`${store}/${action}`), first);
  });
}

inWorkerd("an alarm leaves an emptied object empty", async () => {
  await ask("idle/expiring?times=1&ttl=1");
  await ask("idle/empty");
  await ask("idle/ring");
  const { alarm } = await until(
    async () => ({ alarm: await ask<number | null>("idle/due") }),
    ({ alarm }) => alarm === null,
  );
  assertEquals(alarm, null);
  assertEquals(await ask("idle/tables"), []);
});

inWorkerd("values to 15 MiB are kept, and none of their chunks", async () => {
  const bytes = 15_728_640;
  assertEquals(await ask(`large/large?bytes=${bytes}`), [true, false, true]);
  assertEquals((await ask<Inspection>("large/inspect")).chunks, 15);
  await ask("large/set?key=large");
  assertEquals((await ask<Inspection>("large/inspect")).chunks, 0);
});

inWorkerd("a value beyond 15 MiB is a RangeError", async () => {
  const { name, message } = await failure("larger/large?bytes=15728642");
  assertEquals(name, "RangeError");
  assertMatch(message, /at most 15728640 bytes: received 15728642/);
});

inWorkerd("gets of more than an answer carries are all answered", async () => {
  assertEquals(await ask("gets/gets?times=30&bytes=2000000"), true);
});

for (const shards of [1, 16]) {
  inWorkerd(`pages of ${shards} object(s) take bounded memory`, async () => {
    assertEquals(await ask(`pages/pages?times=40&shards=${shards}`), [
      40 * 51,
      40_000_000,
    ]);
    const bytes = await ask<number>(`pages/pageBytes?shards=${shards}`);
    assertLess(bytes, 5_000_000);
  });
}

inWorkerd(
  "a TTL of centuries sets an alarm that the platform takes",
  async () => {
    await ask("far/expiring?times=1&ttl=100000000000000");
    const { alarm } = await ask<Inspection>("far/inspect");
    assert(alarm !== null && alarm > 86_400_000, `${alarm}`);
  },
);

inWorkerd("a write that an object broke at is of unknown outcome", async () => {
  const { name, message } = await failure("broken/set?key=abort");
  assertEquals(name, "KvOutcomeUnknownError");
  assertMatch(message, /^Cannot confirm set \["abort"\], which may have/);
});

inWorkerd("a read that an object broke at twice is a KvError", async () => {
  assertEquals((await failure("broken/get?key=abort")).name, "KvError");
});

inWorkerd("a read that an object broke at once is made again", async () => {
  assertEquals(await ask("mended/get?key=abort%20once"), null);
});

inWorkerd("a damaged entry fails alone", async () => {
  await ask("damaged/set?key=damaged");
  await ask("damaged/damage");
  assertEquals(await ask("damaged/damaged"), [
    "KvCorruptionError",
    "KvCorruptionError",
    1,
  ]);
  assertEquals((await failure("damaged/list")).name, "KvCorruptionError");
});

inWorkerd("another number of objects is another store", async () => {
  await ask("shards/set?key=a&shards=2");
  assertEquals(await ask("shards/list?shards=2"), [["a"]]);
  assertEquals(await ask("shards/list?shards=3"), []);
  assertEquals(await ask("shards/list"), []);
});

inWorkerd("no name of a store reaches an object of another store", async () => {
  await ask("t/set?key=a&shards=2");
  await ask("t/set?key=b&shards=2");
  const names = ["t", "t 1/2", "t 2/2", "1/2 t", "2/2 t", "1/1 t", "2 t"];
  for (const name of names) {
    assertEquals([name, await ask(`${encodeURIComponent(name)}/list`)], [
      name,
      [],
    ]);
  }
});

Deno.test("objects of stores of different names have different names", () => {
  const stores = ["", "t", "1/2 t", "t 1/2", "2 t", "/2 t"].flatMap((name) =>
    [1, 2, 12].map((shards) => ({ name, shards }))
  );
  const names = stores.flatMap(({ name, shards }) =>
    Array.from({ length: shards }, (_, i) => objectName(name, i, shards))
  );
  assertEquals(new Set(names).size, names.length);
});

inWorkerd("a name with a lone surrogate is a TypeError", async () => {
  const options = encodeURIComponent('{"name":"a\\ud800"}');
  const { name, message } = await failure(`any/list?options=${options}`);
  assertEquals(name, "TypeError");
  assertMatch(message, /name must be well-formed/);
});

inWorkerd("a bad number of objects is a RangeError", async () => {
  for (const shards of ["0", "257", "1.5", "NaN"]) {
    const { name, message } = await failure(`bad/list?shards=${shards}`);
    assertEquals(name, "RangeError");
    assertMatch(message, new RegExp(`received ${shards}$`));
  }
});

Deno.test("keys stay on their shard for ever", () => {
  assertEquals(
    ["", "a", "users!alice", "https://example.com/é\u{1F600}"]
      .map((id) => shardOf(id, 256)),
    [11, 179, 78, 127],
  );
});

Deno.test("keys are spread evenly over shards", () => {
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 10_000; i++) {
    counts[shardOf(`_fedify!activityIdempotence!https://a.example/${i}`, 5)]!++;
  }
  for (const count of counts) assertLess(Math.abs(count - 2_000), 200);
});

async function failure(path: string): Promise<Error> {
  try {
    await ask(path);
  } catch (error) {
    return error as Error;
  }
  throw new Error(`${path} did not fail`);
}

async function until<T>(
  look: () => Promise<T>,
  isThere: (seen: T) => boolean,
): Promise<T> {
  for (let i = 0;; i++) {
    const seen = await look();
    if (isThere(seen) || i === 100) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
