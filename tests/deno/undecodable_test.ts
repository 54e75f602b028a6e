// Values that the client of Deno KV cannot decode, as another V8 may write them.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { DenoKvStore } from "../../kv/deno.ts";
import { KvCorruptionError } from "../../kv/errors.ts";
import type { KvKey } from "../../kv/store.ts";
import { DatabaseFile } from "./databases.ts";

const keys = Array.from(
  { length: 40 },
  (_, i): KvKey => ["a", `${i}`.padStart(2, "0")],
);

/** Stores 40 entries, and makes the value of one of them undecodable. */
async function openDamaged(file: DatabaseFile, damaged: number) {
  const db = await file.open();
  const kv = new DenoKvStore(db);
  await Promise.all(keys.map((key) => kv.set(key, { text: key[1] })));
  const raw = new DatabaseSync(file.path);
  raw.exec("PRAGMA busy_timeout = 60000");
  const { changes } = raw.prepare("UPDATE kv SET v = x'ff7f' WHERE k = ?").run(
    new TextEncoder().encode(`\x02a\x00\x02${keys[damaged]![1]}\x00`),
  );
  raw.close();
  assertEquals(changes, 1);
  return { db, kv };
}

for (const damaged of [0, 20, 39]) {
  Deno.test(`value ${damaged} of 40 cannot be decoded, and the others can`, async () => {
    using file = new DatabaseFile();
    const { kv } = await openDamaged(file, damaged);
    const results = await Promise.allSettled(keys.map((key) => kv.get(key)));
    for (const [i, result] of results.entries()) {
      if (i !== damaged) {
        assert(result.status === "fulfilled");
        assertEquals(result.value, { text: keys[i]![1] });
      } else {
        assert(result.status === "rejected");
        assert(result.reason instanceof KvCorruptionError);
        const expected = `Cannot get ${JSON.stringify(keys[i])}: `;
        assert(result.reason.message.startsWith(expected));
      }
    }
    for (const reverse of [false, true]) {
      const seen: KvKey[] = [];
      await assertRejects(async () => {
        for await (const { key } of kv.list(["a"], { reverse })) seen.push(key);
      }, KvCorruptionError);
      const expected = reverse
        ? keys.slice(damaged + 1).reverse()
        : keys.slice(0, damaged);
      assertEquals(seen, expected);
      const rest = kv.list(["a"], { reverse, after: keys[damaged] });
      assertEquals(
        await Array.fromAsync(rest, ({ key }) => key),
        reverse ? keys.slice(0, damaged).reverse() : keys.slice(damaged + 1),
      );
    }
  });
}

Deno.test("a value that cannot be decoded can be overwritten and deleted", async () => {
  using file = new DatabaseFile();
  for (const next of ["small", "x".repeat(900_000), undefined]) {
    const { kv } = await openDamaged(file, 7);
    const key = keys[7]!;
    const swaps = await Promise.allSettled(
      keys.slice(0, 10).map((key) => kv.cas(key, { text: key[1] }, 1)),
    );
    for (const [i, swap] of swaps.entries()) {
      if (i !== 7) assertEquals(swap, { status: "fulfilled", value: true });
      else {
        assert(swap.status === "rejected");
        assert(swap.reason instanceof KvCorruptionError);
      }
    }
    await kv.set(key, next);
    assertEquals(await kv.get(key), next);
  }
});
