import type { KvKey } from "../../../kv/store.ts";
import { type Entry, SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

class NoTtlStore extends SimpleStore {
  override alive() {
    return true;
  }
}

class ListedStore extends SimpleStore {
  override listed() {
    return true;
  }
}

class ListSnapshotStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    const entries = this.entries.filter((entry) =>
      this.startsWith(entry.key, prefix) && this.alive(entry)
    );
    for (const { key } of entries) {
      await undefined;
      const entry = this.at(key);
      if (entry) {
        yield {
          key: [...key] as unknown as KvKey,
          value: this.copyOut(entry.value),
        };
      }
    }
  }
}

class CasExpiredStore extends SimpleStore {
  override async cas(...args: Parameters<SimpleStore["cas"]>) {
    const { alive } = this;
    this.alive = () => true;
    try {
      return await super.cas(...args);
    } finally {
      this.alive = alive;
    }
  }
}

class CasForgetsTtlStore extends SimpleStore {
  override cas(...[key, expected, value]: Parameters<SimpleStore["cas"]>) {
    return super.cas(key, expected, value);
  }
}

class KeptTtlStore extends SimpleStore {
  override write(key: KvKey, value: unknown, expiry: number) {
    const kept = expiry === Infinity ? this.find(key)?.expiry : undefined;
    super.write(key, value, kept ?? expiry);
  }
}

class FirstTtlStore extends SimpleStore {
  override write(key: KvKey, value: unknown, expiry: number) {
    const old = this.find(key)?.expiry ?? Infinity;
    super.write(key, value, Math.min(old, expiry));
  }
}

class SecondsStore extends SimpleStore {
  override expiryOf(ttl: unknown) {
    const expiry = super.expiryOf(ttl);
    return this.now + Math.ceil((expiry - this.now) / 1000) * 1000;
  }
}

class LateStore extends SimpleStore {
  override alive({ expiry }: Entry) {
    return expiry >= this.now;
  }
}

class RoundedDownStore extends SimpleStore {
  override expiryOf(ttl: unknown) {
    return super.expiryOf(typeof ttl === "number" ? Math.floor(ttl) : ttl);
  }
}

class ZeroForeverStore extends SimpleStore {
  override expiryOf(ttl: unknown) {
    return super.expiryOf(ttl === 0 ? undefined : ttl);
  }
}

class NumbersStore extends SimpleStore {
  override expiryOf(ttl: unknown) {
    return super.expiryOf(typeof ttl === "object" ? NaN : ttl);
  }
}

class NoTemporalStore extends SimpleStore {
  override expiryOf(ttl: unknown) {
    const duration = ttl as Partial<Temporal.Duration>;
    return super.expiryOf(
      typeof ttl === "object" ? duration.total!("milliseconds") : ttl,
    );
  }
}

class Int32Store extends SimpleStore {
  override expiryOf(ttl: unknown) {
    const expiry = super.expiryOf(ttl);
    return expiry === Infinity ? expiry : this.now + (expiry - this.now | 0);
  }
}

class NaNForeverStore extends SimpleStore {
  override expiryOf(ttl: unknown) {
    return super.expiryOf(Number.isNaN(ttl) ? undefined : ttl);
  }
}

class StringTtlStore extends SimpleStore {
  override expiryOf(ttl: unknown) {
    return super.expiryOf(typeof ttl === "string" ? Number(ttl) : ttl);
  }
}

class DeletesFirstStore extends SimpleStore {
  override set(...[key, value, options]: Parameters<SimpleStore["set"]>) {
    if (value === undefined) return this.delete(key);
    return super.set(key, value, options);
  }
}

class FailedCasTouchesStore extends SimpleStore {
  override async cas(...args: Parameters<SimpleStore["cas"]>) {
    const swapped = await super.cas(...args);
    const entry = this.find(args[0]);
    if (!swapped && entry) entry.expiry = this.expiryOf(args[3]?.ttl);
    return swapped;
  }
}

export const wrongTtls: WrongStore[] = [
  {
    name: "ignores the TTL when it reads",
    Store: NoTtlStore,
    caughtBy: [
      "get() finds an entry until its expiry, and not from it on",
      "list() yields an entry until its expiry, and not from it on",
      "cas() finds an entry until its expiry, and not from it on",
    ],
  },
  {
    name: "forgets the TTL in list()",
    Store: ListedStore,
    caughtBy: ["list() yields an entry until its expiry, and not from it on"],
  },
  {
    name: "checks expiry only when a list begins",
    Store: ListSnapshotStore,
    caughtBy: ["list() yields no entry that expires while it runs"],
  },
  {
    name: "finds expired entries in cas()",
    Store: CasExpiredStore,
    caughtBy: ["cas() finds an entry until its expiry, and not from it on"],
  },
  {
    name: "forgets the TTL that cas() is given",
    Store: CasForgetsTtlStore,
    caughtBy: [
      "cas() sets the TTL with the value",
      "cas() with a TTL of zero or less deletes",
      "cas() refuses a TTL that is none, and writes nothing",
    ],
  },
  {
    name: "keeps the old TTL when none is given",
    Store: KeptTtlStore,
    caughtBy: [
      "set() without a TTL leaves an entry without one",
      "cas() without a TTL leaves an entry without one",
    ],
  },
  {
    name: "never makes a TTL longer",
    Store: FirstTtlStore,
    caughtBy: ["a new TTL replaces the old one, shorter or longer"],
  },
  {
    name: "counts TTLs in whole seconds",
    Store: SecondsStore,
    caughtBy: ["get() finds an entry until its expiry, and not from it on"],
  },
  {
    name: "finds an entry at its very expiry",
    Store: LateStore,
    caughtBy: ["get() finds an entry until its expiry, and not from it on"],
  },
  {
    name: "rounds TTLs down",
    Store: RoundedDownStore,
    caughtBy: ["a fraction of a millisecond is rounded up"],
  },
  {
    name: "takes a TTL of zero for none",
    Store: ZeroForeverStore,
    caughtBy: [
      "a TTL of zero or less deletes",
      "cas() with a TTL of zero or less deletes",
    ],
  },
  {
    name: "takes no durations",
    Store: NumbersStore,
    caughtBy: ["a duration is a TTL"],
  },
  {
    name: "knows no durations in calendar units",
    Store: NoTemporalStore,
    caughtBy: [
      "a duration in weeks, months or years counts from now, in UTC",
    ],
  },
  {
    name: "counts TTLs in 32 bits",
    Store: Int32Store,
    caughtBy: ["a TTL may be as long as a number can tell"],
  },
  {
    name: "takes a TTL of NaN for none",
    Store: NaNForeverStore,
    caughtBy: ["set() refuses a TTL that is none, and writes nothing"],
  },
  {
    name: "takes a text for a TTL",
    Store: StringTtlStore,
    caughtBy: ["set() refuses a TTL that is none, and writes nothing"],
  },
  {
    name: "deletes before it looks at the TTL",
    Store: DeletesFirstStore,
    caughtBy: [
      "set() refuses a TTL that is none, and writes nothing",
      "a call that is rejected changes nothing for those behind it",
    ],
  },
  {
    name: "sets the TTL also when cas() fails",
    Store: FailedCasTouchesStore,
    caughtBy: ["a failed cas() leaves the TTL as it was"],
  },
];
