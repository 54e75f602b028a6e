// Deno KV databases for tests, whole or failing on demand.
import type { DenoKvClient, DenoKvKey } from "../../kv/deno.ts";

export const HOUR = 3_600_000;

/** The first part of the store's own keys. */
export const OWN = new TextEncoder().encode("@org/kv");

/** A database in a temporary folder, and its handles. */
export class DatabaseFile implements Disposable {
  readonly #folder = Deno.makeTempDirSync();
  readonly #handles: Deno.Kv[] = [];
  readonly path = `${this.#folder}/kv.db`;

  async open(): Promise<Deno.Kv> {
    const kv = await Deno.openKv(this.path);
    this.#handles.push(kv);
    return kv;
  }

  [Symbol.dispose]() {
    for (const kv of this.#handles) kv.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** What really is in the database, the driver's own entries included. */
export async function rawEntries(
  kv: Deno.Kv,
): Promise<Deno.KvEntry<unknown>[]> {
  const all = { start: [new Uint8Array()], end: [true, true] };
  return await Array.fromAsync(kv.list(all));
}

/** How many entries of a kind are the driver's own. */
export async function countOwn(
  kv: Deno.Kv,
  kind: "chunk" | "large" | "receipt",
): Promise<number> {
  const entries = await rawEntries(kv);
  return entries.filter(({ key }) =>
    key[0] instanceof Uint8Array && key[1] === kind
  ).length;
}

/** A database whose commits pass through a function. */
export function withCommits(
  kv: Deno.Kv,
  commit: (
    commit: () => Promise<Deno.KvCommitResult | Deno.KvCommitError>,
    keys: readonly DenoKvKey[],
    checks: number,
  ) => Promise<Deno.KvCommitResult | Deno.KvCommitError>,
): DenoKvClient {
  return {
    get: (key) => kv.get(key as Deno.KvKey),
    getMany: (keys) => kv.getMany(keys as Deno.KvKey[]),
    list: (selector, options) =>
      kv.list(selector as Deno.KvListSelector, options),
    atomic() {
      const atomic = kv.atomic();
      const keys: DenoKvKey[] = [];
      let checks = 0;
      return {
        check(check) {
          checks++;
          return atomic.check(check as Deno.AtomicCheck);
        },
        set(key, value, options) {
          keys.push(key);
          return atomic.set(key as Deno.KvKey, value, options);
        },
        delete(key) {
          keys.push(key);
          return atomic.delete(key as Deno.KvKey);
        },
        commit: () => commit(() => atomic.commit(), keys, checks),
      };
    },
  };
}
