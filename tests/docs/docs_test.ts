// The links and the guarantees table of the documentation are correct.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Redis } from "ioredis";
import { DatabaseSync } from "node:sqlite";
import postgres from "postgres";
import { DenoKvStore } from "../../kv/deno.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvStoreTraits } from "../../kv/store.ts";
import { type WorkersKvNamespace, WorkersKvStore } from "../../kv/workers.ts";

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

Deno.test("the table of guarantees says what the traits say", async () => {
  const db = new DatabaseSync(":memory:");
  const kv = await Deno.openKv(":memory:");
  const redis = new Redis({ lazyConnect: true });
  const sql = postgres(); // connects when it is first asked
  const namespace = { getWithMetadata() {} } as unknown as WorkersKvNamespace;
  const stores = [
    new MemoryKvStore(),
    new SqliteKvStore(db),
    new DenoKvStore(kv),
    new RedisKvStore(redis),
    new PostgresKvStore(sql),
    new WorkersKvStore(namespace),
  ];
  const guide = await Deno.readTextFile(
    new URL("../../docs/choose-a-store.md", import.meta.url),
  );
  const lines = guide.split("\n").map((line) =>
    line.split("|").map((cell) => cell.trim()).filter(Boolean).join(" | ")
  );
  for (const store of stores) {
    const expected = row(store.constructor.name, store.traits);
    assert(lines.includes(expected), `missing in the guide:\n${expected}`);
  }
  db.close();
  kv.close();
  redis.disconnect();
  await sql.end();
});

Deno.test("the links between the documents lead somewhere", async () => {
  const root = new URL("../../", import.meta.url);
  const documents = ["README.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) documents.push(`docs/${name}`);
  }
  for (const document of documents) {
    const base = new URL(document, root);
    const text = await Deno.readTextFile(base);
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      const found = await Deno.stat(new URL(target!, base)).then(
        () => true,
        () => false,
      );
      assertEquals([document, target, found], [document, target, true]);
    }
  }
});

Deno.test("the charts take at most 150 KB together", async () => {
  const folder = new URL("../../docs/images/", import.meta.url);
  let bytes = 0;
  for await (const { name } of Deno.readDir(folder)) {
    bytes += (await Deno.stat(new URL(name, folder))).size;
  }
  assertLessOrEqual(bytes, 150_000);
});
