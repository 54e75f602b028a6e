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
import { openPool } from "./pg.ts";

const reason = await unstartable("postgres") ?? await unstartable("pgbouncer");

/** A store on one of several clients of a pooler, and what closes the client. */
interface Opened {
  readonly store: PostgresKvStore;
  close(): Promise<void>;
}

/** What a test behind PgBouncer is about. */
interface Situation {
  readonly mode?: "transaction" | "session";
  readonly timeout: number;
  readonly rounds: number;
  open(url: string, timeout: number): Opened;
}

/** Every outcome of concurrent calls whose right answers are known. */
async function outcomesBehindPgBouncer(
  { mode, timeout, rounds, open }: Situation,
): Promise<Map<string, number>> {
  await using server = await startPostgres({ settings: { fsync: "off" } });
  // In session mode, each connection of a client needs one to the server.
  await using pooler = await startPgBouncer(
    server,
    mode === "session" ? 16 : 3,
    mode,
  );
  const direct = postgres(server.url, { max: 1, fetch_types: false });
  const keys = Array.from({ length: 40 }, (_, i): KvKey => ["k", `${i}`]);
  const owner = new PostgresKvStore(direct);
  await Promise.all(keys.map((key) => owner.set(key, key[1])));
  const clients = Array.from({ length: 4 }, () => open(pooler.url, timeout));
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
  await Promise.all(clients.map(async ({ store }) => {
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
  await Promise.all(clients.map(({ close }) => close()));
  await direct.end({ timeout: 0 });
  return outcomes;
}

/** Opens clients of postgres.js. */
function postgresJs(options: ClientOptions): Situation["open"] {
  return (url, timeout) => {
    const sql = postgres(url, {
      max: 4,
      fetch_types: false,
      connect_timeout: 2,
      ...options,
    });
    return {
      store: new PostgresKvStore(sql, { timeout }),
      close: () => sql.end({ timeout: 0 }),
    };
  };
}

/** Opens pools of pg. */
function pg(prepare: boolean): Situation["open"] {
  return (url, timeout) => {
    const pool = openPool({ max: 4 }, url);
    return {
      store: new PostgresKvStore(pool, { timeout, prepare }),
      close: () => pool.end(),
    };
  };
}

function testBehindPgBouncer(
  sentence: string,
  situation: Situation,
  verify: (outcomes: Map<string, number>) => void,
): void {
  Deno.test({
    name: reason === undefined ? sentence : `${sentence} (${reason})`,
    ignore: reason !== undefined,
    async fn() {
      verify(await outcomesBehindPgBouncer(situation));
    },
  });
}

function allRight(outcomes: Map<string, number>): void {
  assertEquals([...outcomes.keys()], ["right"]);
}

for (
  const [name, transaction, session] of [
    ["postgres.js", postgresJs({ prepare: false }), postgresJs({})],
    ["pg", pg(false), pg(true)],
  ] as const
) {
  testBehindPgBouncer(
    `behind PgBouncer, every call is right with prepare: false (${name})`,
    { timeout: 60_000, rounds: 15, open: transaction },
    allRight,
  );

  testBehindPgBouncer(
    `behind PgBouncer in session mode, every call is right (${name})`,
    { mode: "session", timeout: 60_000, rounds: 5, open: session },
    allRight,
  );
}

for (
  const [name, open] of [
    ["postgres.js", postgresJs({})],
    ["pg", pg(true)],
  ] as const
) {
  testBehindPgBouncer(
    `behind PgBouncer with prepared statements, no answer is wrong (${name})`,
    { timeout: 2_000, rounds: 6, open },
    (outcomes) => {
      const names = [...outcomes.keys()];
      assertEquals(names.filter((name) => name.startsWith("wrong")), []);
      assert(
        names.some((name) => name.includes("prepare: false")),
        Deno.inspect(outcomes),
      );
    },
  );
}
