// Calls on pg settle, and say what is known, while connections break.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { KvError } from "../../kv/errors.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import type { KvKey } from "../../kv/store.ts";
import { startPostgres } from "../../servers/mod.ts";
import { type Cut, FaultProxy } from "../../testing/fault_proxy.ts";
import { testOnPostgres } from "./clients.ts";
import { openClient, openPool } from "./pg.ts";

const CALLS = Number(Deno.env.get("KV_TEST_CALLS") ?? 2_000);

/** How long a call may take: far longer than any of them does. */
const DEADLINE = 20_000;

/** What became of a call: its value, or the name of its error. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error("the call hangs")),
    DEADLINE,
  );
  try {
    return await Promise.race([late.promise, call]);
  } catch (error) {
    assertInstanceOf(error, KvError);
    return error.name;
  } finally {
    clearTimeout(timer);
  }
}

for (const max of [1, 4]) {
  testOnPostgres(
    `every call on a pool of pg settles while backends are terminated (max: ${max})`,
    async ({ sql, tableName }) => {
      const name = `pg ${max} ${crypto.randomUUID()}`;
      const pool = openPool({ max, application_name: name });
      const store = new PostgresKvStore(pool, { tableName });
      await store.set(["warm", "up"], 1);
      let calls = 0;
      let failed = 0;
      let ended = 0;
      async function settle(call: Promise<unknown>): Promise<void> {
        const outcome = await outcomeOf(call);
        if (typeof outcome === "string") failed++;
      }
      const callers = Array.from({ length: 24 }, async (_, caller) => {
        for (let i = 0; calls < CALLS || failed === 0; i++) {
          calls += 4;
          const key: KvKey = ["k", `${caller % 12}`, `${i % 3}`];
          await Promise.all([
            settle(store.get(key)),
            settle(store.set(key, i)),
            settle(store.get(["k", `${(caller + 1) % 12}`, "0"])),
            settle(store.cas(key, i, i + 1)),
          ]);
        }
      });
      let running = true;
      const terminating = (async () => {
        while (running) {
          const rows = await sql`SELECT pg_terminate_backend(pid)
            FROM pg_stat_activity WHERE application_name = ${name}`;
          ended += rows.length;
          await new Promise((resolve) =>
            setTimeout(resolve, 20 + Math.random() * 60)
          );
        }
      })();
      await Promise.all(callers);
      running = false;
      await terminating;
      assert(ended > 0 && failed > 0, "no connection was in use");
      for (let i = 0; i < 2 * max; i++) await settle(store.get(["k"]));
      await store.set(["after"], max);
      assertEquals(await store.get(["after"]), max);
      await pool.end();
    },
  );
}

testOnPostgres(
  "a client of pg whose connection was terminated rejects each call at once",
  async ({ sql, tableName }) => {
    const name = `pg client ${crypto.randomUUID()}`;
    const client = await openClient({ application_name: name });
    const store = new PostgresKvStore(client, { tableName });
    await store.set(["a"], 1);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    client.once("end", resolve);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = ${name}`;
    await ended;
    assertEquals(
      await Promise.all([
        outcomeOf(store.get(["a"])),
        outcomeOf(store.set(["a"], 2)),
        outcomeOf(store.cas(["b"], undefined, 2)),
      ]),
      ["KvError", "KvError", "KvError"],
    );
    await client.end();
  },
);

testOnPostgres(
  "cas() never answers wrong when the connection of a pool of pg is cut",
  async () => {
    await using server = await startPostgres({ settings: { fsync: "off" } });
    await using proxy = await FaultProxy.start(server.port);
    const pool = openPool({ max: 1 }, server.urlAt(proxy.port));
    const direct = openPool({ max: 1 }, server.url);
    const store = new PostgresKvStore(pool);
    const peer = new PostgresKvStore(direct);
    const key: KvKey = ["a"];
    let current = 0;
    await store.set(key, current);
    const seen: Record<string, number> = {};
    for (let round = 0; proxy.cuts < 200; round++) {
      // Every other time, the connection is ready for the statement.
      if (round % 2 === 0) await outcomeOf(store.cas(key, -1, -2));
      const cut: Cut = round % 3 === 0 ? "request" : "answer";
      proxy.next = cut;
      const outcome = await outcomeOf(store.cas(key, current, current + 1));
      proxy.next = "none";
      const value = await peer.get<number>(key);
      const made = value === current + 1;
      assert(made || value === current, `${value} is there`);
      assert(outcome !== false, "false, although the value was expected");
      if (outcome === true) assert(made, "true, but it was not made");
      if (outcome === "KvError") assert(!made, "an error, but it was made");
      seen[`${outcome}, ${made}`] = (seen[`${outcome}, ${made}`] ?? 0) + 1;
      current = value!;
    }
    assert(seen["KvOutcomeUnknownError, true"]! > 0, Deno.inspect(seen));
    assert(seen["KvOutcomeUnknownError, false"]! > 0, Deno.inspect(seen));
    await Promise.all([pool.end(), direct.end()]);
  },
);

testOnPostgres(
  "a pool of pg goes on after its server was killed and restarted",
  async () => {
    await using server = await startPostgres();
    const pool = openPool({ max: 4 }, server.url);
    const store = new PostgresKvStore(pool);
    await store.set(["a"], 1);
    const keys = Array.from({ length: 300 }, (_, i): KvKey => [`${i}`]);
    const setAll = () =>
      Promise.all(keys.map((key) => outcomeOf(store.set(key, 2))));
    assertEquals(new Set(await setAll()), new Set([undefined]));
    const underFire = setAll();
    await server.kill();
    const outcomes = new Set(await underFire);
    const known = [undefined, "KvError", "KvOutcomeUnknownError"];
    for (const outcome of outcomes) assert(known.includes(outcome as string));
    await outcomeOf(store.get(["a"]));
    assertEquals(new Set(await setAll()), new Set(["KvError"]));
    await server.restart();
    assertEquals(await store.get(["a"]), 1);
    assertEquals(new Set(await setAll()), new Set([undefined]));
    await pool.end();
  },
);
