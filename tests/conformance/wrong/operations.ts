// Stores whose operations on many entries are wrong by one detail.
import type {
  KvKey,
  KvListOptions,
  KvProgressOptions,
} from "../../../kv/store.ts";
import { type Entry, SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

type Prefix = KvKey | readonly [];

class NoLimitStore extends SimpleStore {
  override select(prefix: readonly string[], options: KvListOptions) {
    return super.select(prefix, { ...options, limit: Infinity });
  }
}

class OneMoreStore extends SimpleStore {
  override select(prefix: readonly string[], options: KvListOptions) {
    const { limit = Infinity } = options;
    return super.select(prefix, { ...options, limit: limit + 1 });
  }
}

class ExistingAfterStore extends SimpleStore {
  override select(prefix: readonly string[], options: KvListOptions) {
    const after = options.after && this.at(options.after) && options.after;
    return super.select(prefix, { ...options, after });
  }
}

class InclusiveStore extends SimpleStore {
  override rest(prefix: readonly string[], after: KvKey, reverse: boolean) {
    const entries = [...super.rest(prefix, after, reverse)];
    const entry = after && this.find(after);
    return entry ? [entry, ...entries] : entries;
  }
}

class ChildSkippingStore extends SimpleStore {
  override rest(prefix: readonly string[], after: KvKey, reverse: boolean) {
    return [...super.rest(prefix, after, reverse)].filter(({ key }) =>
      after === undefined || !this.startsWith(key, after)
    );
  }
}

class LongAfterStore extends SimpleStore {
  override rest(prefix: readonly string[], after: KvKey, reverse: boolean) {
    const isLong = after !== undefined && after.join("").length > 2_048;
    return super.rest(prefix, isLong ? undefined : after, reverse);
  }
}

class ForwardStore extends SimpleStore {
  override rest(prefix: readonly string[], after: KvKey, reverse: boolean) {
    const entries = [...super.rest(prefix, after, reverse)];
    return reverse ? entries.reverse() : entries;
  }
}

class ForwardAfterStore extends SimpleStore {
  override rest(prefix: readonly string[], after: KvKey, reverse: boolean) {
    if (!reverse || after === undefined) {
      return super.rest(prefix, after, reverse);
    }
    return [...super.rest(prefix, after, false)].reverse();
  }
}

class LongReverseStore extends SimpleStore {
  override rest(prefix: readonly string[], after: KvKey, reverse: boolean) {
    const entries = [...super.rest(prefix, after, reverse)];
    if (!reverse) return entries;
    const isLong = ({ key }: Entry) => key.join("").length > 2_048;
    return [...entries.filter((entry) => !isLong(entry))].concat(
      entries.filter(isLong),
    );
  }
}

class NoSignalStore extends SimpleStore {
  override select(prefix: readonly string[], options: KvListOptions) {
    return super.select(prefix, { ...options, signal: undefined });
  }
}

class EarlySignalStore extends SimpleStore {
  override select(prefix: readonly string[], options: KvListOptions) {
    const signal = options.signal?.aborted ? options.signal : undefined;
    return super.select(prefix, { ...options, signal });
  }
}

class OtherReasonStore extends SimpleStore {
  override async *select(prefix: readonly string[], options: KvListOptions) {
    try {
      yield* super.select(prefix, options);
    } catch (cause) {
      throw new Error("Cannot list", { cause });
    }
  }
}

class SecondsStore extends SimpleStore {
  override expires(entry: Entry | undefined) {
    const expires = super.expires(entry);
    return expires && Math.round(expires / 1_000);
  }
}

class InfinityStore extends SimpleStore {
  override expires(entry: Entry | undefined) {
    return super.expires(entry) ?? Infinity;
  }
}

class ValuesStore extends SimpleStore {
  override keys(prefix?: Prefix, options?: KvListOptions) {
    return this.list(prefix, options) as ReturnType<SimpleStore["keys"]>;
  }
}

class TimelessKeysStore extends SimpleStore {
  override async *keys(prefix?: Prefix, options?: KvListOptions) {
    for await (const { key } of super.keys(prefix, options)) yield { key };
  }
}

class RawCountStore extends SimpleStore {
  override under(prefix: readonly string[]) {
    return this.entries.filter(({ key }) => this.startsWith(key, prefix));
  }
}

class GreedyClearStore extends SimpleStore {
  override under(prefix: readonly string[]) {
    const [last = ""] = prefix.slice(-1);
    return this.entries.filter(({ key }) =>
      this.startsWith(key, prefix.slice(0, -1)) &&
      key[prefix.length - 1]?.startsWith(last)
    );
  }
}

class OnePageClearStore extends SimpleStore {
  override clear(prefix?: Prefix, options?: KvProgressOptions) {
    const store = new SimpleStore();
    store.now = this.now;
    store.entries = this.under(prefix ?? []).slice(0, 256);
    store.write = (...args) => this.write(...args);
    return store.clear(prefix, options);
  }
}

class UncountedClearStore extends SimpleStore {
  override async clear(prefix?: Prefix, options?: KvProgressOptions) {
    await super.clear(prefix, options);
    return undefined as unknown as number;
  }
}

class HalfClearStore extends SimpleStore {
  override async clear(prefix: Prefix = [], options: KvProgressOptions = {}) {
    const entries = this.under(prefix);
    try {
      return await super.clear(prefix, options);
    } catch (error) {
      // The values are gone already, the keys are not.
      const last = entries.at(-1)!;
      if (this.at(last.key)) this.write(last.key, null, Infinity);
      throw error;
    }
  }
}

class DeafStore extends SimpleStore {
  override count(prefix?: Prefix, options?: KvProgressOptions) {
    return super.count(prefix, deaf(options));
  }

  override clear(prefix?: Prefix, options?: KvProgressOptions) {
    return super.clear(prefix, deaf(options));
  }

  override sweep(options?: KvProgressOptions) {
    return super.sweep(deaf(options));
  }
}

function deaf(options?: KvProgressOptions): KvProgressOptions | undefined {
  return options && { ...options, signal: undefined };
}

class SilentStore extends SimpleStore {
  override clear(prefix?: Prefix, options?: KvProgressOptions) {
    return super.clear(prefix, options && { ...options, onProgress() {} });
  }
}

class SweepAllStore extends SimpleStore {
  override sweep(options?: KvProgressOptions) {
    this.entries = this.entries.filter(({ expiry }) => expiry === Infinity);
    return super.sweep(options);
  }
}

class RepeatedSweepStore extends SimpleStore {
  override async sweep(options?: KvProgressOptions) {
    await super.sweep(options);
    return 1;
  }
}

class WritingCheckStore extends SimpleStore {
  override check() {
    return this.set(["check"], Date.now());
  }
}

class EndlessPendingStore extends SimpleStore {
  override async set(...args: Parameters<SimpleStore["set"]>) {
    this.pending++;
    await super.set(...args);
    this.pending--; // not if it rejects
  }
}

class AnyOptionStore extends SimpleStore {
  override checkOptions(
    method: string,
    options: object,
    known: readonly string[],
  ) {
    super.checkOptions(method, options, [...known, ...Object.keys(options)]);
  }
}

class NoTypesStore extends SimpleStore {
  override checkOptions() {}
}

class AnyAfterStore extends SimpleStore {
  override checkAfter() {}
}

class AnyPrefixStore extends SimpleStore {
  override clear(prefix?: Prefix, options?: KvProgressOptions) {
    return super.clear(Array.isArray(prefix) ? prefix : [], options);
  }
}

const after = "list() continues after an entry, whether it still exists or not";
const between = "list() continues after a key between two entries";
const reverse =
  "list() in reverse yields the same entries from the last to the first";
const before =
  "list() in reverse continues before a key, whether it exists or not";
const meanwhile =
  "list() ends with the reason of a signal that is aborted meanwhile";
const aborted = "list() with an aborted signal rejects with its reason";
const cleared = "clear() deletes the entries under a prefix and no others";
const expires = "list() and keys() tell when an entry expires, if it has a TTL";
const keys = "keys() yields the keys of list() and no values";
const swept = "sweep() reclaims expired entries and no others";

export const wrongOperations: WrongStore[] = [
  {
    name: "ignores the limit of a list",
    Store: NoLimitStore,
    caughtBy: ["list() with a limit yields the first entries"],
  },
  {
    name: "yields one entry more than the limit",
    Store: OneMoreStore,
    caughtBy: ["list() with a limit yields the first entries"],
  },
  {
    name: "continues only after a key that exists",
    Store: ExistingAfterStore,
    caughtBy: [after, between],
  },
  {
    name: "continues at a key, not after it",
    Store: InclusiveStore,
    caughtBy: [after, before],
  },
  {
    name: "skips the keys under the one that it continues after",
    Store: ChildSkippingStore,
    caughtBy: [after, between],
  },
  {
    name: "starts again after a long key",
    Store: LongAfterStore,
    caughtBy: [
      "list() continues after a long key, whether it exists or not",
      "list() in reverse treats long keys like any other key",
    ],
  },
  {
    name: "ignores reverse",
    Store: ForwardStore,
    caughtBy: [reverse, before],
  },
  {
    name: "continues after a key in reverse, not before it",
    Store: ForwardAfterStore,
    caughtBy: [before],
  },
  {
    name: "lists long keys last in reverse too",
    Store: LongReverseStore,
    caughtBy: ["list() in reverse treats long keys like any other key"],
  },
  {
    name: "ignores the signal of a list",
    Store: NoSignalStore,
    caughtBy: [aborted, meanwhile],
  },
  {
    name: "checks the signal of a list only at its start",
    Store: EarlySignalStore,
    caughtBy: [meanwhile],
  },
  {
    name: "wraps the reason of a signal",
    Store: OtherReasonStore,
    caughtBy: [aborted, meanwhile],
  },
  {
    name: "tells expires in seconds",
    Store: SecondsStore,
    caughtBy: [expires],
  },
  {
    name: "tells that an entry without a TTL expires never",
    Store: InfinityStore,
    caughtBy: [expires],
  },
  { name: "yields values by keys()", Store: ValuesStore, caughtBy: [keys] },
  {
    name: "leaves expires out of keys()",
    Store: TimelessKeysStore,
    caughtBy: [keys, expires],
  },
  {
    name: "counts expired entries",
    Store: RawCountStore,
    caughtBy: ["count() tells how many entries are under a prefix"],
  },
  {
    name: "clears keys that start with the prefix as a string",
    Store: GreedyClearStore,
    caughtBy: [
      "count() tells how many entries are under a prefix",
      cleared,
    ],
  },
  {
    name: "clears one page",
    Store: OnePageClearStore,
    caughtBy: [cleared],
  },
  {
    name: "does not tell how many entries it cleared",
    Store: UncountedClearStore,
    caughtBy: [cleared],
  },
  {
    name: "leaves half an entry when clear() is aborted",
    Store: HalfClearStore,
    caughtBy: ["clear() that is aborted leaves every other entry whole"],
  },
  {
    name: "ignores the signals of count(), clear() and sweep()",
    Store: DeafStore,
    caughtBy: [
      "clear() that is aborted leaves every other entry whole",
      "count(), clear() and sweep() with an aborted signal change nothing",
    ],
  },
  {
    name: "tells nothing about the progress of clear()",
    Store: SilentStore,
    caughtBy: ["count() and clear() tell about their progress"],
  },
  {
    name: "sweeps entries before their expiry",
    Store: SweepAllStore,
    caughtBy: [swept],
  },
  {
    name: "tells that it swept entries when none are left",
    Store: RepeatedSweepStore,
    caughtBy: [swept],
  },
  {
    name: "writes an entry to check the backend",
    Store: WritingCheckStore,
    caughtBy: ["check() resolves and changes nothing"],
  },
  {
    name: "counts rejected calls as pending",
    Store: EndlessPendingStore,
    caughtBy: ["pending tells how many calls are not settled"],
  },
  {
    name: "accepts unknown options",
    Store: AnyOptionStore,
    caughtBy: [
      "set() rejects an unknown option and names it",
      "cas() rejects an unknown option and names it",
      "list() and keys() reject wrong options",
      "count(), clear() and sweep() reject wrong options",
    ],
  },
  {
    name: "checks no option",
    Store: NoTypesStore,
    caughtBy: [
      "list() and keys() reject wrong options",
      "count(), clear() and sweep() reject wrong options",
    ],
  },
  {
    name: "continues after a key outside the prefix",
    Store: AnyAfterStore,
    caughtBy: ["list() and keys() reject wrong options"],
  },
  {
    name: "clears everything if the prefix is no array",
    Store: AnyPrefixStore,
    caughtBy: ["keys(), count() and clear() reject an invalid prefix"],
  },
];
