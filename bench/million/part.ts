/**
 * One part of the measurement with a million entries, in a process of its own.
 *
 * @module
 */
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { Redis } from "ioredis";
import postgres from "postgres";
import { main } from "../../cli/main.ts";
import { decodeKey } from "../../kv/core/key.ts";
import { migrate, storeSource } from "../../migrate/mod.ts";
import { openKv, type OwningKvStore } from "../../open/mod.ts";

/** What a part is told. */
export interface PartOrder {
  readonly part: "fill" | "operate" | "write" | "copy" | "raw";
  readonly url: string;
  readonly options?: Record<string, string>;
  /** How many entries to write. */
  readonly entries?: number;
  /** What is done to them. */
  readonly operation?: "stats" | "count" | "keys" | "clear";
  /** Where a copy goes. */
  readonly target?: string;
  readonly targetOptions?: Record<string, string>;
}

/** What a part has measured. */
export interface PartResult {
  readonly seconds: number;
  /** How long the process used the processor, in seconds. */
  readonly cpu: number;
  /** How far the heap and the memory of the process grew, in MiB. */
  readonly heap: number;
  readonly memory: number;
  /**
   * The longest block of the event loop, in milliseconds, and how much of the
   * processor was used between two turns at most: on a busy machine, only that
   * tells what the process itself did.
   */
  readonly block: number;
  readonly blockCpu: number;
  /** Waits of a writer in milliseconds: the longest, and the 99th percentile. */
  readonly longest?: number;
  readonly p99?: number;
  readonly writes?: number;
}

const DAY = 86_400_000;
const ROWS = 64;

const order = JSON.parse(Deno.args[0]!) as PartOrder;
const open = () => openKv(order.url, order.options ?? {});

/** Measures what something takes. */
async function measured(action: () => Promise<unknown>): Promise<PartResult> {
  const before = Deno.memoryUsage();
  let [heap, memory] = [0, 0];
  const sample = () => {
    const { heapUsed, rss } = Deno.memoryUsage();
    heap = Math.max(heap, heapUsed - before.heapUsed);
    memory = Math.max(memory, rss - before.rss);
  };
  let last = performance.now();
  let lastCpu = cpu();
  let [block, blockCpu] = [0, 0];
  const tick = setInterval(() => {
    const [now, used] = [performance.now(), cpu()];
    block = Math.max(block, now - last - 2);
    blockCpu = Math.max(blockCpu, used - lastCpu);
    [last, lastCpu] = [now, used];
  }, 2);
  const sampling = setInterval(sample, 100);
  const start = performance.now();
  const startCpu = cpu();
  await action();
  const used = (cpu() - startCpu) / 1000;
  const seconds = (performance.now() - start) / 1000;
  sample();
  clearInterval(tick);
  clearInterval(sampling);
  return {
    seconds,
    cpu: used,
    heap: heap / 2 ** 20,
    memory: memory / 2 ** 20,
    block,
    blockCpu,
  };
}

