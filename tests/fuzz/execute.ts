// Executes a plan on a store and on the model, and compares what both return.
import type {
  KvExtendedStore,
  KvKey,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
} from "../../kv/store.ts";
import { difference } from "../../testing/difference.ts";
import { compareKeys } from "../../testing/order.ts";
import { show } from "../../testing/show.ts";
import { badKeys } from "./keys.ts";
import { type Entry, type Life, Model } from "./model.ts";
import type { Plan, Step, Write } from "./steps.ts";
import { build, expected, reordered, type Spec, vandalize } from "./values.ts";

/** A store to fuzz, open for many plans. */
export interface Subject extends AsyncDisposable {
  /** Clients of the same entries, one or more. */
  readonly clients: readonly KvStore[];
  /** TTLs in milliseconds that a plan picks from. */
  readonly ttls: readonly number[];
  /** The clock of moments, if not that of the process. */
  readonly now?: () => number;
  /** Makes time pass, if the store uses a clock that a test can set. */
  readonly advance?: (milliseconds: number) => void;
  /** Times to pass. */
  readonly times?: readonly number[];
}

/** The longest time for a call: a call that takes longer is a fault. */
const patience = 60_000;

/** The real one, even where a subject sets the clock. */
const { setTimeout, clearTimeout } = globalThis;

