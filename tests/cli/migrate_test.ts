/** What `kv migrate` prints, writes and returns. */

import { assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { main } from "../../cli/main.ts";
import { openKv } from "../../open/mod.ts";

async function kv(...args: string[]) {
  let out = "";
  let err = "";
  const code = await main(args, {
    write: (text) => out += text,
    writeError: (text) => err += text,
    isTerminal: false,
    env: {},
  });
  return { code, out, err };
}

/** A database in Fedify's layout, and a path for another one. */
async function withFedify(
  run: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const db = new DatabaseSync(`${folder}/fedify.db`);
    db.exec(`
      CREATE TABLE bot (
        key TEXT PRIMARY KEY, value TEXT NOT NULL,
        created INTEGER, expires INTEGER
      );
      INSERT INTO bot (key, value, created, expires) VALUES
        ('["_botkit","keyPairs"]', '[{"a":1}]', 0, NULL),
        ('["_fedify","publicKey","x"]', 'null', 0, 9999999999999),
        ('["_fedify","publicKey","y"]', '1', 0, 1),
        ('["_fedify","remoteDocument","z"]', '1', 0, NULL),
        ('["damaged"]', '{', 0, NULL)`);
    db.close();
    await run(`sqlite:${folder}/fedify.db`, `sqlite:${folder}/kv.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("kv migrate copies Fedify's entries, and prints counts by prefix", async () => {
  await withFedify(async (from, to) => {
    const args = ["migrate", from, to, "--source-table", "bot"];
    const exclude = ["--exclude", '["_fedify","remoteDocument"]'];
    const dryRun = await kv(...args, ...exclude, "--dry-run");
    assertEquals(dryRun.code, 0);
    assertMatch(
      dryRun.out,
      /^read +to write +expired +kept +skipped +prefix\n/,
    );
    const { code, out, err } = await kv(...args, ...exclude, "--verify");
    assertEquals(code, 0);
    assertEquals(err, "skipped: damaged: its value is not JSON\n");
    assertEquals(
      out.split("\n").map((line) => line.replaceAll(/ +/g, " ")),
      [
        "read written expired kept skipped prefix",
        "1 0 0 0 1 (no prefix)",
        "1 1 0 0 0 _botkit",
        "2 1 1 0 0 _fedify publicKey",
        "4 2 1 0 1 total",
        "",
      ],
    );
    await using store = await openKv(to);
    assertEquals(await store.get(["_botkit", "keyPairs"]), [{ a: 1 }]);
    assertEquals(await store.get(["_fedify", "publicKey", "x"]), null);
    assertEquals(await store.count(), 2);
    const again = await kv(...args, "--prefix", "_fedify", "--json");
    const summary = JSON.parse(again.out);
    assertEquals([summary.written, summary.kept], [1, 1]);
  });
});

Deno.test("kv migrate reports conflicts, damaged entries and wrong arguments", async () => {
  await withFedify(async (from, to) => {
    const args = ["migrate", from, to, "--source-table", "bot"];
    {
      await using store = await openKv(to);
      await store.set(["_botkit", "keyPairs"], "other");
    }
    const conflict = await kv(...args);
    assertEquals(conflict.code, 1);
    assertMatch(conflict.err, /the target has another value under this key/);
    const kept = await kv(...args, "--on-conflict", "keep", "--verify");
    assertEquals(kept.code, 1);
    assertMatch(kept.err, /different \(value\): _botkit keyPairs\n/);
    const damaged = await kv(
      ...args,
      "--on-damaged",
      "fail",
      "--prefix",
      "damaged",
    );
    assertEquals(damaged.code, 1);
    assertMatch(damaged.err, /Cannot migrate \["damaged"\]: its value is not/);
    const table = await kv("migrate", from, to);
    assertEquals(table.code, 1);
    assertMatch(table.err, /no such table: fedify_kv/);
    assertEquals((await kv("migrate", `${from}x`, to)).code, 1);
    assertEquals((await kv("migrate", "ftp://host", to)).code, 2);
    assertEquals((await kv(...args, "--on-conflict", "merge")).code, 2);
  });
});
