// Stores whose cas() compares or swaps wrongly.
import { canonical, SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

type CasArguments = Parameters<SimpleStore["cas"]>;

class BytesCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return canonical(ordered(value)) === canonical(ordered(expected));
  }
}

/** Makes the order of members count. */
function ordered(value: unknown): unknown {
  return JSON.stringify(
    value,
    (_, member) =>
      member instanceof Map || member instanceof Set ||
        ArrayBuffer.isView(member) || typeof member === "bigint" ||
        member instanceof ArrayBuffer
        ? canonical(member)
        : Object.is(member, undefined) || member !== member ||
            Math.abs(member) === Infinity
        ? String(member)
        : member,
  ) ?? value;
}

class IdentityCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return typeof value === "object" && value !== null
      ? value === expected
      : Object.is(value, expected);
  }
}

class LooseCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return super.equal(value, expected) || value == expected;
  }
}

class JsonCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return super.equal(json(value), json(expected));
  }
}

function json(value: unknown): unknown {
  return JSON.stringify(
    value,
    (_, member) => typeof member === "bigint" ? `${member}n` : member,
  );
}

class OrderedCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return super.equal(value, expected) &&
      (!(value instanceof Map) || super.equal([...value], [
        ...expected as Map<unknown, unknown>,
      ]));
  }
}

class NaNCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return super.equal(value, expected) && !canonical(value).includes("NaN");
  }
}

class StoresUndefinedStore extends SimpleStore {
  override cas(...[key, expected, value, options]: CasArguments) {
    return super.cas(
      key,
      expected,
      value === undefined ? null : value,
      options,
    );
  }
}

class AlwaysTrueStore extends SimpleStore {
  override async cas(...args: CasArguments) {
    await super.cas(...args);
    return true;
  }
}

class NullAbsentStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return super.equal(value ?? undefined, expected ?? undefined);
  }
}

class NeverNoneStore extends SimpleStore {
  override cas(...[key, expected, value, options]: CasArguments) {
    return expected === undefined && value === undefined
      ? Promise.resolve(false)
      : super.cas(key, expected, value, options);
  }
}

class OverwritingCasStore extends SimpleStore {
  override equal(value: unknown, expected: unknown) {
    return expected === undefined || super.equal(value, expected);
  }
}

class ReadThenWriteStore extends SimpleStore {
  override async cas(...[key, expected, value, options]: CasArguments) {
    const before = await this.get(key);
    const copy = this.copyIn(value);
    const wanted = this.copyIn(expected);
    if (!this.equal(before, wanted)) return false;
    await this.set(key, copy, options);
    return true;
  }
}

class UncheckedExpectedStore extends SimpleStore {
  override async cas(...[key, expected, value, options]: CasArguments) {
    try {
      return await super.cas(key, expected, value, options);
    } catch (error) {
      if (typeof expected === "function") return false;
      throw error;
    }
  }
}

class ClientCacheStore extends SimpleStore {
  override peer() {
    const peer = new SimpleStore();
    peer.entries = [...this.entries];
    return peer;
  }
}

class NoCasStore extends SimpleStore {
  constructor() {
    super();
    Object.defineProperty(this, "cas", { value: undefined });
  }
}

export const wrongCas: WrongStore[] = [
  {
    name: "compares stored bytes",
    Store: BytesCasStore,
    caughtBy: ["cas() ignores the order of object members"],
  },
  {
    name: "compares objects by identity",
    Store: IdentityCasStore,
    caughtBy: ["cas() recognizes equal values of every type"],
  },
  {
    name: "compares loosely",
    Store: LooseCasStore,
    caughtBy: ["cas() distinguishes values that only look equal"],
  },
  {
    name: "compares values as JSON",
    Store: JsonCasStore,
    caughtBy: ["cas() distinguishes values that only look equal"],
  },
  {
    name: "compares maps in their order",
    Store: OrderedCasStore,
    caughtBy: ["cas() ignores the order of Map and Set entries"],
  },
  {
    name: "treats NaN as different from NaN",
    Store: NaNCasStore,
    caughtBy: ["cas() recognizes equal values of every type"],
  },
  {
    name: "stores undefined in cas()",
    Store: StoresUndefinedStore,
    caughtBy: [
      "cas() to undefined deletes only an entry that equals the expected one",
      "cas() from undefined to undefined tells whether the entry is absent",
    ],
  },
  {
    name: "always returns true from cas()",
    Store: AlwaysTrueStore,
    caughtBy: [
      "cas() creates an entry only if it is absent",
      "cas() swaps only a value that equals the expected one",
      "exactly one of fifty concurrent cas() calls creates the entry",
    ],
  },
  {
    name: "treats null as no entry in cas()",
    Store: NullAbsentStore,
    caughtBy: ["cas() distinguishes null from a missing entry"],
  },
  {
    name: "never swaps undefined for undefined",
    Store: NeverNoneStore,
    caughtBy: [
      "cas() from undefined to undefined tells whether the entry is absent",
    ],
  },
  {
    name: "creates over an existing entry",
    Store: OverwritingCasStore,
    caughtBy: [
      "cas() creates an entry only if it is absent",
      "exactly one of fifty concurrent cas() calls creates the entry",
    ],
  },
  {
    name: "reads, then writes in cas()",
    Store: ReadThenWriteStore,
    caughtBy: [
      "exactly one of fifty concurrent cas() calls creates the entry",
      "exactly one of fifty concurrent cas() calls deletes the entry",
      "a hundred concurrent increments through cas() all count",
      "unawaited calls with cas() give the same results as awaited calls",
    ],
  },
  {
    name: "returns false for an expected value that is a function",
    Store: UncheckedExpectedStore,
    caughtBy: ["cas() rejects an invalid value on either side"],
  },
  {
    name: "caches entries in each client",
    Store: ClientCacheStore,
    caughtBy: [
      "exactly one of fifty concurrent cas() calls creates the entry",
      "a hundred concurrent increments through cas() all count",
      "one client reads what another client wrote",
    ],
  },
  {
    name: "has no cas() and does not say so",
    Store: NoCasStore,
    caughtBy: ["cas() creates an entry only if it is absent"],
  },
];
