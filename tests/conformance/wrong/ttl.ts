// Stores whose entries expire at the wrong time.
import type { KvKey, KvStoreSetOptions } from "../../../kv/store.ts";
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

class TtlOnlyStore extends SimpleStore {
  override endOf({ ttl }: KvStoreSetOptions = {}) {
    return this.expiryOf(ttl);
  }
}

class CasForgetsExpiresStore extends SimpleStore {
  override cas(...args: Parameters<SimpleStore["cas"]>) {
    const [key, expected, value, options] = args;
    this.checkOptions("cas", options ?? {}, ["ttl", "expires"]);
    return super.cas(key, expected, value, { ttl: options?.ttl });
  }
}

class LateByRoundTripStore extends SimpleStore {
  override momentOf(expires: unknown) {
    return super.momentOf(expires) + 1;
  }
}

class ZeroMomentStore extends SimpleStore {
  override momentOf(expires: unknown) {
    return expires === 0 ? Infinity : super.momentOf(expires);
  }
}

class BothStore extends SimpleStore {
  override endOf({ ttl, expires }: KvStoreSetOptions = {}) {
    return super.endOf(expires === undefined ? { ttl } : { expires });
  }
}

export const wrongTtls: WrongStore[] = [
  {
    name: "ignores the TTL when it reads",
    Store: NoTtlStore,
    caughtBy: [
      "get() finds an entry until its expiry and not after it",
      "list() yields an entry until its expiry and not after it",
      "cas() finds an entry until its expiry and not after it",
    ],
  },
  {
    name: "forgets the TTL in list()",
    Store: ListedStore,
    caughtBy: ["list() yields an entry until its expiry and not after it"],
  },
  {
    name: "checks expiry only when a listing begins",
    Store: ListSnapshotStore,
    caughtBy: ["list() skips an entry that expires while the listing runs"],
  },
  {
    name: "finds expired entries in cas()",
    Store: CasExpiredStore,
    caughtBy: ["cas() finds an entry until its expiry and not after it"],
  },
  {
    name: "forgets the TTL given to cas()",
    Store: CasForgetsTtlStore,
    caughtBy: [
      "cas() sets the TTL together with the value",
      "cas() with a TTL of zero or less deletes the entry",
      "cas() rejects an invalid TTL and writes nothing",
    ],
  },
  {
    name: "keeps the old TTL when set() has no TTL",
    Store: KeptTtlStore,
    caughtBy: [
      "set() without a TTL removes an earlier TTL",
      "cas() without a TTL removes an earlier TTL",
    ],
  },
  {
    name: "never extends a TTL",
    Store: FirstTtlStore,
    caughtBy: ["set() replaces a TTL with a shorter or longer one"],
  },
  {
    name: "counts TTLs in whole seconds",
    Store: SecondsStore,
    caughtBy: ["get() finds an entry until its expiry and not after it"],
  },
  {
    name: "finds an entry at the millisecond of its expiry",
    Store: LateStore,
    caughtBy: ["get() finds an entry until its expiry and not after it"],
  },
  {
    name: "rounds TTLs down",
    Store: RoundedDownStore,
    caughtBy: ["set() rounds a fraction of a millisecond up"],
  },
  {
    name: "treats a TTL of zero as no TTL",
    Store: ZeroForeverStore,
    caughtBy: [
      "set() with a TTL of zero or less deletes the entry",
      "cas() with a TTL of zero or less deletes the entry",
    ],
  },
  {
    name: "rejects durations",
    Store: NumbersStore,
    caughtBy: ["set() accepts a duration as the TTL"],
  },
  {
    name: "rejects durations in calendar units",
    Store: NoTemporalStore,
    caughtBy: [
      "a duration in weeks, months or years counts from now in UTC",
    ],
  },
  {
    name: "counts TTLs in 32 bits",
    Store: Int32Store,
    caughtBy: ["set() accepts a TTL of any finite length"],
  },
  {
    name: "treats a TTL of NaN as no TTL",
    Store: NaNForeverStore,
    caughtBy: ["set() rejects an invalid TTL and writes nothing"],
  },
  {
    name: "accepts a string as the TTL",
    Store: StringTtlStore,
    caughtBy: ["set() rejects an invalid TTL and writes nothing"],
  },
  {
    name: "deletes before it checks the TTL",
    Store: DeletesFirstStore,
    caughtBy: [
      "set() rejects an invalid TTL and writes nothing",
      "a rejected call does not affect later calls",
    ],
  },
  {
    name: "sets the TTL even when cas() fails",
    Store: FailedCasTouchesStore,
    caughtBy: ["a failed cas() leaves the TTL unchanged"],
  },
  {
    name: "ignores expires",
    Store: TtlOnlyStore,
    caughtBy: [
      "set() with expires keeps an entry until that moment",
      "cas() with expires keeps an entry until that moment",
      "list() and keys() yield the expires that was given",
      "set() with an expires that has passed deletes the entry",
      "set() rejects an invalid expires and writes nothing",
    ],
  },
  {
    name: "forgets the expires given to cas()",
    Store: CasForgetsExpiresStore,
    caughtBy: ["cas() with expires keeps an entry until that moment"],
  },
  {
    name: "lets an entry expire a millisecond after its expires",
    Store: LateByRoundTripStore,
    caughtBy: [
      "set() with expires keeps an entry until that moment",
      "list() and keys() yield the expires that was given",
    ],
  },
  {
    name: "treats an expires of zero as none",
    Store: ZeroMomentStore,
    caughtBy: ["set() with an expires that has passed deletes the entry"],
  },
  {
    name: "accepts expires together with a TTL",
    Store: BothStore,
    caughtBy: ["set() rejects an invalid expires and writes nothing"],
  },
];
