/** A store whose backend is in the hands of a test. */

import {
  type BatcherOptions,
  type KvCall,
  KvCasDriver,
  type KvStoredEntry,
  type KvStoreTraits,
} from "../../kv/driver.ts";

/** Keeps entries in a map, and records the batches. */
export class Probe extends KvCasDriver {
  readonly traits: KvStoreTraits = {
    driver: "probe",
    persistent: false,
    shared: "process",
    maxValueBytes: Infinity,
    without: {},
  };
  readonly batches: string[][] = [];
  readonly entries = new Map<string, string>();
  /** What a batch waits for before it is executed. */
  before: (calls: readonly KvCall[]) => void | Promise<void> = () => {};

  constructor(options: BatcherOptions = {}) {
    super(options);
  }

  protected override async execute(calls: readonly KvCall[]): Promise<void> {
    this.batches.push(calls.map(({ kind, id }) => `${kind} ${id}`));
    await this.before(calls);
    this.apply(calls);
  }

  /** Settles the calls that are not settled. */
  apply(calls: readonly KvCall[]): void {
    for (const call of calls) {
      if (call.settled) continue;
      const stored = this.entries.get(call.id);
      if (call.kind === "get") {
        call.found(stored);
      } else if (call.kind === "cas" && !call.matches(stored)) {
        call.resolve(false);
      } else {
        if (call.value === undefined) this.entries.delete(call.id);
        else this.entries.set(call.id, call.value as string);
        call.resolve(true);
      }
    }
  }

  protected override async *pages(): AsyncGenerator<KvStoredEntry[]> {
    await Promise.resolve();
    yield [...this.entries].sort().map(([id, value]) => ({ key: [id], value }));
  }
}
