// Many writers on the same PostgreSQL rows.
import { assert, assertEquals } from "@std/assert";
import type { KvKey } from "../../kv/store.ts";
import { testOnPostgres, withTable } from "./clients.ts";
import { increment } from "../support/programs/increment.ts";
import { startPostgres, unstartable } from "../../servers/mod.ts";

const reason = await unstartable("postgres");
const sentence = "batches of several stores on the same keys never deadlock";

Deno.test({
  name: reason === undefined ? sentence : `${sentence} (${reason})`,
  ignore: reason !== undefined,
  async fn() {
    await using server = await startPostgres({
      settings: { deadlock_timeout: "5ms", fsync: "off" },
    });
    await withTable(server.url, async ({ connect, sql }) => {
      const parts = Array.from(
        { length: 60 },
        (_, i) => String.fromCodePoint([0x41, 0xe000, 0x1f600][i % 3]! + i),
      );
      const shuffled = () => parts.toSorted(() => Math.random() - 0.5);
      await Promise.all(Array.from({ length: 4 }, async (_, i) => {
        const store = connect({ max: 3 });
        for (let round = 0; round < 60; round++) {
          await Promise.all(
            shuffled().map((part, j) => {
              const key: KvKey = [part];
              if (j % 5 === 0) return store.delete(key);
              if (j % 5 === 1) return store.cas(key, undefined, i);
              if (j % 5 === 2) return store.cas(key, i, i + 1);
              if (j % 5 === 3) return store.cas(key, i, undefined);
              return store.set(key, i, { ttl: 1 + j });
            }),
          );
        }
      }));
      await sql`SELECT pg_stat_clear_snapshot()`;
      const [row] = await sql`SELECT sum(deadlocks)::int AS n
        FROM pg_stat_database`;
      assertEquals(row!["n"], 0);
    });
  },
});

testOnPostgres(
  "a deadlock that others cause is repeated, not told",
  async ({ sql, connect, tableName }) => {
    // Who waits this long is the victim: the store, if the test is faster.
    const store = connect({ connection: { deadlock_timeout: 2_000 } });
    await Promise.all(["a", "b"].map((key) => store.set([key], 0)));
    const { promise: writes, resolve } = Promise.withResolvers<unknown>();
    await sql.begin(async (sql) => {
      await sql`SET LOCAL deadlock_timeout = '1min'`;
      await sql`SELECT FROM ${sql(tableName)} WHERE key = 'b' FOR UPDATE`;
      resolve(Promise.all(["a", "b"].map((key) => store.set([key], 1))));
      let waiting;
      do {
        [waiting] = await sql`SELECT FROM pg_locks
        WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`;
      } while (waiting === undefined);
      await sql`UPDATE ${sql(tableName)} SET value = '2' WHERE key = 'a'`;
    });
    await writes;
    // Whether the other transaction wrote before or after the repeated call.
    assert([1, 2].includes((await store.get(["a"]))!));
    assertEquals(await store.get(["b"]), 1);
  },
);

for (const isolation of ["repeatable read", "serializable"] as const) {
  testOnPostgres(
    `no increment is lost or refused where transactions are ${isolation}`,
    async ({ connect }) => {
      const connection = { default_transaction_isolation: isolation };
      const stores = Array.from({ length: 4 }, () => connect({ connection }));
      await Promise.all(stores.map((store) => increment(store, 25)));
      assertEquals(await stores[0]!.get(["counter"]), 100);
      await Promise.all(stores.map(async (store, i) => {
        for (let round = 0; round < 10; round++) {
          const keys = Array.from({ length: 20 }, (_, j): KvKey => [`${j}`]);
          await Promise.all(keys.map((key) => store.set(key, i)));
          await Promise.all(keys.map((key) => store.cas(key, i, i)));
          await Promise.all(keys.map((key) => store.delete(key)));
        }
      }));
      assert(await stores[0]!.get(["0"]) === undefined);
    },
  );
}
