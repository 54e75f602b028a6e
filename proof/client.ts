/** A client of a history: it makes bursts of calls and records them. */
import {
  KvCorruptionError,
  KvError,
  KvOutcomeUnknownError,
} from "../kv/errors.ts";
import type { KvKey, KvStore } from "../kv/store.ts";
import type { CallName, HistoryCall, State } from "./history_types.ts";
import { between, oneOf, type Random } from "./random.ts";
import type { Invocation, Recorder } from "./record.ts";
import { tokenOf, tokenOfValue, valueOf } from "./values.ts";

/** What a client does. */
export interface ClientPlan {
  /** Its name. */
  readonly name: string;
  /** The history, which is part of every key. */
  readonly history: string;
  /** How many calls it makes. */
  readonly calls: number;
  /** How many keys there are. */
  readonly keys: number;
  /** How long a call may take, in milliseconds. */
  readonly deadline: number;
  /** How long the store may fail before it has recovered, in milliseconds. */
  readonly patience: number;
}

const NAMES = [
  ...Array<CallName>(8).fill("get"),
  ...Array<CallName>(5).fill("set"),
  ...Array<CallName>(6).fill("cas"),
  "delete",
] as unknown as readonly [CallName, ...CallName[]];

/** Long enough that no entry expires during a history. */
const TTL = 3_600_000;

/** Makes calls on one store. */
export class Client {
  readonly #kv: Required<KvStore>;
  readonly #plan: ClientPlan;
  readonly #random: Random;
  readonly #recorder: Recorder;
  readonly #latest = new Map<string, State>();
  #order = 0;

  constructor(
    kv: Required<KvStore>,
    plan: ClientPlan,
    random: Random,
    recorder: Recorder,
  ) {
    this.#kv = kv;
    this.#plan = plan;
    this.#random = random;
    this.#recorder = recorder;
  }

  /** Makes bursts of calls, and waits for each burst. */
  async run(): Promise<void> {
    while (this.#order < this.#plan.calls) {
      const size = between(this.#random, 1, 12);
      const outcomes = await this.#burst(
        Array.from({ length: size }, () => this.#choose()),
      );
      if (outcomes === undefined) return;
      // An application backs off too, and a server that is down rejects at once.
      if (!outcomes.includes("ok")) await pause(20);
    }
    await this.#readBack();
  }

  /** Reads every entry, for as long as that fails. */
  async #readBack(): Promise<void> {
    const end = performance.now() + this.#plan.patience;
    for (let key = 0; key < this.#plan.keys; key++) {
      while (true) {
        const call = this.#call("get", `k${key}`);
        const outcomes = await this.#burst([call]);
        if (outcomes === undefined || outcomes[0] === "ok") break;
        if (performance.now() > end) {
          this.#recorder.failed(call, "the store has not recovered");
          return;
        }
        await pause(20);
      }
    }
  }

  #choose(): Invocation {
    const key = `k${between(this.#random, 0, this.#plan.keys - 1)}`;
    return this.#call(oneOf(this.#random, NAMES), key);
  }

  #call(name: CallName, key: string): Invocation {
    const client = this.#plan.name;
    const order = this.#order++;
    const call = { client, order, key, name };
    switch (name) {
      case "get":
      case "delete":
        return call;
      case "set":
        return { ...call, value: tokenOf(client, order) };
      case "cas": {
        const expected = this.#latest.get(key) ?? null;
        const deletes = expected !== null && this.#random() < 0.1;
        return {
          ...call,
          expected,
          value: deletes ? null : tokenOf(client, order),
        };
      }
    }
  }

  /** Makes calls without waiting in between, and returns how they ended. */
  async #burst(
    calls: readonly Invocation[],
  ): Promise<HistoryCall["outcome"][] | undefined> {
    const open = new Set(calls);
    const settled = Promise.all(calls.map(async (call) => {
      this.#recorder.invoked(call);
      const outcome = await this.#make(call);
      open.delete(call);
      return outcome;
    }));
    const deadline = Promise.withResolvers<undefined>();
    const timer = setTimeout(
      () => deadline.resolve(undefined),
      this.#plan.deadline,
    );
    const outcomes = await Promise.race([settled, deadline.promise]);
    clearTimeout(timer);
    if (outcomes !== undefined) return outcomes;
    for (const call of open) {
      this.#recorder.failed(
        call,
        `not settled after ${this.#plan.deadline} ms`,
      );
    }
    return undefined;
  }

  async #make(call: Invocation): Promise<HistoryCall["outcome"]> {
    try {
      const result = await this.#send(call);
      if (call.name === "get") this.#latest.set(call.key, result as State);
      this.#recorder.settled(call, "ok", result);
      return "ok";
    } catch (error) {
      if (!(error instanceof KvError) || error instanceof KvCorruptionError) {
        this.#recorder.failed(call, String(error));
      }
      const isUnknown = error instanceof KvOutcomeUnknownError;
      if (isUnknown && call.name === "get") {
        this.#recorder.failed(call, `a read of unknown outcome: ${error}`);
      }
      const outcome = isUnknown ? "unknown" : "rejected";
      this.#recorder.settled(call, outcome, undefined);
      return outcome;
    }
  }

  async #send(call: Invocation): Promise<HistoryCall["result"]> {
    const { name, value = null, expected = null } = call;
    const key: KvKey = ["proof", this.#plan.history, call.key];
    const options = this.#random() < 0.2 ? { ttl: TTL } : {};
    if (name === "get") return tokenOfValue(await this.#kv.get(key));
    // Its later calls on the key are executed after this one.
    this.#latest.set(call.key, name === "delete" ? null : value);
    if (name === "delete") return void await this.#kv.delete(key);
    if (name === "set") {
      return void await this.#kv.set(key, valueOf(value), options);
    }
    const isReversed = this.#random() < 0.1;
    return await this.#kv.cas(
      key,
      valueOf(expected, isReversed),
      valueOf(value),
      options,
    );
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