/** Executes a plan; rejects with the first difference. Returns the calls. */
export async function execute(subject: Subject, plan: Plan): Promise<number> {
  const run = new Run(subject, plan);
  try {
    for (const step of plan.steps) {
      // Awaiting a call that is not to be awaited would end its tick.
      const wait = run.step(step);
      if (wait !== undefined) await wait;
    }
    await run.settle();
    await run.check();
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${message}\n  calls:\n    ${run.log.join("\n    ")}`, {
      cause: error,
    });
  }
  return run.calls;
}

class Run {
  calls = 0;
  readonly log: string[] = [];
  readonly #subject: Subject;
  readonly #plan: Plan;
  readonly #model = new Model();
  #client = 0;
  #pending: Promise<string | undefined>[] = [];

  constructor(subject: Subject, plan: Plan) {
    this.#subject = subject;
    this.#plan = plan;
  }

  /** Begins a step; returns what to wait for, if anything. */
  step(step: Step): Promise<void> | void {
    switch (step.step) {
      case "get":
        return this.#get(this.#key(step.key));
      case "set": {
        const life = this.#life(step.ttl);
        return this.#set(this.#key(step.key), this.#value(step.value), life);
      }
      case "delete":
        return this.#delete(this.#key(step.key));
      case "cas":
        return this.#cas(step);
      case "list":
        return this.#list(this.#prefix(step));
      case "list with options":
        return this.#listWithOptions(step);
      case "clear":
        return this.#clear(this.#prefix(step));
      case "list while writing":
        return this.#listWhileWriting(this.#prefix(step), step.writes);
      case "invalid":
        return this.#invalid(this.#key(step.key), step.kind);
      case "await":
        return this.settle();
      case "ticks":
        return ticks(step.count);
      case "other client":
        return this.#switchClient();
      case "pass":
        return this.#pass(step.time);
    }
  }

  /** Waits for all calls; rejects with the first difference. */
  async settle(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    let timer;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`a call takes more than ${patience} ms`);
      timer = setTimeout(() => reject(error), patience);
    });
    try {
      const found = await Promise.race([Promise.all(pending), late]);
      const first = found.find((each) => each !== undefined);
      if (first !== undefined) throw new Error(first);
    } finally {
      clearTimeout(timer);
    }
    this.log.push("// awaited");
  }

  /** Compares everything, by every client, and deletes it. */
  async check(): Promise<void> {
    for (const i of this.#subject.clients.keys()) {
      this.#client = i;
      for (const key of this.#plan.keys) this.#get(key);
      await this.#list([]);
    }
    await this.settle();
    for (const key of this.#plan.keys) this.#delete(key);
    await this.settle();
    await this.#list([]);
  }

  /** Calls of different clients have no order, so none may be pending. */
  async #switchClient(): Promise<void> {
    await this.settle();
    this.#client = (this.#client + 1) % this.#subject.clients.length;
    this.log.push(`// client ${this.#client}`);
  }

  async #pass(index: number): Promise<void> {
    const { advance, times = [] } = this.#subject;
    if (advance === undefined) return;
    await this.settle();
    const time = times[index % times.length]!;
    this.log.push(`// ${time} ms later`);
    advance(time);
    this.#model.now += time;
  }

  #get(key: KvKey): void {
    const entry = this.#model.get(key);
    const text = `get(${show(key)})`;
    this.#call(text, this.#store.get(key), entry && expected(entry.spec));
  }

  #set(key: KvKey, spec: Spec | undefined, life: Life | undefined): void {
    const value = spec && build(spec);
    const text = `set(${show(key)}, ${show(value)}${lifeText(life)})`;
    this.#call(text, this.#store.set(key, value, options(life)), undefined);
    vandalize(value);
    this.#model.set(key, spec, life);
  }

  #delete(key: KvKey): void {
    this.#call(`delete(${show(key)})`, this.#store.delete(key), undefined);
    this.#model.set(key, undefined, undefined);
  }

  #cas(step: Step & { step: "cas" }): void {
    const store = this.#store;
    if (store.cas === undefined) return;
    const key = this.#key(step.key);
    const stored = this.#model.get(key)?.spec;
    const wanted = step.expected === "same"
      ? stored
      : step.expected === "reordered"
      ? stored && reordered(stored) as Spec
      : step.expected === "none"
      ? undefined
      : this.#value(step.expected);
    const [spec, life] = [this.#value(step.value), this.#life(step.ttl)];
    const [before, after] = [wanted && build(wanted), spec && build(spec)];
    const text = `cas(${show(key)}, ${show(before)}, ${show(after)}${
      lifeText(life)
    })`;
    const result = store.cas(key, before, after, options(life));
    vandalize(before);
    vandalize(after);
    this.#call(text, result, this.#model.cas(key, wanted, spec, life));
  }

  #invalid(key: KvKey, kind: number): void {
    const store = this.#store;
    const badKey = badKeys[kind % badKeys.length]!;
    const badValue = [() => 1, Symbol("a"), /a/, { a: [() => 1] }][kind % 4];
    const badTtl = [NaN, Infinity, "1", null][kind % 4] as number;
    const calls: [string, () => Promise<unknown>][] = [
      [`get(${show(badKey)})`, () => store.get(badKey)],
      [`set(${show(badKey)}, 1)`, () => store.set(badKey, 1)],
      [`delete(${show(badKey)})`, () => store.delete(badKey)],
      [`set(…, ${show(badValue)})`, () => store.set(key, badValue)],
      [
        `set(…, 1, { ttl: ${show(badTtl)} })`,
        () => store.set(key, 1, { ttl: badTtl }),
      ],
    ];
    const [text, call] = calls[kind % calls.length]!;
    this.#note(text);
    this.#pending.push(
      call().then(
        (result) => `${text} must reject: it resolved to ${show(result)}`,
        (error) =>
          error instanceof TypeError || error instanceof RangeError
            ? undefined
            : `${text} rejected with ${show(error)}`,
      ),
    );
  }

  /** Reads a listing to its end; earlier calls may still be pending. */
  async #list(prefix: readonly string[]): Promise<void> {
    const text = `list(${show(prefix)})`;
    this.#note(text);
    const wanted = this.#model.list(prefix);
    const listed = await Array.fromAsync(this.#store.list(prefix as KvKey));
    const found = orderFault(listed) ?? difference(
      sorted(listed).map(({ key, value }) => ({ key, value })),
      sorted(wanted).map(({ key, spec }) => ({ key, value: expected(spec) })),
      "sorted entries",
    ) ?? expiryFault(listed, wanted);
    for (const { value } of listed) vandalize(value);
    if (found !== undefined) throw new Error(`${text} differs ${found}`);
  }

  /** Compares parts of a listing with the whole, whose order is checked. */
  async #listWithOptions(
    step: Step & { step: "list with options" },
  ): Promise<void> {
    const store = this.#store;
    if (!isExtended(store)) return;
    await this.settle();
    const prefix = this.#prefix(step) as KvKey;
    const keys = (await Array.fromAsync(store.list(prefix)))
      .map(({ key }) => key);
    await this.#list(prefix);
    const after = step.after < 0 || keys.length === 0
      ? undefined
      : keys[step.after % keys.length];
    const limit = step.limit < 0 ? undefined : step.limit;
    const options = { after, limit, reverse: step.reverse };
    const ordered = step.reverse ? keys.toReversed() : keys;
    const start = after === undefined ? 0 : ordered.indexOf(after) + 1;
    const wanted = ordered.slice(
      start,
      limit === undefined ? undefined : start + limit,
    );
    const text = `(${show(prefix)}, ${show(options)})`;
    this.#note(`list, keys and count of ${text}`);
    const values = this.#model.list(prefix);
    const found = difference(
      (await Array.fromAsync(store.list(prefix, options)))
        .map(({ key, value }) => ({ key, value })),
      wanted.map((key) => ({
        key,
        value: expected(
          values.find((entry) => compareKeys(entry.key, key) === 0)!.spec,
        ),
      })),
      `list${text}`,
    ) ?? difference(
      (await Array.fromAsync(store.keys(prefix, options)))
        .map(({ key }) => key),
      wanted,
      `keys${text}`,
    ) ??
      difference(await store.count(prefix), keys.length, `count${text}`);
    if (found !== undefined) throw new Error(`it differs ${found}`);
  }

  async #clear(prefix: readonly string[]): Promise<void> {
    const store = this.#store;
    if (!isExtended(store)) return;
    await this.settle();
    const text = `clear(${show(prefix)})`;
    this.#note(text);
    const entries = this.#model.list(prefix);
    const found = difference(
      await store.clear(prefix as KvKey),
      entries.length,
      text,
    );
    for (const { key } of entries) this.#model.set(key, undefined, undefined);
    if (found !== undefined) throw new Error(`it differs ${found}`);
    await this.#list([]);
  }

  /** Reads a listing while entries change, which it may yield or not. */
  async #listWhileWriting(
    prefix: readonly string[],
    writes: readonly Write[],
  ): Promise<void> {
    const text = `list(${show(prefix)})`;
    const before = this.#model.list(prefix);
    const changed = new Set<string>();
    const possible = before.map(named);
    const listed: KvStoreListEntry[] = [];
    this.#note(`${text}, begun`);
    for await (const entry of this.#store.list(prefix as KvKey)) {
      listed.push(entry);
      for (const { key: index, value } of writes.filter(atThisEntry)) {
        const key = this.#key(index);
        changed.add(JSON.stringify(key));
        this.#set(key, this.#value(value), undefined);
        possible.push(...this.#model.list(key).map(named));
      }
    }
    this.log.push(`// ${text}, ended`);
    const found = orderFault(listed) ?? this.#faultWhileWriting(
      listed,
      before.filter(({ key }) => !changed.has(JSON.stringify(key))),
      possible,
    );
    if (found !== undefined) throw new Error(`${text} differs ${found}`);

    function atThisEntry({ after }: Write): boolean {
      return after + 1 === listed.length;
    }
  }

  #faultWhileWriting(
    listed: readonly KvStoreListEntry[],
    throughout: readonly Entry[],
    possible: readonly [name: string, value: unknown][],
  ): string | undefined {
    const names = listed.map(({ key }) => JSON.stringify(key));
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) return `: it yielded ${twice} twice`;
    const missing = throughout.find(({ key }) =>
      !names.includes(JSON.stringify(key))
    );
    if (missing !== undefined) return `: ${show(missing.key)} is missing`;
    const invented = listed.find(({ key, value }) =>
      !possible.some(([name, each]) =>
        name === JSON.stringify(key) && difference(value, each) === undefined
      )
    );
    return invented && `: it yielded ${show(invented)}, which never was there`;
  }

  #call(text: string, result: Promise<unknown>, wanted: unknown): void {
    const number = this.#note(text);
    this.#pending.push(result.then(
      (actual) => {
        const found = difference(actual, wanted, "result");
        vandalize(actual);
        return found && `call ${number}, ${text}, differs ${found}`;
      },
      (error) => `call ${number}, ${text}, rejected with ${show(error)}`,
    ));
  }

  #note(text: string): number {
    this.calls++;
    this.log.push(`${this.calls}. ${text}`);
    return this.calls;
  }

  get #store(): KvStore {
    return this.#subject.clients[this.#client]!;
  }

  #key(index: number): KvKey {
    return this.#plan.keys[index % this.#plan.keys.length]!;
  }

  #value(index: number): Spec | undefined {
    if (index < 0) return undefined;
    return this.#plan.values[index % this.#plan.values.length]!;
  }

  #life(index: number): Life | undefined {
    if (index < 0) return undefined;
    const { ttls, now = Date.now } = this.#subject;
    const ttl = ttls[index % ttls.length]!;
    return index < 8 ? { ttl } : { ttl, expires: now() + ttl };
  }

  /** The leading parts of a key; none for `-1`. */
  #prefix({ key, parts }: { key: number; parts: number }): readonly string[] {
    return parts < 0 ? [] : this.#key(key).slice(0, parts);
  }
}

