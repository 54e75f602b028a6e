// What a cache returns is never older than maxAge.
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { cached } from "../../cached/mod.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";

const HISTORIES = 100;
const WRITES = 25;
const MAX_AGE = 20;

/** A write, and from when on it was visible to all. */
interface Written {
  version: number;
  end: number;
}

/** A read: when it began, and what it returned. */
interface Read {
  version: number;
  start: number;
}

Deno.test("a value that a cache returns was in the store at most maxAge ago, in 100 histories", async () => {
  assertEquals(await violations(MAX_AGE, MAX_AGE), 0);
});

Deno.test("the check of histories finds values that are too old", async () => {
  assert(await violations(10 * MAX_AGE, MAX_AGE) > 0);
});

/** Plays histories at the same time; returns how many reads were too old. */
async function violations(maxAge: number, allowed: number): Promise<number> {
  using db = new DatabaseSync(":memory:");
  const writer = new SqliteKvStore(db);
  const kv = cached(new SqliteKvStore(db), { maxAge });
  const counts = await Promise.all(
    Array.from({ length: HISTORIES }, async (_, history) => {
      const key = ["history", `${history}`] as const;
      const written: Written[] = [];
      const reads: Read[] = [];
      let isOver = false;
      const read = async () => {
        while (!isOver) {
          const start = performance.now();
          const version = await kv.get<number>(key) ?? 0;
          reads.push({ version, start });
          await pause(Math.random() * 4);
        }
      };
      const readers = [read(), read()];
      for (let version = 1; version <= WRITES; version++) {
        await writer.set(key, version);
        written.push({ version, end: performance.now() });
        await pause(Math.random() * 16);
      }
      isOver = true;
      await Promise.all(readers);
      return reads.filter(({ version, start }) =>
        written.some((write) =>
          write.version > version && write.end < start - allowed
        )
      ).length;
    }),
  );
  return counts.reduce((sum, count) => sum + count);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
