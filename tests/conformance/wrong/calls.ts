// Stores that confuse calls in flight.
import type { KvKey } from "../../../kv/store.ts";
import { SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

/** The calls of one tick succeed or fail as one. */
class OneBatchStore extends SimpleStore {
  batch: Promise<unknown>[] = [];

  override async set(...args: Parameters<SimpleStore["set"]>) {
    const { batch } = this;
    batch.push(super.set(...args));
    await Promise.resolve();
    this.batch = [];
    await Promise.all(batch);
  }
}

class LastErrorStore extends SimpleStore {
  errors: unknown[] = [];

  override async set(...args: Parameters<SimpleStore["set"]>) {
    try {
      await super.set(...args);
    } catch (error) {
      this.errors.push(error);
      await Promise.resolve();
      throw this.errors.at(-1);
    }
  }
}

/** Some writes are held back for a while. */
class ReorderingStore extends SimpleStore {
  writes = 0;

  override async write(key: KvKey, value: unknown, expiry: number) {
    const ticks = this.writes++ % 3;
    for (let tick = 0; tick < ticks; tick++) await undefined;
    super.write(key, value, expiry);
  }
}

/** Writes wait for the end of the tick; reads do not wait for them. */
class OvertakingStore extends SimpleStore {
  override async write(key: KvKey, value: unknown, expiry: number) {
    await undefined;
    super.write(key, value, expiry);
  }
}

class LateGetStore extends SimpleStore {
  override async get<T>(key: KvKey): Promise<T | undefined> {
    await undefined;
    return super.get(key);
  }
}

/** Of several writes of a key in a tick, the first is kept. */
class FirstWinsStore extends SimpleStore {
  written = new Set<string>();

  override async write(key: KvKey, value: unknown, expiry: number) {
    const text = JSON.stringify(key);
    if (this.written.has(text)) return;
    this.written.add(text);
    super.write(key, value, expiry);
    await undefined;
    this.written.delete(text);
  }
}

class EarlyListStore extends OvertakingStore {
  override async get<T>(key: KvKey): Promise<T | undefined> {
    await undefined;
    return super.get(key);
  }

  override async *walk(prefix: readonly string[]) {
    const keys = this.entries.map(({ key }) => key);
    for await (const entry of super.walk(prefix)) {
      if (keys.some((key) => this.compare(key, entry.key) === 0)) yield entry;
    }
  }
}

class RejectedDeletesStore extends SimpleStore {
  override set(...args: Parameters<SimpleStore["set"]>) {
    const [key, value, options] = args;
    try {
      this.copyIn(value);
      this.expiryOf(options?.ttl);
    } catch {
      super.delete(key);
    }
    return super.set(...args);
  }
}

class LyingTraitsStore extends SimpleStore {
  traits = { without: { cas: "it has none" } };
}

export const wrongCalls: WrongStore[] = [
  {
    name: "fails a whole batch because of one invalid call",
    Store: OneBatchStore,
    caughtBy: [
      "one invalid call among valid ones fails alone",
      "each of many invalid calls in one tick fails for its own reason",
    ],
  },
  {
    name: "rejects all invalid calls for the reason of the last one",
    Store: LastErrorStore,
    caughtBy: [
      "each of many invalid calls in one tick fails for its own reason",
    ],
  },
  {
    name: "delays some writes",
    Store: ReorderingStore,
    caughtBy: [
      "unawaited calls on one key take effect in call order",
      "hundreds of calls on one key in one tick take effect in call order",
      "unawaited calls on several keys give the same results as awaited calls",
    ],
  },
  {
    name: "lets a get() overtake a pending set()",
    Store: OvertakingStore,
    caughtBy: [
      "unawaited calls on one key take effect in call order",
      "hundreds of calls on one key in one tick take effect in call order",
      "calls of several ticks take effect in call order",
    ],
  },
  {
    name: "lets a set() overtake a pending get()",
    Store: LateGetStore,
    caughtBy: [
      "unawaited calls on one key take effect in call order",
      "hundreds of calls on one key in one tick take effect in call order",
    ],
  },
  {
    name: "keeps the first of several writes in a tick",
    Store: FirstWinsStore,
    caughtBy: [
      "unawaited calls on one key take effect in call order",
      "hundreds of calls on one key in one tick take effect in call order",
    ],
  },
  {
    name: "lists without the pending writes",
    Store: EarlyListStore,
    caughtBy: [
      "list() finds every earlier write, awaited or not",
    ],
  },
  {
    name: "deletes the entry that a rejected set() names",
    Store: RejectedDeletesStore,
    caughtBy: [
      "set() rejects a function and names its path",
      "set() rejects an invalid TTL and writes nothing",
      "a rejected call does not affect later calls",
    ],
  },
  {
    name: "says that it has no cas() but has one",
    Store: LyingTraitsStore,
    caughtBy: [
      "the traits of a store name the guarantees that it leaves out",
    ],
  },
];
