// Stores that hostile input breaks.
import type { KvKey } from "../../../kv/store.ts";
import { SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

/** Merges what it reads into new objects, prototypes included. */
class MergingStore extends SimpleStore {
  override copyOut(value: unknown): unknown {
    return merge(super.copyOut(value));
  }
}

function merge(value: unknown): unknown {
  if (Object.getPrototypeOf(value ?? 0) !== Object.prototype) return value;
  const merged: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value as object)) {
    // As an assignment does, unless the runtime forbids it.
    if (name === "__proto__") Object.setPrototypeOf(merged, Object(member));
    else merged[name] = merge(member);
  }
  return merged;
}

/** Copies as a structured clone, which knows no proxies. */
class CloningStore extends SimpleStore {
  override copyIn(value: unknown): unknown {
    if (typeof value === "object" && value !== null) structuredClone(value);
    return super.copyIn(value);
  }
}

/** Rejects the next call too when reading a value throws. */
class InfectedStore extends SimpleStore {
  failure: unknown;

  override copyIn(value: unknown): unknown {
    try {
      return super.copyIn(value);
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  override async get<T>(key: KvKey): Promise<T | undefined> {
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
    return await super.get<T>(key);
  }
}

/** Ignores calls that are made while it reads a value. */
class BusyStore extends SimpleStore {
  isReading = false;

  override copyIn(value: unknown): unknown {
    if (this.isReading) return undefined;
    this.isReading = true;
    try {
      return super.copyIn(value);
    } finally {
      this.isReading = false;
    }
  }
}

/** Keeps the first thousand members of an object. */
class CuttingStore extends SimpleStore {
  override copyIn(value: unknown): unknown {
    const copy = super.copyIn(value);
    return Object.getPrototypeOf(copy ?? 0) === Object.prototype
      ? Object.fromEntries(Object.entries(copy as object).slice(0, 1_000))
      : copy;
  }
}

export const hostileStores: WrongStore[] = [
  {
    name: "merges what it reads into new objects",
    Store: MergingStore,
    caughtBy: [
      "get() returns object members with any name",
      "no value changes a prototype",
    ],
  },
  {
    name: "copies values as a structured clone",
    Store: CloningStore,
    caughtBy: ["set() stores what getters and proxies show"],
  },
  {
    name: "rejects the call after one whose value throws",
    Store: InfectedStore,
    caughtBy: ["a call whose input throws while it is read fails alone"],
  },
  {
    name: "ignores calls that a value makes while it is read",
    Store: BusyStore,
    caughtBy: ["a value may call the store while it is read"],
  },
  {
    name: "keeps only the first thousand members",
    Store: CuttingStore,
    caughtBy: ["set() stores a value with 2,000 members whose names collide"],
  },
];
