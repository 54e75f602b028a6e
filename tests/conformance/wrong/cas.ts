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
    caughtBy: ["cas() does not care for the order of members"],
  },
  {
    name: "compares objects by identity",
    Store: IdentityCasStore,
    caughtBy: ["cas() swaps a value of any type for an equal one"],
  },
  {
    name: "compares loosely",
    Store: LooseCasStore,
    caughtBy: ["cas() swaps no value for one that only looks equal"],
  },
  {
    name: "compares what JSON makes of the values",
    Store: JsonCasStore,
    caughtBy: ["cas() swaps no value for one that only looks equal"],
  },
  {
    name: "compares maps in their order",
    Store: OrderedCasStore,
    caughtBy: ["cas() does not care for the order of a Map and of a Set"],
  },
  {
    name: "holds NaN to differ from NaN",
    Store: NaNCasStore,
    caughtBy: ["cas() swaps a value of any type for an equal one"],
  },
  {
    name: "stores undefined in cas()",
    Store: StoresUndefinedStore,
    caughtBy: [
      "cas() to undefined deletes only what equals",
      "cas() of undefined to undefined tells whether nothing is there",
    ],
  },
  {
    name: "always answers true to cas()",
    Store: AlwaysTrueStore,
    caughtBy: [
      "cas() creates only where nothing is",
      "cas() swaps only what equals",
      "one of fifty cas() that create wins",
    ],
  },
  {
    name: "takes null for no entry in cas()",
    Store: NullAbsentStore,
    caughtBy: ["cas() tells null from a missing key"],
  },
  {
    name: "never swaps nothing for nothing",
    Store: NeverNoneStore,
    caughtBy: [
      "cas() of undefined to undefined tells whether nothing is there",
    ],
  },
  {
    name: "creates over what is there",
    Store: OverwritingCasStore,
    caughtBy: [
      "cas() creates only where nothing is",
      "one of fifty cas() that create wins",
    ],
  },
  {
    name: "reads, then writes in cas()",
    Store: ReadThenWriteStore,
    caughtBy: [
      "one of fifty cas() that create wins",
      "one of fifty cas() that delete wins",
      "a hundred increments by cas(), ten at once, are all counted",
      "any mix of unawaited calls and cas() gives what it would one by one",
    ],
  },
  {
    name: "answers false to an expected value that is a function",
    Store: UncheckedExpectedStore,
    caughtBy: ["cas() refuses a bad value on either side"],
  },
  {
    name: "caches entries in each client",
    Store: ClientCacheStore,
    caughtBy: [
      "one of fifty cas() that create wins",
      "a hundred increments by cas(), ten at once, are all counted",
      "what one client writes, another finds",
    ],
  },
  {
    name: "has no cas() and does not say so",
    Store: NoCasStore,
    caughtBy: ["cas() creates only where nothing is"],
  },
];
