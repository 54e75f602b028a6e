// Stores whose list() yields the wrong entries.
import { type Entry, SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

class LikeStore extends SimpleStore {
  override startsWith(key: readonly string[], prefix: readonly string[]) {
    const pattern = prefix.map((part) =>
      RegExp.escape(part).replaceAll("%", ".*").replaceAll("_", ".")
    );
    return prefix.length <= key.length &&
      pattern.every((part, i) => new RegExp(`^${part}$`, "is").test(key[i]!));
  }
}

class GlobStore extends SimpleStore {
  override startsWith(key: readonly string[], prefix: readonly string[]) {
    return prefix.length <= key.length &&
      prefix.every((part, i) =>
        part === key[i] || part === "*" || part === "?" && key[i]!.length === 1
      );
  }
}

class StringPrefixStore extends SimpleStore {
  override startsWith(key: readonly string[], prefix: readonly string[]) {
    return super.startsWith(key, prefix.slice(0, -1)) &&
      (key[prefix.length - 1] ?? (prefix.length ? "" : "x"))
        .startsWith(prefix.at(-1) ?? "") &&
      key.length >= prefix.length;
  }
}

class ExclusiveStore extends SimpleStore {
  override startsWith(key: readonly string[], prefix: readonly string[]) {
    return super.startsWith(key, prefix) && key.length > prefix.length;
  }
}

class EmptyPrefixStore extends SimpleStore {
  override startsWith(key: readonly string[], prefix: readonly string[]) {
    return super.startsWith(key, prefix) && prefix.length > 0;
  }
}

class Utf16Store extends SimpleStore {
  override compare(a: readonly string[], b: readonly string[]) {
    const at = a.findIndex((part, i) => part !== b[i]);
    if (at < 0 || at >= b.length) return a.length - b.length;
    return a[at]! < b[at]! ? -1 : 1;
  }
}

class LongerFirstStore extends SimpleStore {
  override compare(a: readonly string[], b: readonly string[]) {
    return this.startsWith(a, b) || this.startsWith(b, a)
      ? b.length - a.length
      : super.compare(a, b);
  }
}

class JoinedOrderStore extends SimpleStore {
  override compare(a: readonly string[], b: readonly string[]) {
    const order = super.compare([a.join("/")], [b.join("/")]);
    return order || super.compare(a, b);
  }
}

class LocaleStore extends SimpleStore {
  override compare(a: readonly string[], b: readonly string[]) {
    const at = a.findIndex((part, i) => part !== b[i]);
    if (at < 0 || at >= b.length) return super.compare(a, b);
    return a[at]!.localeCompare(b[at]!) || super.compare(a, b);
  }
}

class UnorderedStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    const entries = [];
    for await (const entry of super.walk(prefix)) entries.push(entry);
    const middle = entries.length >> 1;
    yield* entries.slice(middle);
    yield* entries.slice(0, middle);
  }
}

class RepeatingStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    let count = 0;
    for await (const entry of super.walk(prefix)) {
      yield entry;
      if (++count % 1_000 === 0) yield entry;
    }
  }
}

class OnePageStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    let count = 0;
    for await (const entry of super.walk(prefix)) {
      if (++count > 1_000) return;
      yield entry;
    }
  }
}

class OffsetStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    for (let offset = 0;; offset += 100) {
      const page = this.page(offset, prefix);
      for (const entry of page) {
        await undefined;
        if (this.alive(entry)) {
          yield { key: entry.key, value: this.copyOut(entry.value) };
        }
      }
      if (page.length < 100) return;
    }
  }

  page(offset: number, prefix: readonly string[]): Entry[] {
    return this.entries
      .filter((entry) => this.startsWith(entry.key, prefix))
      .slice(offset, offset + 100);
  }
}

class LiveArrayStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    for (let at = 0; at < this.entries.length; at++) {
      await undefined;
      const entry = this.entries[at]!;
      if (this.startsWith(entry.key, prefix) && this.alive(entry)) {
        yield { key: entry.key, value: this.copyOut(entry.value) };
      }
    }
  }
}

class NoneFoundStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    if (!this.next(0, prefix)) throw new RangeError("there is no such entry");
    yield* super.walk(prefix);
  }
}

class EndingStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    const snapshot = [...this.entries];
    for await (const entry of super.walk(prefix)) {
      yield entry;
      const at = snapshot.findIndex(({ key }) => !this.compare(key, entry.key));
      if (snapshot[at + 1] && !this.at(snapshot[at + 1]!.key)) return;
    }
  }
}

class SkippingStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    const snapshot = new Set(this.entries);
    for await (const entry of super.walk(prefix)) {
      if (snapshot.has(this.at(entry.key)!)) yield entry;
    }
  }
}

class AnewStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    const snapshot = new Set(this.entries);
    yield* super.walk(prefix);
    for await (const entry of super.walk(prefix)) {
      if (!snapshot.has(this.at(entry.key)!)) yield entry;
    }
  }
}

class CollectingStore extends OffsetStore {
  override async *walk(prefix: readonly string[]) {
    const entries = [];
    for await (const entry of super.walk(prefix)) entries.push(entry);
    yield* entries;
  }
}

class LockingStore extends SimpleStore {
  lists = 0;

