// Stores that use the process's clock, while it jumps.
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { DenoKvStore } from "../../kv/deno.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvStore } from "../../kv/store.ts";
import { FakeTime } from "@std/testing/time";

const hour = 3_600_000;

const opens: Record<
  string,
  () => Promise<[KvStore & { cas: unknown }, () => void]>
> = {
  memory: () => Promise.resolve([new MemoryKvStore(), () => {}]),
  SQLite() {
    const db = new DatabaseSync(":memory:");
    return Promise.resolve([new SqliteKvStore(db), () => db.close()]);
  },
  async "Deno KV"() {
    const db = await Deno.openKv(":memory:");
    return [new DenoKvStore(db), () => db.close()];
  },
};

for (const [name, open] of Object.entries(opens)) {
  Deno.test(`an entry without a TTL survives every jump of the clock (${name})`, async () => {
    const [kv, close] = await open();
    try {
      for (const start of [0, 1, hour, 8e15, -1, 1_700_000_000_000]) {
        using _ = new FakeTime(start);
        await kv.set(["kept"], start);
        // Enough writes for a sweep to come by.
        for (let i = 0; i < 50; i++) await kv.set(["other"], i, { ttl: 5 });
        assertEquals(await kv.get(["kept"]), start);
        assertEquals((await Array.fromAsync(kv.list(["kept"]))).length, 1);
      }
    } finally {
      close();
    }
  });

  Deno.test(`a TTL counts from the clock's new time after a jump (${name})`, async () => {
    const [kv, close] = await open();
    try {
      const start = 1_700_000_000_000;
      {
        using _ = new FakeTime(start);
        await kv.set(["before"], 1, { ttl: 2 * hour });
      }
      {
        using time = new FakeTime(start - 24 * hour);
        assertEquals(await kv.get(["before"]), 1);
        await kv.set(["after"], 1, { ttl: hour });
        time.tick(hour - 1);
        assertEquals(await kv.get(["after"]), 1);
        time.tick(1);
        assertEquals(await kv.get(["after"]), undefined);
        assertEquals(await kv.get(["before"]), 1);
      }
      {
        using _ = new FakeTime(start + 2 * hour);
        assertEquals(await kv.get(["before"]), undefined);
        assertEquals(await Array.fromAsync(kv.list()), []);
        await kv.set(["before"], 2);
        assertEquals(await kv.get(["before"]), 2);
      }
    } finally {
      close();
    }
  });
}
