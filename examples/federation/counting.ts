// Counts the calls that Fedify makes on its store.
import type {
  KvKey,
  KvStore,
  KvStoreListEntry,
  KvStoreSetOptions,
} from "@fedify/fedify";

/** What was asked of a store. */
export class KeyCounts {
  get = 0;
  /** The calls of `get` that found an entry. */
  hits = 0;
  set = 0;
  delete = 0;
  list = 0;
  cas = 0;
  /** The calls of `cas` that swapped. */
  swaps = 0;
  /** The TTLs that writes gave, in milliseconds; `undefined` for none. */
  readonly ttls = new Set<number | undefined>();
}

const NAMES = [
  "get",
  "hits",
  "set",
  "delete",
  "list",
  "cas",
  "swaps",
] as const;

/** Counts by leading key parts. They outlive the store that they are of. */
export class Counts {
  readonly byGroup = new Map<string, KeyCounts>();

  of(key: readonly string[] = []): KeyCounts {
    const group = groupOf(key);
    const counts = this.byGroup.get(group) ?? new KeyCounts();
    this.byGroup.set(group, counts);
    return counts;
  }

  total(): KeyCounts {
    const total = new KeyCounts();
    for (const counts of this.byGroup.values()) {
      for (const name of NAMES) total[name] += counts[name];
    }
    return total;
  }
}

/** The name under which a key is counted: its first two parts. */
export function groupOf(key: readonly string[]): string {
  return key.slice(0, 2).join(" ");
}

/** A store that counts what is asked of another one. */
export class CountingKvStore implements KvStore {
  readonly #inner: KvStore;
  readonly #counts: Counts;

  // Fedify looks whether a store has `cas`, so there must be none if the inner
  // store has none.
  readonly cas?: NonNullable<KvStore["cas"]>;

  constructor(inner: KvStore, counts: Counts) {
    this.#inner = inner;
    this.#counts = counts;
    if (inner.cas != null) this.cas = this.#cas;
  }

  async get<T = unknown>(key: KvKey): Promise<T | undefined> {
    const counts = this.#counts.of(key);
    counts.get++;
    const value = await this.#inner.get<T>(key);
    if (value !== undefined) counts.hits++;
    return value;
  }

  async set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<void> {
    const counts = this.#counts.of(key);
    counts.set++;
    counts.ttls.add(options?.ttl?.total("milliseconds"));
    await this.#inner.set(key, value, options);
  }

  async delete(key: KvKey): Promise<void> {
    this.#counts.of(key).delete++;
    await this.#inner.delete(key);
  }

  async #cas(
    key: KvKey,
    expectedValue: unknown,
    newValue: unknown,
    options?: KvStoreSetOptions,
  ): Promise<boolean> {
    const counts = this.#counts.of(key);
    counts.cas++;
    const swapped = await this.#inner.cas!(
      key,
      expectedValue,
      newValue,
      options,
    );
    if (!swapped) return false;
    counts.swaps++;
    if (newValue !== undefined) {
      counts.ttls.add(options?.ttl?.total("milliseconds"));
    }
    return true;
  }

  list(prefix?: KvKey): AsyncIterable<KvStoreListEntry> {
    this.#counts.of(prefix).list++;
    return this.#inner.list(prefix);
  }
}
