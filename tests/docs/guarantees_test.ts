// The table of guarantees in docs/choose-a-store.md says what the stores say.
import { assert, assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { DatabaseSync } from "node:sqlite";
import { createPool } from "mysql2";
import postgres from "postgres";
import { DenoKvStore } from "../../kv/deno.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import { MysqlKvStore } from "../../kv/mysql.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvStoreTraits } from "../../kv/store.ts";
import { unsanitized } from "../support/worker/suite.ts";
import { Workerd } from "../support/worker/workerd.ts";

const SHARED = {
  process: "one process",
  machine: "processes of a machine",
  network: "a network",
};

function bytes(count: number): string {
  if (count === Infinity) return "any";
  return count % 2 ** 20 === 0 ? `${count / 2 ** 20} MiB` : `${count / 1e9} GB`;
}

function row(name: string, traits: KvStoreTraits): string {
  const reasons = Object.values(traits.without);
  return [
    `\`${name}\``,
    traits.persistent ? "yes" : "no",
    SHARED[traits.shared],
    bytes(traits.maxValueBytes),
    "cas" in traits.without ? "no" : "yes",
    reasons.length > 0 ? reasons.join(". ") + "." : "–",
  ].join(" | ");
}

Deno.test({
  ...unsanitized,
  name: "the table of guarantees says what the traits of every store say",
  fn: checkTable,
});

async function checkTable(): Promise<void> {
  const db = new DatabaseSync(":memory:");
  const kv = await Deno.openKv(":memory:");
  const redis = new Redis({ lazyConnect: true });
  const sql = postgres(); // connects with the first query
  const pool = createPool({ host: "127.0.0.1" }); // as well
  await using worker = await Workerd.start("tests/support/worker/traits.ts", {
    objects: { OBJECTS: "KvStoreDurableObject" },
  });
  const traits: Record<string, KvStoreTraits> = await worker
    .fetch("http://worker/").then((response) => response.json());
  for (
    const store of [
      new MemoryKvStore(),
      new SqliteKvStore(db),
      new DenoKvStore(kv),
      new RedisKvStore(redis),
      new PostgresKvStore(sql),
      new MysqlKvStore(pool),
    ]
  ) traits[store.constructor.name] = store.traits;
  const guide = await Deno.readTextFile(
    new URL("../../docs/choose-a-store.md", import.meta.url),
  );
  const lines = guide.split("\n").map((line) =>
    line.split("|").map((cell) => cell.trim()).filter(Boolean).join(" | ")
  );
  for (const [name, its] of Object.entries(traits)) {
    const expected = row(name, its);
    assert(lines.includes(expected), `missing in the guide:\n${expected}`);
  }
  const rows = lines.filter((line) => /^`\w+KvStore` \| (yes|no) /.test(line));
  assertEquals(rows.length, Object.keys(traits).length);
  db.close();
  kv.close();
  redis.disconnect();
  await sql.end();
  await pool.promise().end();
}
