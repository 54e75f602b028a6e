// Stores that accept values that they must reject.
import { SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

class RegExpStore extends SimpleStore {
  override copyIn(value: unknown) {
    return super.copyIn(value instanceof RegExp ? {} : value);
  }
}

class PathlessStore extends SimpleStore {
  override copyIn(value: unknown) {
    try {
      return super.copyIn(value);
    } catch {
      throw new TypeError("Cannot set: value cannot be stored");
    }
  }
}

class SharedCycleStore extends SimpleStore {
  override copyIn(value: unknown) {
    const seen = new Set<unknown>();
    JSON.stringify(value, (_, member) => {
      if (typeof member === "bigint") return 0;
      if (typeof member !== "object" || member === null) return member;
      if (seen.has(member)) throw new TypeError("value holds a cycle");
      seen.add(member);
      return member;
    });
    return super.copyIn(value);
  }
}

export const wrongBadValues: WrongStore[] = [
  {
    name: "stores a RegExp as an empty object",
    Store: RegExpStore,
    caughtBy: ["set() rejects a RegExp and names its path"],
  },
  {
    name: "does not name the path of an invalid value",
    Store: PathlessStore,
    caughtBy: [
      "set() rejects a function and names its path",
      "set() rejects a symbol and names its path",
      "set() rejects a RegExp and names its path",
      "set() rejects a cycle and names its path",
    ],
  },
  {
    name: "rejects the same object twice as a cycle",
    Store: SharedCycleStore,
    caughtBy: ["set() accepts the same object twice in a value"],
  },
];
