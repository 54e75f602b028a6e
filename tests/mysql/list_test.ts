// Listing MySQL: in reverse, after a key, without values, and what it reads.
import { assert, assertEquals } from "@std/assert";
import type { KvKey, KvListOptions } from "../../kv/store.ts";
import { MysqlKvStore } from "../../kv/mysql.ts";
import { numbersTo, testOnMysql } from "./clients.ts";

testOnMysql(
  "list() and keys() continue anywhere, in both directions",
  async ({ store }) => {
    const keys: KvKey[] = Array.from(
      { length: 300 },
      (_, i) => ["p", `${i}`.padStart(3, "0"), ...(i % 3 ? [] : ["x"])],
    );
    const long = Array.from(
      { length: 3 },
      (_, i): KvKey => ["p", "y".repeat(4_000) + i],
    );
    await Promise.all([...keys, ...long].map((key) => store.set(key, key)));
    await store.set(["o"], 1);
    await store.set(["q"], 1);
    const all = await Array.fromAsync(store.list(["p"]));
    assertEquals(all.slice(0, 300).map(({ key }) => key), keys);
    assertEquals(all.length, 303);
    const listed = (options: KvListOptions) =>
      Array.fromAsync(store.list(["p"], options));
    assertEquals(await listed({ reverse: true }), all.toReversed());
    for (const i of [0, 1, 63, 64, 65, 150, 298, 299, 300, 301, 302]) {
      const after = all[i]!.key;
      assertEquals(await listed({ after }), all.slice(i + 1));
      assertEquals(
        await listed({ after, reverse: true }),
        all.slice(0, i).toReversed(),
      );
    }
    assertEquals(await listed({ limit: 70 }), all.slice(0, 70));
    assertEquals(
      await Array.fromAsync(store.keys(["p"])),
      all.map(({ key }) => ({ key })),
    );
    assertEquals(await store.clear(["p"]), 303);
    assertEquals(await store.count(), 2);
  },
);

testOnMysql("list() reads each large value alone", async ({ store }) => {
  const sizes = [10, 200_000, 10, 10, 900_000, 20_000, 10];
  for (const [i, size] of sizes.entries()) {
    await store.set([`${i}`], "x".repeat(size));
  }
  for (const reverse of [false, true]) {
    const entries = await Array.fromAsync(store.list([], { reverse }));
    const lengths = entries.map(({ value }) => (value as string).length);
    assertEquals(reverse ? lengths.reverse() : lengths, sizes);
  }
});

testOnMysql("a page reads no more rows than it has", async (fixture) => {
  const { store, sql, table, tableName } = fixture;
  await store.set(["a"], 1);
  await sql(`INSERT INTO ${table} (\`key\`, value)
    SELECT CONCAT('b!', LPAD(seq, 6, '0')), '1' FROM ${numbersTo(20000)}`);
  const client = fixture.open({ connectionLimit: 1 }).promise();
  const other = new MysqlKvStore(client, { tableName });
  await other.get(["a"]);
  for (const reverse of [false, true]) {
    await client.query("FLUSH STATUS");
    const entries = await Array.fromAsync(
      other.list(["b"], { limit: 100, reverse }),
    );
    assertEquals(entries.length, 100);
    const [rows] = await client.query(
      "SHOW SESSION STATUS LIKE 'Handler_read%'",
    );
    const read = (rows as { Value: string }[])
      .reduce((sum, { Value }) => sum + Number(Value), 0);
    assert(read < 700, `${read} rows were read`);
  }
});
