// Migrates 10,000 entries of Fedify's Workers KV store, ended and resumed.
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { fedifyWorkersKv, migrate } from "../../migrate/mod.ts";
import {
  assertHas,
  entries,
  type Entry,
  type Expected,
  inTurns,
} from "../../tests/migrate/entries.ts";
import { Workerd } from "../../tests/support/worker/workerd.ts";

/**
 * Migrates from a namespace of workerd, whose process cannot outlive this one:
 * each migration but the last is ended by a signal.
 *
 * @param count How many entries there are.
 * @param ends How many migrations are ended.
 */
export async function proveWorkers(count: number, ends: number): Promise<void> {
  await using worker = await Workerd.start(
    "tests/support/worker/conformance.ts",
    { objects: { OBJECTS: "KvStoreDurableObject" } },
  );
  const namespace = await worker.kv;
  const expected: Expected = new Map();
  const put = async ({ key, value, ttl }: Entry) => {
    const name = JSON.stringify(key);
    const milliseconds = ttl?.total("milliseconds");
    const expires = milliseconds && Date.now() + milliseconds;
    const end = expires === undefined ? {} : { expires };
    await namespace.put(
      name,
      JSON.stringify(value),
      milliseconds === undefined
        ? {}
        : { expirationTtl: Math.ceil(milliseconds / 1000), metadata: end },
    );
    expected.set(name, { value, ...end });
  };
  // The proxy of Miniflare breaks with many requests at once.
  await inTurns(entries(["\0"], count), put, 8);
  const dump = async () => {
    const hash = createHash("sha256");
    let cursor: string | undefined;
    do {
      const page = await namespace.list({
        prefix: "",
        ...cursor ? { cursor } : {},
      });
      for (const each of page.keys) hash.update(JSON.stringify(each));
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor !== undefined);
    return hash.digest("hex");
  };
  const before = await dump();
  using db = new DatabaseSync(":memory:");
  const kv = new SqliteKvStore(db);
  const source = fedifyWorkersKv({
    getWithMetadata: namespace.getWithMetadata.bind(namespace),
    list: namespace.list.bind(namespace),
  } as never);
  let after: string | undefined;
  for (let i = 1; i <= ends; i++) {
    const end = new AbortController();
    await migrate(source, kv, {
      ...after === undefined ? {} : { after },
      onCheckpoint: (cursor) => void (after = cursor),
      onProgress({ read }) {
        if (read > expected.size / (ends + 1)) end.abort();
      },
      signal: end.signal,
    }).catch((error) => assertEquals(error, end.signal.reason));
  }
  const summary = await migrate(source, kv, { verify: true });
  assertEquals(summary.different, []);
  await assertHas(kv, expected, 1);
  assertEquals(await dump(), before, "the source has changed");
  console.log(
    `Workers KV (by its encoding) → SQLite: ${expected.size} entries, ended ` +
      `${ends} times; all equal`,
  );
}
