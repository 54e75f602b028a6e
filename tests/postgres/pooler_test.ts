// PgBouncer in transaction mode, where each transaction may get another server
// connection.

import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { PostgresKvStore } from "../../kv/postgres.ts";
import type { KvKey } from "../../kv/store.ts";
import {
  startPgBouncer,
  startPostgres,
  unstartable,
} from "../../servers/mod.ts";
import type { ClientOptions } from "./clients.ts";

const reason = await unstartable("postgres") ?? await unstartable("pgbouncer");

/** Every outcome of concurrent calls whose right answers are known. */
async function outcomesBehindPgBouncer(
  options: ClientOptions,
  timeout: number,
  rounds: number,
): Promise<Map<string, number>> {
  await using server = await startPostgres({ settings: { fsync: "off" } });
  await using pooler = await startPgBouncer(server, 3);
  const direct = postgres(server.url, { max: 1, fetch_types: false });
  const keys = Array.from({ length: 40 }, (_, i): KvKey => ["k", `${i}`]);
  const owner = new PostgresKvStore(direct);
  await Promise.all(keys.map((key) => owner.set(key, key[1])));
  const clients = Array.from(
    { length: 4 },
    () =>
      postgres(pooler.url, {
        max: 4,
        fetch_types: false,
        connect_timeout: 2,
        ...options,
      }),
  );
  const outcomes = new Map<string, number>();
  function note(outcome: string) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  async function check(name: string, call: Promise<unknown>, right: unknown) {
    try {
      const answer = await call;
      note(answer === right ? "right" : `wrong: ${name}: ${answer}`);
    } catch (error) {
      note(error instanceof Error ? error.message : String(error));
    }
  }
  await Promise.all(clients.map(async (client) => {
    const store = new PostgresKvStore(client, { timeout });
    for (let round = 0; round < rounds; round++) {
      await Promise.all(keys.map(async (key, i) => {
        // Calls of different ticks, so that they travel in several statements.
        for (let hop = 0; hop < i; hop++) await Promise.resolve();
        const value = key[1];
        if (i % 4 === 0) await check("get", store.get(key), value);
        if (i % 4 === 1) await check("cas", store.cas(key, value, value), true);
        if (i % 4 === 2) {
          await check("create", store.cas(key, undefined, 1), false);
        }
        if (i % 4 === 3) await check("set", store.set(key, value), undefined);
      }));
    }
  }));
  assertEquals(
    await Promise.all(keys.map((key) => owner.get(key))),
    keys.map((key) => key[1]),
  );
  await Promise.all([direct, ...clients].map((it) => it.end({ timeout: 0 })));
  return outcomes;
}

function testBehindPgBouncer(
  sentence: string,
  options: ClientOptions,
  timeout: number,
  rounds: number,
  verify: (outcomes: Map<string, number>) => void,
): void {
  Deno.test({
    name: reason === undefined ? sentence : `${sentence} (${reason})`,
    ignore: reason !== undefined,
    async fn() {
      verify(await outcomesBehindPgBouncer(options, timeout, rounds));
    },
  });
}

testBehindPgBouncer(
  "behind PgBouncer, every call is right with prepare: false",
  { prepare: false },
  60_000,
  25,
  (outcomes) => assertEquals([...outcomes.keys()], ["right"]),
);

testBehindPgBouncer(
  "behind PgBouncer with prepared statements, no answer is wrong",
  {},
  2_000,
  6,
  (outcomes) => {
    const names = [...outcomes.keys()];
    assertEquals(names.filter((name) => name.startsWith("wrong")), []);
    assert(
      names.some((name) => name.includes("prepare: false")),
      Deno.inspect(outcomes),
    );
  },
);
