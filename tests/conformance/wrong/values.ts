// Stores that return other values than they were given.
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
    name: "treats null as missing",
    Store: NullMissingStore,
    caughtBy: ["null is a value"],
  },
  {
    name: "deletes when null is set",
    Store: NullDeletesStore,
    caughtBy: [
      "null is a value",
      "set() replaces a value with one of another type",
      "cas() distinguishes null from a missing entry",
    ],
  },
  {
    name: "stores undefined as an entry",
    Store: StoredUndefinedStore,
    caughtBy: [
      "set() with undefined deletes the entry",
      "delete() deletes an entry and ignores a missing one",
      "cas() to undefined deletes only an entry that equals the expected one",
    ],
  },
  {
    name: "stores values as JSON alone",
    Store: JsonStore,
    caughtBy: [
      "get() returns maps and sets in their order",
      "get() returns dates as dates",
      "get() returns bigints of any size",
      "get() returns NaN and the infinities",
      "get() returns undefined inside arrays",
    ],
  },
  {
    name: "turns an object without members into an array",
    Store: LuaStore,
    caughtBy: ["get() returns JSON values unchanged"],
  },
  {
    name: "keeps -0",
    Store: NegativeZeroStore,
    caughtBy: ["-0 becomes 0"],
  },
  {
    name: "keeps members that are undefined",
    Store: CloneStore,
    caughtBy: ["set() drops an object member that is undefined"],
  },
  {
    name: "rejects class instances",
    Store: NoInstanceStore,
    caughtBy: ["set() stores a class instance as a plain object"],
  },
  {
    name: "rejects deep nesting",
    Store: ShallowStore,
    caughtBy: ["get() returns deeply nested values"],
  },
  {
    name: "turns NaN and the infinities into null",
    Store: NaNStore,
    caughtBy: ["get() returns NaN and the infinities"],
  },
  {
    name: "throws on a bigint",
    Store: BigIntStore,
    caughtBy: ["get() returns bigints of any size"],
  },
  {
    name: "turns small bigints into numbers",
    Store: BigIntNumberStore,
    caughtBy: ["get() returns bigints of any size"],
  },
  {
    name: "turns large numbers into bigints",
    Store: NumberBigIntStore,
    caughtBy: ["get() returns large and small numbers unchanged"],
  },
  {
    name: "turns undefined in arrays into null",
    Store: NullInArrayStore,
    caughtBy: ["get() returns undefined inside arrays"],
  },
  {
    name: "replaces lone surrogates in values",
    Store: WellFormedStore,
    caughtBy: [
      "get() returns strings with NUL and lone surrogates unchanged",
      "get() returns object members with any name",
      "cas() distinguishes values that only look equal",
    ],
  },
  {
    name: "truncates strings at NUL",
    Store: NulEndsStore,
    caughtBy: ["get() returns strings with NUL and lone surrogates unchanged"],
  },
  {
    name: "returns every typed array as a Uint8Array",
    Store: BytesStore,
    caughtBy: ["get() returns buffers and typed arrays with their types"],
  },
  {
    name: "stores the whole buffer behind a view",
    Store: WholeBufferStore,
    caughtBy: ["get() returns only the viewed part of a buffer"],
  },
  {
    name: "turns dates into strings",
    Store: DateStringStore,
    caughtBy: ["get() returns dates as dates"],
  },
  {
    name: "turns an invalid date into null",
    Store: InvalidDateStore,
    caughtBy: ["get() returns dates as dates"],
  },
  {
    name: "stores dates in whole seconds",
    Store: SecondsDateStore,
    caughtBy: ["get() returns dates as dates"],
  },
  {
    name: "sorts maps",
    Store: SortedMapStore,
    caughtBy: ["get() returns maps and sets in their order"],
  },
  {
    name: "drops a member named __proto__",
    Store: ProtoStore,
    caughtBy: ["get() returns object members with any name"],
  },
  {
    name: "stores a URL by its members instead of toJSON()",
    Store: PrototypeStore,
    caughtBy: ["set() stores what toJSON() returns"],
  },
];
