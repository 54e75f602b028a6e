/** A client of a history: it makes bursts of calls and records them. */
import {
  KvCorruptionError,
  KvError,
  KvOutcomeUnknownError,
} from "../kv/errors.ts";
import type { KvKey, KvStore } from "../kv/store.ts";
import type { CallName, HistoryCall, State } from "./history_types.ts";
import { between, oneOf, type Random } from "./random.ts";
import {
  type Answer,
  type Invocation,
  isRead,
  type Recorder,
} from "./record.ts";
import { tokenOf, tokenOfValue, valueOf } from "./values.ts";

/** What a client does. */
export interface ClientPlan {
  /** Its name. */
  readonly name: string;
  /** The history, which is part of every key. */
  readonly history: string;
  /** How many calls it makes at least. */
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
  "list",
] as unknown as readonly [CallName, ...CallName[]];

/** Long enough that no entry expires during a history. */
const LONG_TTL = 3_600_000;

/** The shortest and the longest TTL of an entry that expires in a history, in milliseconds. */
const SHORT_TTL = [5, 250] as const;

/** How many times as many calls a client makes while the fault lasts. */
const MOST = 4;

/** Makes calls on one store. */
export class Client {
  readonly #kv: Required<KvStore>;
  readonly #plan: ClientPlan;
  readonly #random: Random;
  readonly #recorder: Recorder;
  readonly #finish: Promise<void>;
  readonly #latest = new Map<string, State>();
  #order = 0;

  /**
   * @param kv The store.
   * @param plan What to do.
   * @param random What the choices depend on.
   * @param recorder What records the calls.
   * @param finish When the fault is over.
   */
  constructor(
    kv: Required<KvStore>,
    plan: ClientPlan,
    random: Random,
    recorder: Recorder,
    finish: Promise<void>,
  ) {
    this.#kv = kv;
    this.#plan = plan;
    this.#random = random;
    this.#recorder = recorder;
    this.#finish = finish;
  }

  /** Makes bursts of calls until the fault is over, and waits for each burst. */
  async run(): Promise<void> {
    const { calls } = this.#plan;
    let isOver = false;
    this.#finish.then(() => isOver = true);
    while (this.#order < (isOver ? calls : MOST * calls)) {
      const size = between(this.#random, 1, 12);
      const outcomes = await this.#burst(
        Array.from({ length: size }, () => this.#choose()),
      );
      if (outcomes === undefined) return;
      // An application backs off too, and a server that is down rejects at once.
      if (!outcomes.includes("ok")) await pause(20);
    }
    await this.#finish;
    await this.#readBack();
  }

  /** Reads every entry, for as long as that fails. */
  async #readBack(): Promise<void> {
    const end = performance.now() + this.#plan.patience;
    let keys = Array.from({ length: this.#plan.keys }, (_, key) => `k${key}`);
    while (true) {
      const calls = keys.map((key) => this.#call("get", key));
      const outcomes = await this.#burst(calls);
      if (outcomes === undefined) return;
      keys = keys.filter((_, index) => outcomes[index] !== "ok");
      if (keys.length === 0) return;
      if (performance.now() > end) {
        this.#recorder.failed(
          calls[0]!,
          "unsettled",
          "the store has not recovered",
        );
        return;
      }
      await pause(20);
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
      case "list":
        return { ...call, key: "" };
      case "set":
        return { ...call, value: tokenOf(client, order), ...this.#ttl() };
      case "cas": {
        const expected = this.#latest.get(key) ?? null;
        const deletes = expected !== null && this.#random() < 0.1;
        return {
          ...call,
          expected,
          value: deletes ? null : tokenOf(client, order),
          ...(deletes ? {} : this.#ttl()),
        };
      }
    }
  }

  #ttl(): { ttl?: number } {
    const chance = this.#random();
    if (chance < 0.1) return { ttl: between(this.#random, ...SHORT_TTL) };
    return chance < 0.2 ? { ttl: LONG_TTL } : {};
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
        "unsettled",
        `not settled after ${this.#plan.deadline} ms`,
      );
    }
    return undefined;
  }

  async #make(call: Invocation): Promise<HistoryCall["outcome"]> {
    try {
      const answer = await this.#send(call);
      if (call.name === "get") {
        this.#latest.set(call.key, answer.result as State);
      }
      this.#recorder.settled(call, "ok", answer);
      return "ok";
    } catch (error) {
      if (!(error instanceof KvError) || error instanceof KvCorruptionError) {
        this.#recorder.failed(call, "error", String(error));
      }
      const isUnknown = error instanceof KvOutcomeUnknownError;
      if (isUnknown && isRead(call.name)) {
        this.#recorder.failed(
          call,
          "error",
          `a read of unknown outcome: ${error}`,
        );
      }
      const outcome = isUnknown ? "unknown" : "rejected";
      this.#recorder.settled(call, outcome);
      return outcome;
    }
  }

  async #send(call: Invocation): Promise<Answer> {
    const { name, value = null, expected = null, ttl } = call;
    if (name === "list") return { entries: await this.#list(call) };
    const key: KvKey = [...this.#prefix, call.key];
    if (name === "get") {
      return { result: tokenOfValue(await this.#kv.get(key)) };
    }
    // Its later calls on the key are executed after this one.
    this.#latest.set(call.key, name === "delete" ? null : value);
    if (name === "delete") {
      await this.#kv.delete(key);
      return {};
    }
    if (name === "set") {
      await this.#kv.set(key, valueOf(value), { ttl });
      return {};
    }
    const isReversed = this.#random() < 0.1;
    return {
      result: await this.#kv.cas(
        key,
        valueOf(expected, isReversed),
        valueOf(value),
        { ttl },
      ),
    };
  }

  get #prefix(): [string, string] {
    return ["proof", this.#plan.history];
  }

  async #list(call: Invocation): Promise<[key: string, token: string][]> {
    const entries: [string, string][] = [];
    for await (const { key, value } of this.#kv.list(this.#prefix)) {
      const [key1, key2, name = ""] = key;
      if (key1 !== this.#prefix[0] || key2 !== this.#prefix[1]) {
        this.#recorder.failed(call, "violation", `${key} is not in the prefix`);
      }
      const last = entries.at(-1)?.[0];
      if (last !== undefined && last >= name) {
        this.#recorder.failed(call, "violation", `${name} came after ${last}`);
      }
      entries.push([name, `${tokenOfValue(value)}`]);
    }
    return entries;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
