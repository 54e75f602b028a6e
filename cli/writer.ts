/** Writing many entries, a bounded number at a time. */

import type { KvStore, KvStoreListEntry } from "../kv/store.ts";

/** How many writes may be pending: enough to fill the batches of any driver. */
const WINDOW = 512;

/** Writes entries with their expiries. */
export class Writer {
  written = 0;
  expired = 0;
  readonly #store: KvStore;
  readonly #pending = new Set<Promise<void>>();
  #error: unknown;

  constructor(store: KvStore) {
    this.#store = store;
  }

  /** Writes an entry, and waits while too many are pending. */
  async write({ key, value, expires }: KvStoreListEntry): Promise<void> {
    if (expires !== undefined && expires <= Date.now()) {
      this.expired++;
      return;
    }
    const write = this.#store.set(key, value, { expires }).then(
      () => void this.written++,
      (error) => void (this.#error ??= error),
    ).finally(() => this.#pending.delete(write));
    this.#pending.add(write);
    if (this.#pending.size >= WINDOW) await Promise.race(this.#pending);
    if (this.#error !== undefined) await this.finish();
  }

  /** Waits for all writes. */
  async finish(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#error !== undefined) throw this.#error;
  }
}
