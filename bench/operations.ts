/**
 * The operations that every backend is measured by, side by side with others on
 * the same backend.
 *
 * @module
 */
import type { KvKey, KvStore, KvStoreSetOptions } from "../mod.ts";

/** What is measured: a store, or the bare client behind the same few methods. */
export interface Subject {
  /** Who it is, such as "raw" or "@org/kv". */
  readonly name: string;
  /** Reads a value. */
  get(key: KvKey): Promise<unknown>;
  /** Writes a value. */
  set(
    key: KvKey,
    value: unknown,
    options?: KvStoreSetOptions,
  ): Promise<unknown>;
  /** Swaps a value, where it can. */
  cas?: KvStore["cas"] | undefined;
  /** Lists entries, where it can. */
  list?: KvStore["list"] | undefined;
}

/** Options of {@linkcode benchOperations}. */
export interface OperationOptions {
  /**
   * How many entries there are.
   *
   * @default {10_000}
   */
  readonly entries?: number;
}

const DAY = { ttl: 24 * 60 * 60 * 1000 };

/** Registers the hot operations of the subjects; the first is the baseline. */
export async function benchOperations(
  backend: string,
  subjects: readonly Subject[],
  { entries = 10_000 }: OperationOptions = {},
): Promise<void> {
  const keys = Array.from({ length: entries }, (_, i) => keyOf(i));
  const missing = keys.map(([, ...rest]): KvKey => ["missing", ...rest]);
  for (const subject of subjects) {
    for (let i = 0; i < entries; i += 500) {
      const some = keys.slice(i, i + 500);
      await Promise.all(
        some.map((key, j) => subject.set(key, valueOf(i + j, 100))),
      );
    }
  }

  // Consecutive calls touch keys far apart, and no two write the same value.
  let turn = 0;
  const next = () => (++turn * 7919) % entries;
  const operations: Record<string, (subject: Subject) => Promise<unknown>> = {
    "get 100 B": (subject) => subject.get(keys[next()]!),
    "get a missing key": (subject) => subject.get(missing[next()]!),
    "set 100 B": (subject) => subject.set(keys[next()]!, valueOf(turn, 100)),
    "set 2 KiB": (subject) => subject.set(keys[next()]!, valueOf(turn, 2048)),
    "set 100 B with a TTL": (subject) =>
      subject.set(keys[next()]!, valueOf(turn, 100), DAY),
  };

  for (const [operation, run] of Object.entries(operations)) {
    for (const atOnce of [1, 256]) {
      const group = `${backend}: ${operation}, ${atOnce} at once`;
      for (const subject of subjects) {
        Deno.bench({
          name: `${subject.name}: ${operation}, ${atOnce} at once`,
          group,
          baseline: subject === subjects[0],
          async fn() {
            if (atOnce === 1) await run(subject);
            else {await Promise.all(Array.from({ length: atOnce }, () =>
                run(subject)));}
          },
        });
      }
    }
  }
}

/** A key as Fedify makes them. */
function keyOf(i: number): KvKey {
  return [
    "_fedify",
    "publicKey",
    `https://social.example/users/user${i}#main-key`,
  ];
}

/** An object of about so many bytes as JSON. */
function valueOf(i: number, bytes: number): unknown {
  const value = {
    id: i,
    type: "Key",
    owner: "https://social.example/",
    pad: "",
  };
  value.pad = "x".repeat(Math.max(0, bytes - JSON.stringify(value).length));
  return value;
}
