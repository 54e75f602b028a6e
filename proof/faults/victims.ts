/** Stores whose entries can be damaged below the driver. */
import type { PGlite } from "@electric-sql/pglite";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { encodeKey } from "../../kv/core/key.ts";
import { DenoKvStore } from "../../kv/deno.ts";
import { MysqlKvStore } from "../../kv/mysql.ts";
import { PostgresKvStore } from "../../kv/postgres.ts";
import { RedisKvStore } from "../../kv/redis.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvKey, KvStore } from "../../kv/store.ts";
import { WorkersKvStore } from "../../kv/workers.ts";
import { startMariadb, startPostgres, startRedis } from "../../servers/mod.ts";
import { mutate } from "../../tests/support/mutations.ts";
import { between, oneOf, type Random } from "../random.ts";

/** A store, and how to damage its entries. */
export interface Victims extends AsyncDisposable {
  readonly kv: KvStore;
  /**
   * Damages the stored form of an entry.
   *
   * @returns Whether the entry may be missing now, because something other than
   * its value was damaged.
   */
  damage(key: KvKey, random: Random): Promise<boolean>;
}

/** How often something other than the value is damaged. */
const REST = 0.1;

/** Opens the store of each driver. */
export const VICTIMS: Readonly<Record<string, () => Promise<Victims>>> = {
  "sqlite": openSqlite,
  "deno": openDeno,
  "redis": openRedis,
  "postgres": openPostgres,
  "pglite": openPglite,
  "mysql": openMysql,
  "workers": openWorkers,
};

/** Statements with `?` for parameters, as arrays of rows. */
type Run = (statement: string, parameters: unknown[]) => Promise<unknown[][]>;

/** A form of a value that a column takes. */
type FormOf = (form: string | Uint8Array) => unknown;

/** Expiries that no store writes. */
const EXPIRIES = [0, -1, 1, 2 ** 62, -(2 ** 62)] as const;

/** Damages a row: mostly its value, sometimes its expiry or its true key. */
async function damageRow(
  run: Run,
  formOf: FormOf,
  key: KvKey,
  random: Random,
  expiries: readonly [unknown, ...unknown[]] = EXPIRIES,
): Promise<boolean> {
  const row = await findRow(run, key);
  if (random() < REST) {
    const expiry = oneOf(random, expiries);
    await run("UPDATE kv SET expires = ? WHERE key = ?", [expiry, row.key]);
    return true;
  }
  while (true) {
    const form = formOf(mutate(random, row.value));
    try {
      await run("UPDATE kv SET value = ? WHERE key = ?", [form, row.key]);
      return false;
    } catch {
      // The backend does not take such a form: another one is made.
    }
  }
}

async function findRow(
  run: Run,
  key: KvKey,
): Promise<{ key: unknown; value: string | Uint8Array }> {
  // A long key is stored under its leading parts and a digest.
  const [start, end] = [encodeKey(key), encodeKey([key[0], key[1]!])];
  const rows = await run(
    "SELECT key, value FROM kv WHERE key = ? OR key >= ? AND key < ?",
    [start, `${end}!`, `${end}"`],
  );
  const [row] = rows;
  if (row === undefined || rows.length > 1) {
    throw new Error(`Cannot damage ${key[1]}: there are ${rows.length} rows`);
  }
  return { key: row[0], value: row[1] as string | Uint8Array };
}

// deno-lint-ignore require-await
async function openSqlite(): Promise<Victims> {
  const db = new DatabaseSync(":memory:");
  const expiries = ["soon", new Uint8Array(3), 1e300, ...EXPIRIES] as const;
  // deno-lint-ignore require-await
  const run: Run = async (statement, parameters) => {
    const prepared = db.prepare(statement);
    prepared.setReturnArrays(true);
    return prepared.all(...parameters as string[]) as unknown as unknown[][];
  };
  return {
    kv: new SqliteKvStore(db),
    damage: (key, random) =>
      damageRow(run, (form) => form, key, random, expiries),
    // deno-lint-ignore require-await
    [Symbol.asyncDispose]: async () => db.close(),
  };
}

/** The first part of the store's own keys in Deno KV. */
const OWN = new TextEncoder().encode("@org/kv");

