import type { KvKey } from "../../../kv/store.ts";
import { SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

class NullMissingStore extends SimpleStore {
  override read(key: KvKey) {
    return super.read(key) ?? undefined;
  }
}

class NullDeletesStore extends SimpleStore {
  override copyIn(value: unknown) {
    return super.copyIn(value) ?? undefined;
  }
}

class StoredUndefinedStore extends SimpleStore {
  override kept({ expiry }: { expiry: number }) {
    return expiry > this.now;
  }
}

class JsonStore extends SimpleStore {
  override copyIn(value: unknown) {
    const copy = super.copyIn(value);
    return copy === undefined ? undefined : JSON.parse(JSON.stringify(copy));
  }
}

/** A store that loses some values, wherever they are nested. */
abstract class ReplacingStore extends SimpleStore {
  abstract replaced(value: unknown): unknown;

  override copyIn(value: unknown) {
    return this.replace(super.copyIn(value));
  }

  replace(value: unknown): unknown {
    const found = this.replaced(value);
    if (Array.isArray(found)) return found.map((item) => this.replace(item));
    if (found instanceof Map) {
      return new Map(this.replace([...found]) as [unknown, unknown][]);
    }
    if (found instanceof Set) {
      return new Set(this.replace([...found]) as unknown[]);
    }
    if (Object.getPrototypeOf(found ?? 0) !== Object.prototype) return found;
    return Object.fromEntries(
      Object.entries(found as object)
        .map(([name, member]) => [this.member(name), this.replace(member)]),
    );
  }

  member(name: string): string {
    return name;
  }
}

class LuaStore extends ReplacingStore {
  replaced(value: unknown) {
    return JSON.stringify(value) === "{}" && !(value instanceof Map) &&
        !(value instanceof Set) && !ArrayBuffer.isView(value)
      ? []
      : value;
  }
}

class NegativeZeroStore extends SimpleStore {
  override copyIn(value: unknown) {
    return Object.is(value, -0) ? value : super.copyIn(value);
  }

  override copyOut(value: unknown) {
    return Object.is(value, -0) ? value : super.copyOut(value);
  }
}

class CloneStore extends SimpleStore {
  override copyIn(value: unknown) {
    const copy = super.copyIn(value);
    return isPlain(value) && isPlain(copy) ? structuredClone(value) : copy;
  }

  override copyOut(value: unknown) {
    return structuredClone(value);
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every((member) => typeof member !== "object");
}

class NoInstanceStore extends SimpleStore {
  override copyIn(value: unknown) {
    if (value?.constructor?.name === "Point") {
      throw new TypeError("value is no plain object");
    }
    return super.copyIn(value);
  }
}

class ShallowStore extends ReplacingStore {
  replaced(value: unknown) {
    let depth = 0;
    for (let inner = value; Array.isArray(inner); inner = inner[0]) depth++;
    if (depth > 100) throw new RangeError("value is nested too deeply");
    return value;
  }
}

class NaNStore extends ReplacingStore {
  replaced(value: unknown) {
    return typeof value === "number" && !Number.isFinite(value) ? null : value;
  }
}

class BigIntStore extends SimpleStore {
  override copyIn(value: unknown) {
    if (typeof value === "bigint") throw new TypeError("value is a bigint");
    return super.copyIn(value);
  }
}

class BigIntNumberStore extends ReplacingStore {
  replaced(value: unknown) {
    return typeof value === "bigint" && Number.isSafeInteger(Number(value))
      ? Number(value)
      : value;
  }
}

class NumberBigIntStore extends ReplacingStore {
  replaced(value: unknown) {
    return Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(value as number)
      : value;
  }
}

class NullInArrayStore extends ReplacingStore {
  replaced(value: unknown) {
    return Array.isArray(value)
      ? value.map((item) => item === undefined ? null : item)
      : value;
  }
}

class WellFormedStore extends ReplacingStore {
  replaced(value: unknown) {
    return typeof value === "string" ? value.toWellFormed() : value;
  }

  override member(name: string) {
    return name.toWellFormed();
  }
}

class NulEndsStore extends ReplacingStore {
  replaced(value: unknown) {
    return typeof value === "string" ? value.split("\0")[0] : value;
  }
}

class BytesStore extends ReplacingStore {
  replaced(value: unknown) {
    return ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : value;
  }
}

class WholeBufferStore extends SimpleStore {
  override copyIn(value: unknown) {
    if (!(value instanceof Uint8Array)) return super.copyIn(value);
    return new Uint8Array(value.buffer.slice());
  }
}

class DateStringStore extends ReplacingStore {
  replaced(value: unknown) {
    return value instanceof Date && !Number.isNaN(value.getTime())
      ? value.toJSON()
      : value;
  }
}

class InvalidDateStore extends ReplacingStore {
  replaced(value: unknown) {
    return value instanceof Date && Number.isNaN(value.getTime())
      ? null
      : value;
  }
}

class SecondsDateStore extends ReplacingStore {
  replaced(value: unknown) {
    return value instanceof Date
      ? new Date(Math.trunc(value.getTime() / 1000) * 1000)
      : value;
  }
}

class SortedMapStore extends ReplacingStore {
  replaced(value: unknown) {
    return value instanceof Map ? new Map([...value].sort()) : value;
  }
}

class ProtoStore extends ReplacingStore {
  replaced(value: unknown) {
    if (Object.getPrototypeOf(value ?? 0) !== Object.prototype) return value;
    const { ["__proto__"]: _, ...others } = value as Record<string, unknown>;
    return others;
  }
}

class PrototypeStore extends SimpleStore {
  override copyIn(value: unknown) {
    return value instanceof URL ? {} : super.copyIn(value);
  }
}

export const wrongValues: WrongStore[] = [
  {
    name: "takes null for missing",
    Store: NullMissingStore,
    caughtBy: ["null is a value"],
  },
  {
    name: "deletes when null is set",
    Store: NullDeletesStore,
    caughtBy: [
      "null is a value",
      "a value replaces one of another type",
      "cas() tells null from a missing key",
    ],
  },
  {
    name: "stores undefined as an entry",
    Store: StoredUndefinedStore,
    caughtBy: [
      "set() of undefined deletes",
      "delete() deletes, and does nothing where nothing is",
      "cas() to undefined deletes only what equals",
    ],
  },
  {
    name: "stores values as JSON alone",
    Store: JsonStore,
    caughtBy: [
      "maps and sets come back, in their order",
      "dates come back",
      "bigints come back",
      "NaN and the infinities come back",
      "undefined in an array comes back",
    ],
  },
  {
    name: "turns an object without members into an array",
    Store: LuaStore,
    caughtBy: ["what JSON holds comes back as it was"],
  },
  {
    name: "keeps -0",
    Store: NegativeZeroStore,
    caughtBy: ["-0 becomes 0"],
  },
  {
    name: "keeps members that are undefined",
    Store: CloneStore,
    caughtBy: ["a member that is undefined is dropped"],
  },
  {
    name: "refuses class instances",
    Store: NoInstanceStore,
    caughtBy: ["a class instance becomes a plain object"],
  },
  {
    name: "refuses deep nesting",
    Store: ShallowStore,
    caughtBy: ["deep nesting comes back"],
  },
  {
    name: "turns NaN and the infinities into null",
    Store: NaNStore,
    caughtBy: ["NaN and the infinities come back"],
  },
  {
    name: "throws on a bigint",
    Store: BigIntStore,
    caughtBy: ["bigints come back"],
  },
  {
    name: "turns small bigints into numbers",
    Store: BigIntNumberStore,
    caughtBy: ["bigints come back"],
  },
  {
    name: "turns large numbers into bigints",
    Store: NumberBigIntStore,
    caughtBy: ["large and small numbers come back as numbers"],
  },
  {
    name: "turns undefined in arrays into null",
    Store: NullInArrayStore,
    caughtBy: ["undefined in an array comes back"],
  },
  {
    name: "collapses lone surrogates in values",
    Store: WellFormedStore,
    caughtBy: [
      "strings come back, with NUL and lone surrogates",
      "members come back under any name",
      "cas() swaps no value for one that only looks equal",
    ],
  },
  {
    name: "ends strings at NUL",
    Store: NulEndsStore,
    caughtBy: ["strings come back, with NUL and lone surrogates"],
  },
  {
    name: "returns every typed array as a Uint8Array",
    Store: BytesStore,
    caughtBy: ["buffers and typed arrays come back, each of its own type"],
  },
  {
    name: "stores the whole buffer behind a view",
    Store: WholeBufferStore,
    caughtBy: ["a view of a part of a buffer comes back as that part"],
  },
  {
    name: "turns dates into strings",
    Store: DateStringStore,
    caughtBy: ["dates come back"],
  },
  {
    name: "turns an invalid date into null",
    Store: InvalidDateStore,
    caughtBy: ["dates come back"],
  },
  {
    name: "stores dates in whole seconds",
    Store: SecondsDateStore,
    caughtBy: ["dates come back"],
  },
  {
    name: "sorts maps",
    Store: SortedMapStore,
    caughtBy: ["maps and sets come back, in their order"],
  },
  {
    name: "drops a member named __proto__",
    Store: ProtoStore,
    caughtBy: ["members come back under any name"],
  },
  {
    name: "stores the members of a URL, of which it has none",
    Store: PrototypeStore,
    caughtBy: ["an object with toJSON is stored as what it returns"],
  },
];
