// MySQL that is down, is killed, or loses an answer.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { MysqlKvStore } from "../../kv/mysql.ts";
import type { KvKey } from "../../kv/store.ts";
import { startMariadb, unstartable } from "../../servers/mod.ts";
import { type Cut, FaultProxy } from "../../testing/fault_proxy.ts";
import { poolOn, testOnMysql, url } from "./clients.ts";

/** The URL of the shared server through a proxy. */
function urlAt({ port }: FaultProxy): string {
  const through = new URL(url);
  through.port = `${port}`;
  return `${through}`;
}

/** A proxy in front of the shared server. */
function startProxy(): Promise<FaultProxy> {
  return FaultProxy.start(Number(new URL(url).port));
}

async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    assertInstanceOf(error, KvError);
    return error.name;
  }
}

for (const [name, width] of [["a single call", 1], ["a batch", 5]] as const) {
  testOnMysql(
    `cas() never answers wrong when its connection is cut (${name})`,
    async ({ tableName, connect }) => {
      await using proxy = await startProxy();
      const pool = poolOn(urlAt(proxy), { connectionLimit: 1 });
      const store = new MysqlKvStore(pool, { tableName });
      const peer = connect({ connectionLimit: 1 });
      const keys = Array.from({ length: width }, (_, i): KvKey => [`${i}`]);
      await Promise.all(keys.map((key) => store.set(key, 0)));
      const current = keys.map(() => 0);
      const seen: Record<string, number> = {};
      for (let round = 0; proxy.cuts < 150; round++) {
        // Every other time, the statement is prepared already.
        if (round % 2 === 0) {
          await Promise.allSettled(keys.map((key) => store.cas(key, -1, -2)));
        }
        const cut: Cut = round % 3 === 0 ? "request" : "answer";
        proxy.next = cut;
        const outcomes = await Promise.all(
          keys.map((key, i) =>
            outcomeOf(store.cas(key, current[i], current[i]! + 1))
          ),
        );
        proxy.next = "none";
        for (const [i, key] of keys.entries()) {
          const outcome = outcomes[i];
          const value = await peer.get<number>(key);
          const made = value === current[i]! + 1;
          assert(made || value === current[i], `${value} is there`);
          assert(outcome !== false, "false, although the value was expected");
          if (outcome === true) assert(made, "true, but it was not made");
          if (outcome === "KvError") assert(!made, "an error, but it was made");
          seen[`${outcome}, ${made}`] = (seen[`${outcome}, ${made}`] ?? 0) + 1;
          current[i] = value!;
        }
      }
      assert(seen["KvOutcomeUnknownError, true"]! > 0, Deno.inspect(seen));
      assert(seen["KvOutcomeUnknownError, false"]! > 0, Deno.inspect(seen));
      await pool.promise().end();
    },
  );
}

testOnMysql("a read is repeated when its connection is cut", async (it) => {
  await using proxy = await startProxy();
  const pool = poolOn(urlAt(proxy), { connectionLimit: 1 });
  const store = new MysqlKvStore(pool, { tableName: it.tableName });
  await store.set(["a"], 1);
  for (const cut of ["request", "answer"] as const) {
    await store.get(["a"]);
    proxy.next = cut;
    assertEquals(await store.get(["a"]), 1);
    proxy.next = cut;
    assertEquals(await Array.fromAsync(store.list()), [{
      key: ["a"],
      value: 1,
    }]);
  }
  assertEquals(proxy.cuts, 4);
  await pool.promise().end();
});

Deno.test({
  name: "calls fail while the server is down and succeed after its restart",
  ignore: await unstartable("mariadb") !== undefined,
  async fn() {
    await using server = await startMariadb();
    const pool = poolOn(server.url);
    const store = new MysqlKvStore(pool);
    await store.set(["a"], 1);
    await server.kill();
    await assertRejects(() => store.get(["a"]), KvError);
    await assertRejects(() => store.set(["a"], 2), KvError);
    await server.restart();
    // The pool may notice only now that its connections are gone.
    await store.get(["a"]).catch(() => {});
    assertEquals(await store.get(["a"]), 1);
    assert(await store.cas(["a"], 1, 2));
    await pool.promise().end();
  },
});

testOnMysql("a silent server is a timeout and no endless wait", async (it) => {
  const { tableName, table, store: patient } = it;
  const pool = it.open({ connectionLimit: 4 });
  const store = new MysqlKvStore(pool, { tableName, timeout: 300 });
  // On a busy machine, even an answer may take longer than the timeout.
  const isThere = () =>
    store.get(["a"]).then((value) => value === 1, () => false);
  await patient.set(["a"], 1);
  while (!await isThere());
  const lock = await pool.promise().getConnection();
  await lock.query("BEGIN");
  await lock.query(`SELECT * FROM ${table} FOR UPDATE`);
  await assertRejects(
    () => store.set(["a"], 2),
    KvOutcomeUnknownError,
    "silent for 300 ms",
  );
  while (!await isThere());
  await lock.query("ROLLBACK");
  lock.release();
});
