// Migrating from Deno KV as Fedify's store uses it.
import { assertEquals } from "@std/assert";
import { DenoKvStore } from "../../kv/deno.ts";
import { fedifyDenoKv, migrate } from "../../migrate/mod.ts";
import { MemoryKvStore } from "../../mod.ts";
import { DatabaseFile, rawEntries } from "../deno/databases.ts";
import { assertHas, entries, type Expected } from "./entries.ts";

Deno.test("every entry of Deno KV arrives, without an expiry, as a note says first", async () => {
  using file = new DatabaseFile();
  const db = await file.open();
  const expected: Expected = new Map();
  const some = entries(["\0"]).filter((_, i) => i % 2 === 1);
  for (let i = 0; i < some.length; i += 100) {
    const atomic = db.atomic();
    for (const { key, value, ttl } of some.slice(i, i + 100)) {
      const expireIn = ttl?.total("milliseconds");
      atomic.set(key, value, expireIn === undefined ? {} : { expireIn });
      expected.set(JSON.stringify(key), { value });
    }
    await atomic.commit();
  }
  await db.set(["date"], new Map([[1, new Date(0)]]));
  expected.set('["date"]', { value: new Map([[1, new Date(0)]]) });
  await db.set(["__fedify_ordering_lock__", "a"], 1);
  await db.set(["number", 1], 1);
  await db.set(["regexp"], /a/);
  const before = await rawEntries(db);

  const target = new MemoryKvStore();
  const events: string[] = [];
  const summary = await migrate(fedifyDenoKv(db), target, {
    verify: true,
    onNote: () => events.push("note"),
    onProgress: () => events.push("progress"),
  });
  assertEquals(events.slice(0, 2), ["note", "progress"]);
  assertEquals(events.filter((each) => each === "note").length, 1);
  assertEquals(summary.notes.length, 1);
  assertEquals(summary.different, []);
  assertEquals(summary.skippedEntries.map(({ key }) => key), [
    '["number","1"]',
    ["regexp"],
  ]);
  await assertHas(target, expected, 0);
  assertEquals(await rawEntries(db), before);

  // Resumed at a checkpoint, into another database.
  using other = new DatabaseFile();
  const kv = new DenoKvStore(await other.open());
  let cursor: string | undefined;
  const end = new AbortController();
  await migrate(fedifyDenoKv(db), kv, {
    signal: end.signal,
    onCheckpoint(at) {
      cursor = at;
      end.abort();
    },
  }).catch(() => {});
  const had = await kv.count();
  const rest = await migrate(fedifyDenoKv(db), kv, { after: cursor! });
  assertEquals(rest.written + rest.kept <= expected.size - 100, true);
  assertEquals(had < expected.size, true);
  await assertHas(kv, expected, 0);
});
