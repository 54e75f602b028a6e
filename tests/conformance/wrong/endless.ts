// Stores on which a case would run forever, as no timer fires meanwhile.
import type { KvKey } from "../../../kv/store.ts";
import { type Entry, SimpleStore } from "./simple_store.ts";
import type { WrongStore } from "./wrong_store.ts";

/** Lists entries in the order of their writes, as a `Map` does. */
class WriteOrderStore extends SimpleStore {
  log: Entry[] = [];

  override write(key: KvKey, value: unknown, expiry: number) {
    super.write(key, value, expiry);
    const entry = this.at(key);
    if (entry) this.log.push(entry);
  }

  override async *walk(prefix: readonly string[]) {
    for (let at = 0; at < this.log.length; at++) {
      const entry = this.log[at]!;
      if (this.find(entry.key) !== entry) continue;
      if (!this.startsWith(entry.key, prefix)) continue;
      yield { key: entry.key, value: this.copyOut(entry.value) };
    }
  }
}

/** Lists the first entry again and again. */
export class EndlessStore extends SimpleStore {
  override async *walk(prefix: readonly string[]) {
    for await (const entry of super.walk(prefix)) while (true) yield entry;
  }
}

export const endlessStores: WrongStore[] = [
  {
    name: "lists what is written while a listing runs",
    Store: WriteOrderStore,
    caughtBy: [
      "list() yields keys in code point order and shorter keys first",
      "list() yields each entry once while entries are overwritten",
      "list() yields each entry once while entries are deleted and set again",
    ],
  },
  {
    name: "lists one entry without end",
    Store: EndlessStore,
    caughtBy: [
      "list() yields every pair of hostile parts exactly under its prefixes",
      "list() yields keys in code point order and shorter keys first",
      "list() yields each entry once while others are added",
    ],
  },
];
