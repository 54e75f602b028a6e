/**
 * A server with a busy store: tells how long the event loop was blocked. It runs
 * on Deno, Node and Bun, next to an installed `@org/kv`.
 *
 * @module
 */
// deno-lint-ignore-file no-process-global
import { createServer } from "node:http";
import type { KvExtendedStore, KvKey } from "@org/kv";

/** What keeps a store busy. */
export type Workload =
  | "nothing"
  | "256 workers, 2 KiB"
  | "256 workers, 64 KB"
  | "400,000 calls"
  | "list of all";

/** What a workload did. */
export interface Outcome {
  /** The longest time that the event loop was blocked, in milliseconds. */
  readonly block: number;
  /**
   * The most processor time between two turns of the event loop, in milliseconds:
   * what the longest block would be on an idle machine, or somewhat more.
   */
  readonly cpu: number;
  /** Calls or entries per second. */
  readonly rate: number;
  /** The time to the first entry of a listing, in milliseconds. */
  readonly first?: number;
}

const MILLISECONDS = 3_000;
const CALLS = 400_000;
/** As many calls as a caller makes before it gives the event loop a turn. */
const SLICE = 1_000;

interface Global {
  Bun?: unknown;
  Deno?: {
    serve(options: object, handler: () => Response): { addr: { port: number } };
  };
}

const { Bun, Deno: deno } = globalThis as Global;

const [kind = "", where = "", entries = ""] = process.argv.slice(2);
const store = await openStore(kind, where);
if (kind === "memory") await fill(store, Number(entries));
// On Deno, its own server is what people use; Node's runs everywhere else.
const port = deno === undefined ? await serve() : deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen() {} },
  () => new Response("ok"),
).addr.port;
console.log(JSON.stringify({ port }));

for await (const line of lines(process.stdin)) {
  if (line === "end") break;
  console.log(JSON.stringify(await run(line as Workload)));
}
process.exit(0);

/** Opens our store on a client that the runtime has, or that is installed. */
async function openStore(
  kind: string,
  where: string,
): Promise<KvExtendedStore> {
  switch (kind) {
    case "memory": {
      const { MemoryKvStore } = await import("@org/kv/memory");
      return new MemoryKvStore();
    }
    case "sqlite": {
      const { SqliteKvStore } = await import("@org/kv/sqlite");
      const [module, name] = Bun === undefined
        ? ["node:sqlite", "DatabaseSync"]
        : ["bun:sqlite", "Database"];
      const db = new (await import(module!))[name!](where);
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      return new SqliteKvStore(db);
    }
    case "redis": {
      const { RedisKvStore } = await import("@org/kv/redis");
      const { Redis } = await import("ioredis");
      return new RedisKvStore(new Redis(where));
    }
    default: {
      const { PostgresKvStore } = await import("@org/kv/postgres");
      const { default: postgres } = await import("postgres");
      return new PostgresKvStore(postgres(where));
    }
  }
}

async function fill(store: KvExtendedStore, entries: number): Promise<void> {
  for (let i = 0; i < entries; i++) {
    await store.set(["all", `${i}`], { i, pad: "x".repeat(80) });
    if (i % SLICE === 0) await turn();
  }
}

async function run(workload: Workload): Promise<Outcome> {
  let last = performance.now();
  let block = 0;
  let lastUsed = used();
  let cpu = 0;
  const look = () => {
    const now = performance.now();
    const nowUsed = used();
    block = Math.max(block, now - last);
    cpu = Math.max(cpu, nowUsed - lastUsed);
    last = now;
    lastUsed = nowUsed;
  };
  const interval = setInterval(look, 1);
  const start = performance.now();
  let first: number | undefined;
  const done = await execute(
    workload,
    () => first ??= performance.now() - start,
  );
  const rate = done * 1_000 / (performance.now() - start);
  look();
  clearInterval(interval);
  const outcome = { block, cpu, rate };
  return first === undefined ? outcome : { ...outcome, first };
}

/** The processor time of this process, in milliseconds. */
function used(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function execute(
  workload: Workload,
  onFirst: () => void,
): Promise<number> {
  const end = performance.now() + MILLISECONDS;
  switch (workload) {
    case "nothing":
      await new Promise((resolve) => setTimeout(resolve, MILLISECONDS));
      return 0;
    case "256 workers, 2 KiB":
      return await workers(end, 2_048);
    case "256 workers, 64 KB":
      return await workers(end, 64_000);
    case "400,000 calls": {
      // `Promise.all` of so many promises alone takes a tenth of a second.
      const all = Promise.withResolvers<void>();
      let left = CALLS;
      for (let i = 0; i < CALLS; i++) {
        store.set(["bulk", `${i}`], i).then(() => {
          if (--left === 0) all.resolve();
        }, all.reject);
        if (i % SLICE === 0) await turn();
      }
      await all.promise;
      return CALLS;
    }
    case "list of all": {
      let listed = 0;
      for await (const _ of store.list(["all"])) {
        if (listed++ === 0) onFirst();
      }
      return listed;
    }
  }
}

/** Workers that each set and get an entry until the end. */
async function workers(end: number, bytes: number): Promise<number> {
  let calls = 0;
  const items = Array.from(
    { length: bytes / 64 },
    (_, n) => ({ id: 100_000 + n, text: "x".repeat(40) }),
  );
  await Promise.all(Array.from({ length: 256 }, async (_, worker) => {
    const key: KvKey = ["worker", `${worker}`];
    // Otherwise all of them encode a value before the first turn.
    await new Promise((resolve) => setTimeout(resolve, worker));
    for (let i = 0; performance.now() < end; i++) {
      await store.set(key, { i, items });
      await store.get(key);
      calls += 2;
    }
  }));
  return calls;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function serve(): Promise<number> {
  const server = createServer((_, response) => response.end("ok"));
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as { port: number }).port);
    });
  });
}

async function* lines(
  input: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of input) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
