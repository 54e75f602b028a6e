// The stores that the fuzzer knows, each opened with two clients.
import { PGlite } from "@electric-sql/pglite";
import { Cluster, Redis } from "ioredis";
import { createPool } from "mysql2/promise";
import postgres from "postgres";
import { DenoKvStore } from "../../kv/deno.ts";
import { MemoryKvStore } from "../../kv/memory.ts";
import { MysqlKvStore } from "../../kv/mysql.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import { WorkersKvStore } from "../../kv/workers.ts";
import { type ServerKind, sharedUrl, unavailable } from "../../servers/mod.ts";
import { now } from "../../testing/time.ts";
import { DatabaseFile as DenoFile } from "../deno/databases.ts";
import { DatabaseFile as SqliteFile } from "../sqlite/databases.ts";
import { FakeTime } from "@std/testing/time";
import { Workerd } from "../support/worker/workerd.ts";
import type { Subject } from "./execute.ts";
import { type Fuzz, fuzz, type FuzzOptions, type FuzzReport } from "./fuzz.ts";
import { fakeTimes, realTtls } from "./ttls.ts";

/** How to open each store, by its name. */
const subjects: Record<string, () => Promise<Subject>> = {
  memory: () => Promise.resolve(withFakeTime([new MemoryKvStore()])),
  sqlite() {
    const file = new SqliteFile();
    const clients = [0, 1].map(() => new SqliteKvStore(file.connect()));
    return Promise.resolve(withFakeTime(clients, file));
  },
  async deno() {
    const file = new DenoFile();
    const clients = [
      new DenoKvStore(await file.open()),
      new DenoKvStore(await file.open()),
    ];
    return withFakeTime(clients, file);
  },
  async "deno-memory"() {
    const kv = await Deno.openKv(":memory:");
    return withFakeTime([new DenoKvStore(kv)], kv);
  },
  async redis() {
    const url = await sharedUrl("redis");
    return withRedis([new Redis(url), new Redis(url)]);
  },
  async "redis-cluster"() {
    const urls = (await sharedUrl("redis-cluster")).split(",");
    return withRedis([new Cluster(urls), new Cluster(urls)]);
  },
  async postgres() {
    const url = await sharedUrl("postgres");
    const options = { onnotice: () => {} };
    const sqls = [postgres(url, options), postgres(url, options)] as const;
    const tableName = crypto.randomUUID();
    return {
      clients: sqls.map((sql) => new PostgresKvStore(sql, { tableName })),
      ttls: realTtls,
      async [Symbol.asyncDispose]() {
        await sqls[0]`DROP TABLE IF EXISTS ${sqls[0](tableName)}`;
        await Promise.all(sqls.map((sql) => sql.end()));
      },
    };
  },
  async mariadb() {
    const url = await sharedUrl("mariadb");
    const pools = [createPool(url), createPool(url)];
    const tableName = crypto.randomUUID();
    return {
      clients: pools.map((pool) => new MysqlKvStore(pool, { tableName })),
      ttls: realTtls,
      async [Symbol.asyncDispose]() {
        await pools[0]!.query(`DROP TABLE IF EXISTS \`${tableName}\``);
        await Promise.all(pools.map((pool) => pool.end()));
      },
    };
  },
  async pglite() {
    const db = await PGlite.create();
    return {
      clients: [new PostgresKvStore(db), new PostgresKvStore(db)],
      ttls: realTtls,
      [Symbol.asyncDispose]: () => db.close(),
    };
  },
  async workers() {
    const worker = await Workerd.start("tests/support/worker/conformance.ts", {
      objects: { OBJECTS: "KvStoreDurableObject" },
    });
    const namespace = await worker.kv;
    return {
      clients: [new WorkersKvStore(namespace), new WorkersKvStore(namespace)],
      ttls: realTtls,
      [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
    };
  },
};

/** Fuzzes each store, by its name. */
export const fuzzers: Record<string, Fuzz> = {
  ...Object.fromEntries(
    Object.entries(subjects).map(([name, open]): [string, Fuzz] => [
      name,
      (options) => fuzz(open, options),
    ]),
  ),
  object: (options) => fuzzObject(1, options),
  shards: (options) => fuzzObject(3, options),
};

/** Why a store cannot be opened here: `undefined` if it can. */
export async function whyNot(name: string): Promise<string | undefined> {
  const kinds: ServerKind[] = ["redis", "redis-cluster", "postgres", "mariadb"];
  const kind = kinds.find((each) => each === name);
  return kind && await unavailable(kind);
}

/** Fuzzes a Durable Object from within its worker. */
async function fuzzObject(
  shards: number,
  { seed, milliseconds }: FuzzOptions,
): Promise<FuzzReport> {
  const total: FuzzReport = { plans: 0, calls: 0 };
  await using worker = await Workerd.start("tests/fuzz/worker.ts", {
    objects: { OBJECTS: "KvStoreDurableObject" },
  });
  const end = now() + milliseconds;
  for (let next = seed; next === seed || now() < end; next++) {
    const response = await worker.fetch(
      `http://worker/?seed=${next}&shards=${shards}`,
    );
    if (!response.ok) throw new Error(await response.text());
    const { plans, calls }: FuzzReport = await response.json();
    total.plans += plans;
    total.calls += calls;
  }
  return total;
}

function withFakeTime(
  clients: Subject["clients"],
  opened?: Disposable,
): Subject {
  const time = new FakeTime();
  return {
    clients,
    ...fakeTimes,
    advance: (milliseconds) => time.tick(milliseconds),
    [Symbol.asyncDispose]() {
      time[Symbol.dispose]();
      opened?.[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

async function withRedis(redises: (Redis | Cluster)[]): Promise<Subject> {
  await Promise.all(redises.map((redis) => redis.get("connected")));
  const keyPrefix = `${crypto.randomUUID()}:`;
  return {
    clients: redises.map((redis) => new RedisKvStore(redis, { keyPrefix })),
    ttls: realTtls,
    async [Symbol.asyncDispose]() {
      for (const redis of redises) {
        const ended = new Promise((resolve) => redis.once("end", resolve));
        redis.disconnect();
        await ended;
      }
    },
  };
}
