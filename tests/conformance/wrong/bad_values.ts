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
    name: "takes a RegExp for an object without members",
    Store: RegExpStore,
    caughtBy: ["a RegExp is refused by its path"],
  },
  {
    name: "does not name the path of a bad value",
    Store: PathlessStore,
    caughtBy: [
      "a function is refused by its path",
      "a symbol is refused by its path",
      "a RegExp is refused by its path",
      "a cycle is refused by its path",
    ],
  },
  {
    name: "takes the same object twice for a cycle",
    Store: SharedCycleStore,
    caughtBy: ["the same object twice is no cycle"],
  },
];
