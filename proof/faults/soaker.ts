// A process that makes calls on a store for a long time and tells how it is.
import { KvError } from "../../kv/errors.ts";
import type { KvKey, KvStore } from "../../kv/store.ts";
import { openKv } from "../../open/mod.ts";
import { between, type Random, randomOf } from "../random.ts";
import { sleep } from "./suite.ts";

/** What a process is started with. */
export interface SoakOptions {
  readonly url: string;
  readonly milliseconds: number;
  /** How many calls to make in a second. */
  readonly rate: number;
  readonly seed: number;
  /** How often to report, in milliseconds. */
  readonly interval: number;
}

/** What a process tells, a line each time. */
export interface SoakReport {
  readonly milliseconds: number;
  readonly calls: number;
  /** Bytes of the heap, after a collection of garbage. */
  readonly heap: number;
  /** Bytes of memory of the process. */
  readonly rss: number;
  readonly failures: readonly string[];
}

/** How many keys are written again and again, without a TTL. */
const KEYS = 1_000;

/** The TTLs of the other entries, in milliseconds. */
const TTLS = [1_000, 60_000] as const;

/** How much the clocks of a server and of this process may differ. */
const SLACK = 100;

/** How often to make calls, in milliseconds. */
const TICK = 50;

/** A value, which these numbers determine: the process keeps no values. */
interface Model {
  readonly token: number;
  readonly size: number;
}

/** An entry that expires. */
interface Session extends Model {
  readonly key: KvKey;
  /** When it expires at the earliest and at the latest. */
  readonly from: number;
  readonly to: number;
}

class Soak {
  calls = 0;
  readonly failures: string[] = [];
  readonly #kv: Required<KvStore>;
  readonly #random: Random;
  /** What each key without a TTL holds: only this process writes it. */
  readonly #values = new Map<number, Model>();
  #sessions: Session[] = [];
  #next = 0;

  constructor(kv: Required<KvStore>, random: Random) {
    this.#kv = kv;
    this.#random = random;
  }

  /** Makes a call, and checks its answer. */
  async call(): Promise<void> {
    this.calls++;
    const dice = this.#random();
    const number = between(this.#random, 0, KEYS - 1);
    const key: KvKey = ["lasting", `${number}`];
    try {
      if (dice < 0.3) await this.#readSession();
      else if (dice < 0.5) await this.#writeSession();
      else if (dice < 0.7) await this.#read(key, number);
      else if (dice < 0.85) await this.#write(key, number);
      else if (dice < 0.95) await this.#swap(key, number);
      else if (dice < 0.99) await this.#delete(key, number);
      else await this.#list();
    } catch (error) {
      if (!(error instanceof KvError)) throw error;
      this.failures.push(String(error));
    }
  }

  // The model changes when a call is made: calls on one key keep their order.
  async #read(key: KvKey, number: number): Promise<void> {
    const expected = valueOf(this.#values.get(number));
    this.#check(key, await this.#kv.get(key), expected);
  }

  async #write(key: KvKey, number: number): Promise<void> {
    const model = this.#model();
    this.#values.set(number, model);
    await this.#kv.set(key, valueOf(model));
  }

  async #swap(key: KvKey, number: number): Promise<void> {
    const expected = valueOf(this.#values.get(number));
    const model = this.#model();
    this.#values.set(number, model);
    const isSwapped = await this.#kv.cas(key, expected, valueOf(model));
    if (!isSwapped) this.failures.push(`cas(${key}) answers false`);
  }

  async #delete(key: KvKey, number: number): Promise<void> {
    this.#values.delete(number);
    await this.#kv.delete(key);
  }

  async #list(): Promise<void> {
    const listed = this.#kv.list(["lasting", `${between(this.#random, 0, 9)}`]);
    let previous = "";
    for await (const { key } of listed) {
      const name = key.join("!");
      if (name <= previous) this.failures.push(`${name} after ${previous}`);
      previous = name;
    }
  }

  async #writeSession(): Promise<void> {
    const key: KvKey = ["session", `${this.#next++}`];
    const ttl = between(this.#random, ...TTLS);
    const model = this.#model();
    const from = Date.now() + ttl;
    await this.#kv.set(key, valueOf(model), { ttl });
    this.#sessions.push({ ...model, key, from, to: Date.now() + ttl });
  }

  async #readSession(): Promise<void> {
    if (this.#sessions.length === 0) return;
    const index = between(this.#random, 0, this.#sessions.length - 1);
    const session = this.#sessions[index]!;
    const { key, from, to } = session;
    const isOver = Date.now() > to + SLACK;
    const found = await this.#kv.get(key);
    if (isOver) {
      this.#check(key, found, undefined);
      this.#sessions = this.#sessions.filter((it) => it.to > Date.now());
    } else if (found !== undefined || Date.now() < from - SLACK) {
      this.#check(key, found, valueOf(session));
    }
  }

  #check(key: KvKey, found: unknown, expected: unknown): void {
    const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
    if (left === right) return;
    this.failures.push(
      `get(${key}): ${left?.slice(0, 80)}, not ${right?.slice(0, 80)}`,
    );
  }

  #model(): Model {
    const size = this.#random() < 0.005
      ? 70_000
      : between(this.#random, 20, 2_000);
    return { token: this.calls, size };
  }
}

function valueOf(model: Model | undefined): unknown {
  if (model === undefined) return undefined;
  const { token, size } = model;
  return { token, padding: "x".repeat(size) };
}

async function soak(
  { url, milliseconds, rate, seed, interval }: SoakOptions,
): Promise<void> {
  await using store = await openKv(url);
  const kv = store as unknown as Required<KvStore>;
  const soak = new Soak(kv, randomOf(seed));
  const start = performance.now();
  let reported = -Infinity;
  let open = 0;
  while (true) {
    const elapsed = performance.now() - start;
    if (elapsed - reported >= interval || elapsed >= milliseconds) {
      report(elapsed, soak);
      reported = elapsed;
    }
    if (elapsed >= milliseconds) break;
    const due = Math.floor(elapsed / 1_000 * rate) - soak.calls;
    // A backend that is slower gets fewer calls, and no queue of them.
    for (let i = 0; i < Math.min(due, rate - open); i++) {
      open++;
      soak.call().finally(() => open--);
    }
    await sleep(TICK);
  }
}

function report(milliseconds: number, { calls, failures }: Soak): void {
  (globalThis as unknown as { gc(): void }).gc();
  const { heapUsed: heap, rss } = Deno.memoryUsage();
  const line: SoakReport = {
    milliseconds,
    calls,
    heap,
    rss,
    failures: failures.slice(0, 5),
  };
  console.log(JSON.stringify(line));
}

if (import.meta.main) await soak(JSON.parse(Deno.args[0]!) as SoakOptions);