  override async *walk(prefix: readonly string[]) {
    this.lists++;
    yield* super.walk(prefix);
    this.lists--;
  }

  override async set(...args: Parameters<SimpleStore["set"]>) {
    if (this.lists > 0) await new Promise(() => {});
    await super.set(...args);
  }
}

class EagerLockStore extends LockingStore {
  override list(prefix?: Parameters<SimpleStore["list"]>[0]) {
    const list = super.list(prefix);
    this.lists++;
    return list;
  }
}

class OneCursorStore extends SimpleStore {
  cursor = 0;

  override async *walk(prefix: readonly string[]) {
    for (this.cursor = 0; this.cursor < this.entries.length;) {
      await undefined;
      const entry = this.next(this.cursor, prefix);
      if (entry === undefined) return;
      this.cursor = this.after(entry.key);
      yield { key: entry.key, value: this.copyOut(entry.value) };
    }
  }
}

export const wrongLists: WrongStore[] = [
  {
    name: "finds prefixes by LIKE",
    Store: LikeStore,
    caughtBy: [
      "list() yields every pair of hostile parts exactly under its prefixes",
      "list() matches the prefix literally",
    ],
  },
  {
    name: "finds prefixes by a glob",
    Store: GlobStore,
    caughtBy: [
      "list() yields every pair of hostile parts exactly under its prefixes",
      "list() matches the prefix literally",
    ],
  },
  {
    name: "finds prefixes by characters instead of parts",
    Store: StringPrefixStore,
    caughtBy: [
      "list() yields every pair of hostile parts exactly under its prefixes",
      "list() yields the key that equals the prefix and the keys under it",
      "list() matches the prefix literally",
    ],
  },
  {
    name: "leaves out the key that equals the prefix",
    Store: ExclusiveStore,
    caughtBy: [
      "list() yields the key that equals the prefix and the keys under it",
    ],
  },
  {
    name: "lists nothing under an empty prefix",
    Store: EmptyPrefixStore,
    caughtBy: [
      "list() without a prefix or with an empty prefix yields all entries",
    ],
  },
  {
    name: "orders by UTF-16 units",
    Store: Utf16Store,
    caughtBy: [
      "list() yields keys in code point order and shorter keys first",
      "list() yields hostile keys in key order",
    ],
  },
  {
    name: "orders longer keys before shorter ones",
    Store: LongerFirstStore,
    caughtBy: ["list() yields keys in code point order and shorter keys first"],
  },
  {
    name: "orders by the joined parts",
    Store: JoinedOrderStore,
    caughtBy: ["list() yields keys in code point order and shorter keys first"],
  },
  {
    name: "orders by a locale",
    Store: LocaleStore,
    caughtBy: ["list() yields keys in code point order and shorter keys first"],
  },
  {
    name: "lists in no order",
    Store: UnorderedStore,
    caughtBy: [
      "list() yields keys in code point order and shorter keys first",
      "list() yields hostile keys in key order",
      "list() yields 2,600 entries in key order",
      "list() stays in key order while entries are added and deleted",
    ],
  },
  {
    name: "lists the last entry of each page twice",
    Store: RepeatingStore,
    caughtBy: ["list() yields each of 2,600 entries once"],
  },
  {
    name: "lists no more than one page",
    Store: OnePageStore,
    caughtBy: ["list() yields each of 2,600 entries once"],
  },
  {
    name: "finds the next page by its offset",
    Store: OffsetStore,
    caughtBy: [
      "list() yields all remaining entries while earlier ones are deleted",
      "list() yields each entry once while others are added",
    ],
  },
  {
    name: "lists by the index of the entry",
    Store: LiveArrayStore,
    caughtBy: [
      "list() yields all remaining entries while earlier ones are deleted",
      "list() yields each entry once while others are added",
    ],
  },
  {
    name: "rejects a listing of nothing",
    Store: NoneFoundStore,
    caughtBy: ["list() of an empty store or prefix yields nothing"],
  },
  {
    name: "ends a list where the next entry was deleted",
    Store: EndingStore,
    caughtBy: [
      "list() yields all remaining entries while later ones are deleted",
    ],
  },
  {
    name: "skips entries that are overwritten while a list runs",
    Store: SkippingStore,
    caughtBy: ["list() yields each entry once while entries are overwritten"],
  },
  {
    name: "lists again what was written meanwhile",
    Store: AnewStore,
    caughtBy: [
      "list() yields each entry once while entries are overwritten",
      "list() yields each entry once while entries are deleted and set again",
    ],
  },
  {
    name: "reads every entry before it yields the first",
    Store: CollectingStore,
    caughtBy: [
      "list() yields the first entry before it reads the others",
      "list() skips an entry that expires while the listing runs",
    ],
  },
  {
    name: "stays locked when a listing is left early",
    Store: LockingStore,
    caughtBy: ["a listing that is left early blocks nothing"],
  },
  {
    name: "is locked by a listing that nobody reads",
    Store: EagerLockStore,
    caughtBy: ["a listing that nobody reads blocks nothing"],
  },
  {
    name: "has one cursor for all listings",
    Store: OneCursorStore,
    caughtBy: ["several listings at once do not affect each other"],
  },
];