/** How long the process has used the processor, in milliseconds. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function fill(kv: OwningKvStore, entries: number): Promise<void> {
  const now = Date.now();
  for (let i = 0; i < entries; i += 1_000) {
    await Promise.all(
      Array.from({ length: Math.min(1_000, entries - i) }, (_, j) => {
        const n = i + j;
        return kv.set(
          ["_fedify", "publicKey", `https://example.com/users/${n}#main-key`],
          {
            id: n,
            owner: `https://example.com/users/${n}`,
            text: "x".repeat(50),
          },
          n % 2 === 0 ? {} : { expires: now + DAY + n },
        );
      }),
    );
  }
}

async function operate(kv: OwningKvStore): Promise<unknown> {
  switch (order.operation!) {
    case "stats": {
      const args = Object.entries(order.options ?? {}).flatMap((
        [name, value],
      ) => [name === "tableName" ? "--table" : "--key-prefix", value]);
      return await main([...args, "stats", "--json"], {
        write() {},
        env: { KV_URL: order.url },
        isTerminal: false,
      });
    }
    case "count":
      return await kv.count();
    case "clear":
      return await kv.clear(["_fedify"]);
    case "keys": {
      let keys = 0;
      for await (const _ of kv.keys()) keys++;
      return keys;
    }
  }
}

/** Writes one entry again and again, until the input ends. */
async function write(kv: OwningKvStore): Promise<Partial<PartResult>> {
  const waits: number[] = [];
  let isOver = false;
  (async () => {
    for await (const _ of Deno.stdin.readable);
    isOver = true;
  })();
  await kv.set(["writer"], 0);
  console.log("ready");
  while (!isOver) {
    const start = performance.now();
    await kv.set(["writer"], waits.length);
    waits.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  waits.sort((a, b) => a - b);
  return {
    longest: waits.at(-1)!,
    p99: waits[Math.floor(waits.length * 0.99)]!,
    writes: waits.length,
  };
}

/** Copies by the bare clients, in the batches of the stores. */
async function raw(): Promise<void> {
  using db = new DatabaseSync(order.url.slice("sqlite:".length));
  const select = db.prepare(
    "SELECT key, value, expires FROM kv WHERE key > ? ORDER BY key LIMIT 256",
  );
  const isRedis = order.target!.startsWith("redis");
  const write = isRedis ? rawRedis() : await rawPostgres();
  let after = "";
  const pending = new Set<Promise<void>>();
  while (true) {
    const rows = select.all(after) as unknown as Row[];
    if (rows.length === 0) break;
    after = rows.at(-1)!.key;
    // What a copy has to do in between as well.
    for (const row of rows) {
      decodeKey(row.key);
      row.value = JSON.stringify(JSON.parse(row.value));
    }
    for (let i = 0; i < rows.length; i += ROWS) {
      const done = write.batch(rows.slice(i, i + ROWS))
        .finally(() => pending.delete(done));
      pending.add(done);
      while (pending.size >= 8) await Promise.race(pending);
    }
  }
  await Promise.all(pending);
  await write.close();
}

interface Row {
  readonly key: string;
  value: string;
  readonly expires: number | null;
}

interface RawTarget {
  batch(rows: readonly Row[]): Promise<void>;
  close(): Promise<unknown>;
}

function rawRedis(): RawTarget {
  const redis = new Redis(order.target!);
  return {
    async batch(rows) {
      const pipeline = redis.pipeline();
      const plain: string[] = [];
      for (const { key, value, expires } of rows) {
        if (expires === null) plain.push(`raw!${key}`, value);
        else pipeline.set(`raw!${key}`, value, "PXAT", expires);
      }
      if (plain.length > 0) pipeline.mset(...plain);
      await pipeline.exec();
    },
    close: () => redis.quit(),
  };
}

async function rawPostgres(): Promise<RawTarget> {
  const sql = postgres(order.target!, { fetch_types: false, onnotice() {} });
  await sql`CREATE TABLE raw (key text COLLATE "C" PRIMARY KEY,
    value text NOT NULL, full_key text, expires bigint, due bigint)`;
  await sql`CREATE INDEX ON raw (due) WHERE due IS NOT NULL`;
  const insert = `INSERT INTO raw SELECT key, value, NULL, expires, expires
    FROM unnest(string_to_array($1, E'\\n'), string_to_array($2, E'\\n'),
      string_to_array($3, E'\\n', '')::bigint[]) AS w (key, value, expires)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value,
      expires = excluded.expires`;
  return {
    async batch(rows) {
      await sql.unsafe(insert, [
        rows.map(({ key }) => key).join("\n"),
        rows.map(({ value }) => value).join("\n"),
        rows.map(({ expires }) => expires ?? "").join("\n"),
      ], { prepare: true });
    },
    close: () => sql.end(),
  };
}

async function run(): Promise<Partial<PartResult>> {
  if (order.part === "raw") return await measured(raw);
  await using kv = await open();
  switch (order.part) {
    case "fill":
      return await measured(() => fill(kv, order.entries!));
    case "operate":
      return await measured(() => operate(kv));
    case "write":
      return await write(kv);
    case "copy": {
      await using target = await openKv(order.target!, order.targetOptions!);
      return await measured(() =>
        migrate(storeSource(kv), target, { onConflict: "overwrite" })
      );
    }
  }
}

console.log(`result ${JSON.stringify(await run())}`);
