// A process that makes calls on a server that is stopped, and tells how they end.
import { KvError, KvOutcomeUnknownError } from "../../kv/errors.ts";
import { slotOf } from "../../kv/redis/slot.ts";
import type { KvKey, KvStore } from "../../kv/store.ts";
import { openKv } from "../../open/mod.ts";
import { sleep } from "./suite.ts";

/** What a process is started with. */
export interface WaiterOptions {
  readonly backend: string;
  readonly url: string;
  /** How long the server may be silent, in milliseconds. */
  readonly timeout: number;
}

/** What a process tells after each order. */
export interface WaiterReport {
  readonly ok: number;
  readonly rejected: number;
  /** How long the slowest call took, in milliseconds. */
  readonly slowest: number;
  readonly failures: readonly string[];
}

/** How many calls are made on one key, and how many on other keys. */
const ON_ONE_KEY = 20;
const QUEUED = 10_000;

/** How many sets are made at once while the server answers. */
const BULK = 200_000;

/** How long a store may take to recover, in milliseconds. */
const RECOVERY = 30_000;

/** The last slot of the first of three nodes of a Cluster. */
const LAST_SLOT = 5_460;

type Name = "get" | "set" | "cas" | "delete" | "list" | "check";

interface Outcome {
  readonly name: Name;
  readonly key: KvKey | undefined;
  readonly error: unknown;
  readonly milliseconds: number;
}

class Waiter {
  readonly #kv: Required<KvStore> & { check(): Promise<void> };
  readonly #isCluster: boolean;
  #outcomes: Promise<Outcome>[] = [];

  constructor(
    kv: Required<KvStore> & { check(): Promise<void> },
    isCluster: boolean,
  ) {
    this.#kv = kv;
    this.#isCluster = isCluster;
  }

  /** Has the store open its table, and connections to each node. */
  async warmUp(): Promise<WaiterReport> {
    const report = await this.after();
    const sets = Array.from(
      { length: 100 },
      (_, i) => this.#kv.set(["warm", `${i}`], i),
    );
    await Promise.allSettled(sets);
    return report;
  }

  /** Makes calls of every kind on a server that is silent. */
  async silence(): Promise<WaiterReport> {
    const kv = this.#kv;
    const key = this.#silentKey();
    for (let i = 0; i < ON_ONE_KEY; i++) {
      this.#make("set", key, kv.set(key, i));
      this.#make("cas", key, kv.cas(key, i, i + 1));
    }
    this.#make("get", key, kv.get(key));
    this.#make("delete", key, kv.delete(key));
    this.#make("list", undefined, Array.fromAsync(kv.list()));
    if (!this.#isCluster) this.#make("check", undefined, kv.check());
    for (let i = 0; i < QUEUED; i++) {
      const key: KvKey = ["queued", `${i}`];
      if (i % 2 === 0) this.#make("set", key, kv.set(key, i));
      else this.#make("get", key, kv.get(key));
    }
    const report = { ok: 0, rejected: 0, slowest: 0, failures: [] as string[] };
    for (const outcome of await Promise.all(this.#outcomes)) {
      this.#judge(outcome, report);
    }
    this.#outcomes = [];
    report.failures.splice(5);
    return report;
  }

  /** Makes calls until one of each kind succeeds. */
  async after(): Promise<WaiterReport> {
    const start = performance.now();
    const key = this.#silentKey();
    let last: unknown;
    while (performance.now() - start < RECOVERY) {
      try {
        await this.#kv.set(key, "again");
        const isSwapped = await this.#kv.cas(key, "again", "swapped");
        const found = await this.#kv.get(key);
        if (isSwapped && found === "swapped") {
          const slowest = performance.now() - start;
          return { ok: 1, rejected: 0, slowest, failures: [] };
        }
        last = `cas: ${isSwapped}, get: ${found}`;
      } catch (error) {
        last = error;
      }
      await sleep(20);
    }
    const failures = [`the store has not recovered: ${last}`];
    return { ok: 0, rejected: 1, slowest: RECOVERY, failures };
  }

  /** Makes more sets at once than the timeout is long. */
  async bulk(): Promise<WaiterReport> {
    const start = performance.now();
    const results = await Promise.allSettled(
      Array.from(
        { length: BULK },
        (_, i) => this.#kv.set(["bulk", `${i}`], i),
      ),
    );
    const slowest = performance.now() - start;
    const lost = results.filter(({ status }) => status === "rejected");
    const failures = lost.slice(0, 3).map((it) =>
      String((it as PromiseRejectedResult).reason)
    );
    return { ok: BULK - lost.length, rejected: lost.length, slowest, failures };
  }

  #make(name: Name, key: KvKey | undefined, call: Promise<unknown>): void {
    const start = performance.now();
    const outcome = (error: unknown): Outcome => ({
      name,
      key,
      error,
      milliseconds: performance.now() - start,
    });
    this.#outcomes.push(call.then(() => outcome(undefined), outcome));
  }

  #judge(
    { name, key, error, milliseconds }: Outcome,
    report: {
      ok: number;
      rejected: number;
      slowest: number;
      failures: string[];
    },
  ): void {
    report.slowest = Math.max(report.slowest, milliseconds);
    if (error === undefined) report.ok++;
    else report.rejected++;
    const what = `${name} of ${key}`;
    if (error !== undefined && !(error instanceof KvError)) {
      report.failures.push(`${what} is rejected with ${error}`);
    } else if (this.#isSilent(key) !== (error !== undefined)) {
      report.failures.push(`${what}: ${error ?? "it succeeded"}`);
    } else if (name === "get" && error instanceof KvOutcomeUnknownError) {
      report.failures.push(`${what} has an unknown outcome`);
    }
  }

  /** Whether a key is on the server that is silent. */
  #isSilent(key: KvKey | undefined): boolean {
    return !this.#isCluster || key === undefined ||
      slotOf(`kv!${key.join("!")}`) <= LAST_SLOT;
  }

  #silentKey(): KvKey {
    for (let i = 0;; i++) {
      const key: KvKey = ["one", `${i}`];
      if (this.#isSilent(key)) return key;
    }
  }
}

if (import.meta.main) {
  const { backend, url, timeout } = JSON.parse(Deno.args[0]!) as WaiterOptions;
  await using store = await openKv(url, { timeout });
  const waiter = new Waiter(store as never, backend === "redis-cluster");
  console.log(JSON.stringify(await waiter.warmUp()));
  const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const order of input) {
    const name = order.trim() as "silence" | "after" | "bulk";
    console.log(JSON.stringify(await waiter[name]()));
  }
}