function isExtended(store: KvStore): store is KvExtendedStore {
  return "count" in store;
}

async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

function options(life: Life | undefined): KvStoreSetOptions | undefined {
  return life?.expires === undefined ? life : { expires: life.expires };
}

function lifeText(life: Life | undefined): string {
  if (life === undefined) return "";
  const { ttl, expires } = life;
  return expires === undefined
    ? `, { ttl: ${ttl} }`
    : `, { expires: now + ${ttl} }`;
}

function named({ key, spec }: Entry): [name: string, value: unknown] {
  return [JSON.stringify(key), expected(spec)];
}

function sorted<T extends { readonly key: KvKey }>(entries: readonly T[]): T[] {
  return entries.toSorted((a, b) => compareKeys(a.key, b.key));
}

/** A moment that was given comes back as it is. */
function expiryFault(
  listed: readonly KvStoreListEntry[],
  wanted: readonly Entry[],
): string | undefined {
  for (const { key, expires } of wanted) {
    if (expires === undefined) continue;
    const entry = listed.find((each) => compareKeys(each.key, key) === 0)!;
    if (entry.expires === undefined) return `: no expires of ${show(key)}`;
    const late = entry.expires - expires;
    if (late !== 0) return `: the expires of ${show(key)} is ${late} ms late`;
  }
  return undefined;
}

/** Short keys come in order; where a long one comes is the driver's choice. */
function orderFault(listed: readonly KvStoreListEntry[]): string | undefined {
  const keys = listed.map(({ key }) => key)
    .filter((key) => key.length + key.join("").length < 60);
  const at = keys.findIndex((key, i) =>
    i > 0 && compareKeys(keys[i - 1]!, key) >= 0
  );
  return at < 0
    ? undefined
    : `: it yielded ${show(keys[at])} after ${show(keys[at - 1])}`;
}
