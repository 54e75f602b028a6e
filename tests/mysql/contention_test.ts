// Many writers on the same MySQL rows.
import { assertEquals } from "@std/assert";
import type { KvKey } from "../../kv/store.ts";
import { type ClientOptions, testOnMysql, url } from "./clients.ts";
import { increment } from "../support/programs/increment.ts";
import { runPrograms } from "../support/programs.ts";

testOnMysql(
  "three processes increment a counter 300 times each: 900",
  async ({ tableName, store }) => {
    await runPrograms(3, "mysql_counter.ts", [url, tableName, "300"]);
    assertEquals(await store.get(["counter"]), 900);
  },
);

testOnMysql(
  "one of 50 creators of a key wins, and none fails",
  async ({ connect, table, sql }) => {
    const stores = Array.from({ length: 5 }, () => connect());
    for (let round = 0; round < 10; round++) {
      const key: KvKey = ["round", `${round}`];
      if (round % 2 === 1) {
        await stores[0]!.set(key, "old", { ttl: 60_000 });
        await sql(`UPDATE ${table} SET expires = 1, due = 1`);
      }
      const answers = await Promise.all(
        Array.from(
          { length: 50 },
          (_, i) => stores[i % 5]!.cas(key, undefined, i),
        ),
      );
      assertEquals(answers.filter(Boolean).length, 1);
      assertEquals(await stores[0]!.get(key), answers.indexOf(true));
    }
  },
);

testOnMysql(
  "256 swaps of one tick tell for each key whether it was made",
  async ({ connect }) => {
    const store = connect();
    const keys = Array.from({ length: 256 }, (_, i): KvKey => [`${i}`]);
    const all = (made: (i: number) => boolean) => keys.map((_, i) => made(i));
    const swap = (expected: (i: number) => unknown, value: unknown) =>
      Promise.all(keys.map((key, i) => store.cas(key, expected(i), value)));
    assertEquals(await swap(() => undefined, 1), all(() => true));
    assertEquals(await swap(() => undefined, 2), all(() => false));
    await Promise.all(
      keys.filter((_, i) => i % 3 === 0).map((key) => store.delete(key)),
    );
    assertEquals(await swap(() => undefined, 1), all((i) => i % 3 === 0));
    assertEquals(
      await swap((i) => i % 7 === 0 ? 0 : 1, 2),
      all((i) => i % 7 !== 0),
    );
    assertEquals(
      await Promise.all(keys.map((key) => store.get(key))),
      keys.map((_, i) => i % 7 === 0 ? 1 : 2),
    );
    assertEquals(await swap(() => 2, 2), all((i) => i % 7 !== 0));
    assertEquals(await swap(() => 2, undefined), all((i) => i % 7 !== 0));
  },
);

const batches: [string, ClientOptions][] = [
  ["READ COMMITTED", { connectionLimit: 3 }],
  ["REPEATABLE READ", { connectionLimit: 3, flags: ["-FOUND_ROWS"] }],
  ["SERIALIZABLE", { connectionLimit: 3 }],
];

for (const [isolation, options] of batches) {
  testOnMysql(
    `batches of several stores on the same keys never fail (${isolation})`,
    async ({ connect }) => {
      const parts = Array.from({ length: 60 }, (_, i) => `${i * 7919 % 60}`);
      const setUp = [`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`];
      await Promise.all(Array.from({ length: 4 }, async (_, i) => {
        const store = connect({ ...options, setUp });
        for (let round = 0; round < 15; round++) {
          const shuffled = parts.toSorted(() => Math.random() - 0.5);
          await Promise.all(shuffled.map((part, j) => {
            const key: KvKey = [part];
            if (j % 5 === 0) return store.delete(key);
            if (j % 5 === 1) return store.cas(key, undefined, i);
            if (j % 5 === 2) return store.cas(key, i, i + 1);
            if (j % 5 === 3) return store.cas(key, i, undefined);
            return store.set(key, i, { ttl: 1 + j });
          }));
        }
        await increment(store, 20);
      }));
      assertEquals(await connect().get(["counter"]), 80);
    },
  );
}

testOnMysql(
  "a deadlock that others cause is retried and not reported",
  async ({ connect, open, table, sql }) => {
    const store = connect({ connectionLimit: 2 });
    await Promise.all(["a", "b"].map((key) => store.set([key], 0)));
    const other = await open({ connectionLimit: 1 }).promise().getConnection();
    // Whoever wrote less is the victim: the store.
    await other.query("START TRANSACTION");
    await other.query(`INSERT INTO ${table} (\`key\`, value) VALUES
      ('x', 1), ('y', 1), ('z', 1)`);
    await other.query(`UPDATE ${table} SET value = '2' WHERE \`key\` = 'b'`);
    const writes = Promise.all(["a", "b"].map((key) => store.set([key], 1)));
    let waiting: number;
    do {
      const [row] = await sql(
        "SELECT COUNT(*) AS n FROM information_schema.innodb_trx " +
          "WHERE trx_state = 'LOCK WAIT'",
      );
      waiting = row.n;
    } while (waiting === 0);
    await other.query(`UPDATE ${table} SET value = '2' WHERE \`key\` = 'a'`);
    await other.query("COMMIT");
    other.release();
    await writes;
    assertEquals(await store.get(["a"]), 1);
    assertEquals(await store.get(["b"]), 1);
  },
);
