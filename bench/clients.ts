/**
 * Compares the clients of a backend, and the store on each: `deno task
 * bench:clients [redis|postgres]`. Prints rates beside the bare client, and
 * beside the first client.
 *
 * @module
 */
import { Redis } from "ioredis";
import { Pool } from "pg";
import postgres from "postgres";
import { createClient } from "redis";
import { PostgresKvStore } from "../kv/postgres.ts";
import { RedisKvStore } from "../kv/redis.ts";
import { startPostgres, startRedis } from "../servers/mod.ts";
import { interleave } from "./interleave.ts";
import { keyOf, valueOf } from "./values.ts";

const ROUNDS = 9;
const MILLISECONDS = 300;
const KEYS = 1_000;

/** The few calls that are compared, by a client or by a store on it. */
interface Calls {
  get(i: number): Promise<unknown>;
  set(i: number, value: object): Promise<unknown>;
}

/** A client, bare and with a store on it. */
interface Compared {
  readonly name: string;
  readonly bare: Calls;
  readonly store: Calls;
  close(): unknown;
}

const keys = Array.from({ length: KEYS }, (_, i) => keyOf("clients", i));
const names = keys.map((key) => key.join(" "));

function callsOf(store: RedisKvStore | PostgresKvStore): Calls {
  return {
    get: (i) => store.get(keys[i]!),
    set: (i, value) => store.set(keys[i]!, value),
  };
}

async function redisClients(url: string): Promise<Compared[]> {
  const ioredis = new Redis(url);
  const nodeRedis = createClient({ url });
  await nodeRedis.connect();
  return [{
    name: "ioredis",
    bare: {
      get: async (i) => JSON.parse((await ioredis.get(names[i]!))!),
      set: (i, value) => ioredis.set(names[i]!, JSON.stringify(value)),
    },
    store: callsOf(new RedisKvStore(ioredis, { keyPrefix: "a" })),
    close: () => ioredis.disconnect(),
  }, {
    name: "node-redis",
    bare: {
      get: async (i) => JSON.parse((await nodeRedis.get(names[i]!))!),
      set: (i, value) => nodeRedis.set(names[i]!, JSON.stringify(value)),
    },
    store: callsOf(new RedisKvStore(nodeRedis, { keyPrefix: "b" })),
    close: () => nodeRedis.destroy(),
  }];
}

const GET = "SELECT value FROM bare WHERE key = $1";
const SET = "INSERT INTO bare VALUES ($1, $2) " +
  "ON CONFLICT (key) DO UPDATE SET value = excluded.value";

async function postgresClients(url: string): Promise<Compared[]> {
  const sql = postgres(url, { fetch_types: false, onnotice: () => {} });
  const pool = new Pool({ connectionString: url });
  await sql.unsafe(
    'CREATE TABLE bare (key text COLLATE "C" PRIMARY KEY, value text)',
  );
  const prepare = { prepare: true };
  return [{
    name: "postgres.js",
    bare: {
      get: async (i) =>
        JSON.parse((await sql.unsafe(GET, [names[i]!], prepare))[0]!.value),
      set: (i, value) =>
        sql.unsafe(SET, [names[i]!, JSON.stringify(value)], prepare),
    },
    store: callsOf(new PostgresKvStore(sql, { tableName: "a" })),
    close: () => sql.end(),
  }, {
    name: "pg",
    bare: {
      get: async (i) =>
        JSON.parse(
          (await pool.query({ name: "get", text: GET, values: [names[i]] }))
            .rows[0].value,
        ),
      set: (i, value) =>
        pool.query({
          name: "set",
          text: SET,
          values: [names[i], JSON.stringify(value)],
        }),
    },
    store: callsOf(new PostgresKvStore(pool, { tableName: "b" })),
    close: () => pool.end(),
  }];
}

async function turn(
  calls: Calls,
  call: keyof Calls,
  atOnce: number,
): Promise<number> {
  let made = 0;
  const start = performance.now();
  while (performance.now() - start < MILLISECONDS) {
    const wave = Array.from({ length: atOnce }, () => {
      const i = made++ % KEYS;
      return call === "get" ? calls.get(i) : calls.set(i, valueOf(1_000, made));
    });
    await Promise.all(wave);
  }
  return made * 1_000 / (performance.now() - start);
}

/** The median of the ratios of the rounds. */
function ratio(rates: readonly number[], others: readonly number[]): string {
  const ratios = rates.map((rate, i) => rate / others[i]!).sort((a, b) =>
    a - b
  );
  return ratios[ratios.length >> 1]!.toFixed(2);
}

async function compare(clients: readonly Compared[]): Promise<void> {
  for (const { bare, store } of clients) {
    for (let i = 0; i < KEYS; i++) {
      await Promise.all([
        bare.set(i, valueOf(1_000, i)),
        store.set(i, valueOf(1_000, i)),
      ]);
    }
  }
  const [first] = clients as [Compared];
  console.log(
    "| call | at once | client | calls/s of the store | to the bare client | " +
      `to the store on ${first.name} | bare, to ${first.name} |\n` +
      "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
  );
  for (const call of ["get", "set"] as const) {
    for (const atOnce of [1, 256]) {
      const figures = await interleave(
        clients.flatMap(({ name, bare, store }) => [
          { name: `${name}, bare`, turn: () => turn(bare, call, atOnce) },
          { name: `${name}, store`, turn: () => turn(store, call, atOnce) },
        ]),
        ROUNDS,
      );
      for (const [i, { name }] of clients.entries()) {
        const bare = figures[2 * i]!.rates;
        const store = figures[2 * i + 1]!.rates;
        const rate = store.toSorted((a, b) => a - b)[store.length >> 1]!;
        console.log(
          `| \`${call}\` | ${atOnce} | ${name} | ${
            rate.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",")
          } | ${ratio(store, bare)} | ${ratio(store, figures[1]!.rates)} | ${
            ratio(bare, figures[0]!.rates)
          } |`,
        );
      }
    }
  }
}

const backends = {
  redis: [startRedis, redisClients],
  postgres: [startPostgres, postgresClients],
} as const;

for (const [name, [start, connect]] of Object.entries(backends)) {
  if (Deno.args.length > 0 && !Deno.args.includes(name)) continue;
  await using server = await start();
  const clients = await connect(server.url);
  await compare(clients);
  for (const { close } of clients) await close();
}
