// Stores that share values, keys or prefixes with their caller.
import type { KvKey, KvStoreListEntry } from "../../../kv/store.ts";
import { SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

class InReferenceStore extends SimpleStore {
  override copyIn(value: unknown) {
    super.copyIn(value);
    return value;
  }
}

class OutReferenceStore extends SimpleStore {
  override copyOut(value: unknown) {
    return value;
  }
}

class ListReferenceStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    for await (const { key } of super.walk(prefix)) {
      yield { key, value: this.find(key)?.value } satisfies KvStoreListEntry;
    }
  }
}

class LateCopyStore extends SimpleStore {
  override async set(...[key, value, options]: Parameters<SimpleStore["set"]>) {
    this.checkKey("set", key);
    this.copyIn(value);
    await undefined;
    await super.set(key, value, options);
  }
}

class KeyReferenceStore extends SimpleStore {
  override async set(...args: Parameters<SimpleStore["set"]>) {
    await super.set(...args);
    const entry = this.at(args[0]);
    if (entry) entry.key = args[0];
  }

  override list(prefix: KvKey | readonly [] = []) {
    return this.walk(prefix);
  }
}

export const wrongIsolation: WrongStore[] = [
  {
    name: "keeps values by reference",
    Store: InReferenceStore,
    caughtBy: [
      "changing a value after set() leaves the entry unchanged",
      "changing the values given to cas() leaves the entry unchanged",
    ],
  },
  {
    name: "returns values by reference",
    Store: OutReferenceStore,
    caughtBy: [
      "changing a value that get() returned leaves the entry unchanged",
      "changing a value that list() yielded leaves the entry unchanged",
    ],
  },
  {
    name: "lists values by reference",
    Store: ListReferenceStore,
    caughtBy: [
      "changing a value that list() yielded leaves the entry unchanged",
    ],
  },
  {
    name: "copies a value only when it is written",
    Store: LateCopyStore,
    caughtBy: ["changing a value after set() leaves the entry unchanged"],
  },
  {
    name: "keeps keys and prefixes by reference",
    Store: KeyReferenceStore,
    caughtBy: [
      "changing a key or prefix after the call does not affect the call",
    ],
  },
];