async function openDeno(): Promise<Victims> {
  const folder = await Deno.makeTempDir({ prefix: "kv-proof-" });
  const db = await Deno.openKv(`${folder}/entries`);
  const raw = new DatabaseSync(`${folder}/entries`);
  raw.exec("PRAGMA busy_timeout = 60000; PRAGMA synchronous = OFF");
  const find = raw.prepare(
    "SELECT k, v, v_encoding FROM kv WHERE k >= ? AND k < ?",
  );
  const update = raw.prepare("UPDATE kv SET v = ?, v_encoding = ? WHERE k = ?");
  return {
    kv: new DenoKvStore(db),
    async damage(key, random) {
      const id = await chunksOf(db, key);
      if (id !== undefined && random() < 0.8) {
        await damageChunk(db, id, random);
        return false;
      }
      const start = `\x02${key[0]}\0\x02${key[1]}\0`;
      const [row] = find.all(bytesOf(start), bytesOf(`${start}\xff`));
      const form = mutate(random, row!.v as Uint8Array);
      const bytes = typeof form === "string"
        ? new TextEncoder().encode(form)
        : form;
      // Values by V8, bytes, and 64-bit counters, of which Deno 2.9 ends the
      // process if there are not eight bytes.
      const encodings = bytes.length === 8
        ? [1, 2, 3] as const
        : [1, 3] as const;
      const encoding = random() < REST
        ? oneOf(random, encodings)
        : row!.v_encoding;
      update.run(bytes, encoding as number, row!.k as Uint8Array);
      // An envelope with an expiry that is over is one.
      return key.length > 2;
    },
    async [Symbol.asyncDispose]() {
      raw.close();
      db.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (unit) => unit.charCodeAt(0));
}

/** The id of the chunks of a large entry. */
async function chunksOf(db: Deno.Kv, key: KvKey): Promise<string | undefined> {
  const entries = db.list<{ chunks?: { id: string } }>({
    start: [key[0], key[1]!],
    end: [key[0], `${key[1]}\0`],
  });
  for await (const { value } of entries) return value?.chunks?.id;
  return undefined;
}

async function damageChunk(
  db: Deno.Kv,
  id: string,
  random: Random,
): Promise<void> {
  const chunks = await Array.fromAsync(
    db.list<Uint8Array>({ prefix: [OWN, "chunk", id] }),
  );
  const chunk = chunks[between(random, 0, chunks.length - 1)]!;
  if (random() < 0.1) return await db.delete(chunk.key);
  let form: string | Uint8Array;
  // Only what Deno KV takes.
  do form = mutate(random, chunk.value); while (form.length > 32_000);
  await db.set(chunk.key, form);
}

async function openRedis(): Promise<Victims> {
  const { Redis } = await import("ioredis");
  const server = await startRedis();
  const redis = new Redis(server.url);
  return {
    kv: new RedisKvStore(redis),
    async damage(key, random) {
      const name = `kv!${encodeKey(key)}`;
      if (random() < REST) {
        await redis.del(name);
        await redis.rpush(name, "a list");
        return true;
      }
      const form = mutate(random, textOrBytes(await redis.getBuffer(name)));
      await redis.set(name, Buffer.from(form as string));
      return false;
    },
    async [Symbol.asyncDispose]() {
      await redis.quit();
      await server.stop();
    },
  };
}

/** Text, where it is text: other mutations apply. */
function textOrBytes(bytes: Uint8Array | null): string | Uint8Array {
  return bytes![0] === 0xd9 ? bytes! : new TextDecoder().decode(bytes!);
}

/** Text for PostgreSQL: bytes become characters. */
function textForm(form: string | Uint8Array): string {
  return typeof form === "string"
    ? form
    : Array.from(form, (unit) => String.fromCharCode(unit)).join("");
}

async function openPostgres(): Promise<Victims> {
  const { default: postgres } = await import("postgres");
  const server = await startPostgres({ settings: { fsync: "off" } });
  const sql = postgres(server.url, { fetch_types: false, onnotice() {} });
  const run: Run = async (statement, parameters) => {
    const rows = await sql.unsafe(numbered(statement), parameters as string[])
      .values();
    return [...rows] as unknown[][];
  };
  return {
    kv: new PostgresKvStore(sql),
    damage: (key, random) => damageRow(run, textForm, key, random),
    async [Symbol.asyncDispose]() {
      await sql.end();
      await server.stop();
    },
  };
}

async function openPglite(): Promise<Victims> {
  const { PGlite } = await import("@electric-sql/pglite");
  const db: PGlite = await PGlite.create();
  const run: Run = async (statement, parameters) => {
    const { rows } = await db.query<unknown[]>(
      numbered(statement),
      parameters,
      { rowMode: "array" },
    );
    return rows;
  };
  return {
    kv: new PostgresKvStore(db),
    damage: (key, random) => damageRow(run, textForm, key, random),
    [Symbol.asyncDispose]: () => db.close(),
  };
}

function numbered(statement: string): string {
  let count = 0;
  return statement.replaceAll("?", () => `$${++count}`);
}

async function openMysql(): Promise<Victims> {
  const { createPool } = await import("mysql2/promise");
  const settings = { innodb_flush_log_at_trx_commit: 0 };
  const server = await startMariadb({ settings });
  const pool = createPool(server.url);
  const run: Run = async (statement, parameters) => {
    const [rows] = await pool.query({
      sql: statement.replaceAll("key", "`key`"),
      values: parameters,
      rowsAsArray: true,
    });
    return rows as unknown[][];
  };
  return {
    kv: new MysqlKvStore(pool.pool),
    damage: (key, random) => damageRow(run, Buffer.from, key, random),
    async [Symbol.asyncDispose]() {
      await pool.end();
      await server.stop();
    },
  };
}

async function openWorkers(): Promise<Victims> {
  const { Workerd } = await import("../../tests/support/worker/workerd.ts");
  const worker = await Workerd.start("tests/support/worker/conformance.ts", {
    objects: { OBJECTS: "KvStoreDurableObject" },
  });
  const namespace = await worker.kv;
  return {
    kv: new WorkersKvStore(namespace),
    async damage(key, random) {
      const { keys } = await namespace.list({
        prefix: `kv!${encodeKey([key[0], key[1]!])}`,
      });
      const { name } = keys.find(({ name }) => !name.includes("neighbour"))!;
      const { value } = await namespace.getWithMetadata(name, "arrayBuffer");
      const form = mutate(random, textOrBytes(new Uint8Array(value!)));
      await namespace.put(name, form);
      return false;
    },
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}
