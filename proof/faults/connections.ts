/** PostgreSQL calls while connections break, for pools of several sizes. */
// @ts-types="@types/pg"
import pg from "pg";
import postgres from "postgres";
import { KvError } from "../../kv/errors.ts";
import { type PostgresClient, PostgresKvStore } from "../../kv/postgres.ts";
import type { KvKey } from "../../kv/store.ts";
import { type Fault, strike } from "../faults.ts";
import { between, type Random, randomOf } from "../random.ts";
import { startTarget, type Target } from "../targets.ts";
import {
  type Options,
  type Progress,
  type Result,
  sleep,
  type Suite,
  within,
} from "./suite.ts";

/** How long the server may be silent, in milliseconds. */
const TIMEOUT = 5_000;

/**
 * How long a call may take, in milliseconds: several attempts, on a machine
 * that has other things to do.
 */
const DEADLINE = 60_000;

/** The shortest and the longest time between two strikes, in milliseconds. */
const INTERVAL = [20, 200] as const;

/** How many calls have to succeed between two strikes, and how soon. */
const BETWEEN_STRIKES = 100;
const RECOVERY = 60_000;

/** How many callers make calls at once, and on how many keys. */
const CALLERS = 24;
const KEYS = 12;

/** A client, and how to close it. */
interface Opened {
  readonly client: PostgresClient;
  end(): Promise<void>;
}

const CLIENTS: Readonly<Record<string, (url: string, max: number) => Opened>> =
  {
    "postgres.js": (url, max) => {
      const client = postgres(url, {
        max,
        fetch_types: false,
        backoff: () => 0.001,
        connect_timeout: 2,
      });
      return { client, end: () => client.end({ timeout: 1 }) };
    },
    "pg": (url, max) => {
      const client = new pg.Pool({
        connectionString: url,
        max,
        connectionTimeoutMillis: 2_000,
      });
      client.on("error", () => {});
      return { client, end: () => client.end() };
    },
  };

interface Situation {
  readonly client: string;
  readonly fault: Fault;
  readonly max: number;
}

/** Makes calls until there are enough of them, while a fault strikes. */
async function run(
  { client: name, fault, max }: Situation,
  { calls, seed }: Options,
  progress: Progress,
): Promise<Result> {
  await using target = await startTarget("postgres", false);
  const { url, proxyUrl } = target.options;
  const { client, end } = CLIENTS[name]!(
    fault === "cut" ? proxyUrl! : url,
    max,
  );
  const kv = new PostgresKvStore(client, { timeout: TIMEOUT });
  const load = new Load(kv, calls, progress);
  while (await recover(kv) !== true) await sleep(100);
  const [strikes] = await Promise.all([
    strikeDuring(load, fault, target, randomOf(seed)),
    load.run(),
  ]);
  const { failures } = load;
  if (strikes === 0) failures.push("the fault never struck");
  // The calls that meet broken connections take them out of the pool.
  for (let i = 0; i < 2 * max; i++) await load.settle(kv.get(["after"]));
  const recovered = await within(DEADLINE, recover(kv));
  if (recovered !== true) failures.push(`not recovered: ${recovered}`);
  const ended = await within(DEADLINE, end().then(() => true));
  if (ended === undefined) failures.push("the client does not end");
  return {
    summary: `${load.made} calls (${load.ok} ok, ${load.rejected} rejected), ` +
      `${strikes} faults, slowest call ${Math.round(load.slowest)} ms`,
    failures,
  };
}

/**
 * Strikes until all calls are made, and returns how often. After each strike
 * some calls have to succeed: on a busy machine, a connection that is cut too
 * soon is never open.
 */
async function strikeDuring(
  load: Load,
  fault: Fault,
  target: Target,
  random: Random,
): Promise<number> {
  let strikes = 0;
  while (true) {
    const enough = load.ok + BETWEEN_STRIKES;
    await sleep(between(random, ...INTERVAL));
    const end = performance.now() + RECOVERY;
    while (load.ok < enough && !load.isOver) {
      if (performance.now() > end) {
        load.failures.push(`no calls succeed for ${RECOVERY} ms`);
      }
      await sleep(5);
    }
    if (load.isOver) return strikes;
    strikes += await strike(fault, { target, writers: [], random });
  }
}

async function recover(kv: PostgresKvStore): Promise<true | string> {
  try {
    await kv.set(["after"], 1);
    const isSwapped = await kv.cas(["after"], 1, 2);
    const value = await kv.get(["after"]);
    return isSwapped && value === 2 ? true : `cas ${isSwapped}, get ${value}`;
  } catch (error) {
    return String(error);
  }
}

/** Calls that are made until there are enough of them, and how they ended. */
class Load {
  made = 0;
  ok = 0;
  rejected = 0;
  slowest = 0;
  readonly failures: string[] = [];
  readonly #kv: PostgresKvStore;
  readonly #calls: number;
  readonly #progress: Progress;

  constructor(kv: PostgresKvStore, calls: number, progress: Progress) {
    this.#kv = kv;
    this.#calls = calls;
    this.#progress = progress;
  }

  /** Whether enough calls were made, or one of them failed the proof. */
  get isOver(): boolean {
    return this.made >= this.#calls || this.failures.length > 0;
  }

  async run(): Promise<void> {
    await Promise.all(
      Array.from({ length: CALLERS }, (_, caller) => this.#call(caller)),
    );
  }

  /** Returns whether a call succeeded, and notes what must not happen. */
  async settle(call: Promise<unknown>): Promise<boolean> {
    this.made++;
    const start = performance.now();
    const outcome = await within(
      DEADLINE,
      call.then(() => "ok", (error) => error),
    );
    this.slowest = Math.max(this.slowest, performance.now() - start);
    if (outcome === "ok") this.ok++;
    else this.rejected++;
    if (outcome === undefined) {
      this.failures.push(`a call is not settled after ${DEADLINE} ms`);
    } else if (outcome !== "ok" && !(outcome instanceof KvError)) {
      this.failures.push(`a call is rejected with ${outcome}`);
    }
    return outcome === "ok";
  }

  async #call(caller: number): Promise<void> {
    const kv = this.#kv;
    for (let i = 0; !this.isOver; i++) {
      const key: KvKey = ["k", `${caller % KEYS}`, `${i % 3}`];
      const outcomes = await Promise.all([
        this.settle(kv.get(key)),
        this.settle(kv.set(key, i)),
        this.settle(kv.get(["k", `${(caller + 1) % KEYS}`, "0"])),
        this.settle(kv.cas(key, i, i + 1)),
      ]);
      this.#progress(this.made / this.#calls, `${this.rejected} rejected`);
      // An application backs off too, and a server that is down rejects at once.
      if (!outcomes.includes(true)) await sleep(20);
    }
  }
}

const FAULTS = ["terminate", "cut", "kill"] as const;

/** Every call settles, whatever happens to the connections. */
export const connections: Suite = {
  text: "PostgreSQL connections are terminated and cut, and the server killed",
  trials: Object.keys(CLIENTS).flatMap((client) =>
    FAULTS.flatMap((fault) =>
      [1, 2, 4, 10].map((max) => ({
        backend: "postgres",
        title: `${client}, ${fault}, max ${max}`,
        run: (options: Options, progress: Progress) =>
          run({ client, fault, max }, options, progress),
      }))
    )
  ),
};
