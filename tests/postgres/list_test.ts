// How PostgreSQL tables are listed.
import { assert, assertEquals } from "@std/assert";
import type { KvKey } from "../../kv/store.ts";
import { testOnPostgres, url, withTable } from "./clients.ts";

testOnPostgres(
  "list() reads pages, small ones of large values",
  async ({ observe }) => {
    const { store, sent } = observe();
    const keys = Array.from(
      { length: 3_000 },
      (_, i): KvKey => ["small", String(i).padStart(4, "0")],
    );
    await Promise.all(keys.map((key) => store.set(key, 1)));
    sent.length = 0;
    assertEquals(
      (await Array.fromAsync(store.list(["small"]))).map(({ key }) => key),
      keys,
    );
    assertEquals(sent.map(({ rows }) => rows), [250, 1_000, 1_000, 750]);

    const large = "x".repeat(300_000);
    for (let i = 100; i < 220; i++) await store.set(["large", `${i}`], large);
    sent.length = 0;
    assertEquals((await Array.fromAsync(store.list(["large"]))).length, 120);
    assertEquals(sent.map(({ rows }) => rows), [4, ...Array(38).fill(3), 2, 0]);
  },
);

testOnPostgres(
  "a page of list() and keys() holds 1 MiB and one entry, long keys included",
  async ({ observe }) => {
    const { store, sent } = observe();
    const keys = Array.from({ length: 400 }, (_, i): KvKey => {
      const part = `${i}`.padStart(3, "0");
      return i < 100 ? ["k", part] : ["k", part, "x".repeat(8_180)];
    });
    await Promise.all(keys.map((key) => store.set(key, 1)));
    for (const reverse of [false, true]) {
      for (const method of ["list", "keys"] as const) {
        sent.length = 0;
        const listed = store[method](["k"], { reverse });
        const found = (await Array.fromAsync<{ key: KvKey }>(listed))
          .map(({ key }) => key);
        assertEquals(reverse ? found.reverse() : found, keys);
        const most = (reverse ? 0 : 100) + Math.ceil(1_048_576 / 8_180);
        assert(sent.every(({ rows }) => rows! <= most), Deno.inspect(sent));
      }
    }
  },
);

testOnPostgres(
  "calls work during a listing, with a pool of one",
  async ({ connect }) => {
    const store = connect({ max: 1 });
    for (let i = 0; i < 250; i++) await store.set(["k", `${i}`], i);
    const lists = [];
    for await (const { key, value } of store.list(["k"])) {
      assertEquals(await store.get(key), value);
      await store.set(key, "seen");
      lists.push(store.list(["k"])[Symbol.asyncIterator]());
      await lists.at(-1)!.next();
      if (lists.length === 120) break;
    }
    assertEquals(await store.get(["k", "249"]), 249);
  },
);

testOnPostgres(
  "list() is in key order whatever the database's collation",
  async ({ sql }) => {
    const database = `kv_${crypto.randomUUID().replaceAll("-", "")}`;
    await sql.unsafe(
      `CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'UTF8'
       LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'`,
    );
    try {
      const other = new URL(url);
      other.pathname = database;
      await withTable(other.href, async ({ sql, store }) => {
        const [row] = await sql`SELECT 'a' < 'B' AS english`;
        assertEquals(row!["english"], true);
        const parts = ["B", "Z", "_", "a", "ab", "z", "ä", "\uFFFD", "😀"];
        await Promise.all(
          parts.toReversed().map((part) => store.set([part], 1)),
        );
        assertEquals(
          (await Array.fromAsync(store.list())).map(({ key: [part] }) => part),
          parts,
        );
      });
    } finally {
      await sql.unsafe(`DROP DATABASE ${database}`);
    }
  },
);
