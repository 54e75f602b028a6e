/**
 * What is measured: a store, or a bare client behind the same few methods.
 *
 * @module
 */
import type { KvKey, KvStore } from "../mod.ts";
import type { OperationName } from "./operation_names.ts";

/** The TTL of every entry that has one, as Fedify hands it to a store. */
export const DAY: Temporal.Duration = Temporal.Duration.from({ hours: 24 });

/** {@linkcode DAY} for those who take numbers. */
export const DAY_MILLISECONDS = 86_400_000;

/** An entry to be loaded before anything is measured. */
export interface Entry {
  readonly key: unknown;
  readonly value: unknown;
  readonly expires: boolean;
}

/**
 * A subject of the measurements. Keys come in the form that the subject takes,
 * made once by `toKey` and outside the clock, for all subjects alike.
 */
export interface Subject {
  /** Who it is, such as "@org/kv". */
  readonly name: string;
  /** Makes the form in which it takes keys. */
  toKey(key: KvKey): unknown;
  /** Reads a value; nothing or `null` if it is missing. */
  get(key: unknown): Promise<unknown>;
  /** Writes a value. */
  set(key: unknown, value: unknown): Promise<unknown>;
  /** Writes a value that lives for a day. */
  setWithTtl?(key: unknown, value: unknown): Promise<unknown>;
  /** Writes a value that lives for so many milliseconds. */
  setFor?(key: unknown, value: unknown, milliseconds: number): Promise<unknown>;
  /** Writes a value if the present one equals another. */
  cas?(key: unknown, expected: unknown, value: unknown): Promise<boolean>;
  /** Reads all entries under a prefix; returns their number. */
  list?(prefix: unknown): Promise<number>;
  /** Loads entries before the measurements, if there is a faster way than sets. */
  load?(entries: readonly Entry[]): Promise<void>;
  /** Why it does not take part in an operation, if it does not. */
  readonly without?: Partial<Record<OperationName, string>>;
}

/** A store that has the interface of Fedify's, ours or Fedify's own. */
export function storeSubject(
  name: string,
  store: Pick<KvStore, "get" | "set"> & Partial<Pick<KvStore, "cas" | "list">>,
): Subject {
  const subject: Subject = {
    name,
    toKey: (key) => key,
    get: (key) => store.get(key as KvKey),
    set: (key, value) => store.set(key as KvKey, value),
    setWithTtl: (key, value) => store.set(key as KvKey, value, { ttl: DAY }),
    setFor: (key, value, milliseconds) =>
      store.set(key as KvKey, value, {
        ttl: Temporal.Duration.from({ milliseconds }),
      }),
  };
  if (store.cas !== undefined) {
    subject.cas = (key, expected, value) =>
      store.cas!(key as KvKey, expected, value);
  }
  if (store.list !== undefined) {
    subject.list = async (prefix) => {
      let entries = 0;
      for await (const _ of store.list!(prefix as KvKey)) entries++;
      return entries;
    };
  }
  return subject;
}

/** Loads entries in the fastest way that the subject has. */
export async function load(
  subject: Subject,
  entries: readonly Entry[],
): Promise<void> {
  await (subject.load?.(entries) ?? loadBySets(subject, entries));
}

/** Loads entries by sets, a few hundred at once. */
export async function loadBySets(
  subject: Subject,
  entries: readonly Entry[],
): Promise<void> {
  for (let i = 0; i < entries.length; i += 500) {
    await Promise.all(
      entries.slice(i, i + 500).map(({ key, value, expires }) =>
        expires ? subject.setWithTtl!(key, value) : subject.set(key, value)
      ),
    );
  }
}
