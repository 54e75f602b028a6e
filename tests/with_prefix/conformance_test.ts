// The conformance suite on parts of stores.
import { DatabaseSync } from "node:sqlite";
import { MemoryKvStore } from "../../kv/memory.ts";
import { SqliteKvStore } from "../../kv/sqlite.ts";
import type { KvExtendedStore, KvKey } from "../../kv/store.ts";
import { withPrefix } from "../../kv/with_prefix.ts";
import { conformance, type OpenedStore } from "../../testing/mod.ts";

const prefix: KvKey = ["app"];
const maxKeyBytes = 8_192 - 3;

/** A part of a store that also holds what the part must never touch. */
async function partOf(
  store: KvExtendedStore,
  close?: () => void,
): Promise<OpenedStore> {
  for (const key of [["ap"], ["app"], ["app\0"], ["apple", "a"], ["b"]]) {
    await store.set(key as unknown as KvKey, "another's");
  }
  return {
    store: withPrefix(store, prefix),
    peer: () => withPrefix(store, prefix),
    maxKeyBytes,
    async close() {
      if (await store.count() < 5) throw new Error("another's entry is gone");
      close?.();
    },
  };
}

conformance({
  name: "a part of MemoryKvStore",
  open: () => partOf(new MemoryKvStore()),
});

conformance({
  name: "a part of SqliteKvStore",
  open() {
    const db = new DatabaseSync(":memory:");
    return partOf(new SqliteKvStore(db), () => db.close());
  },
});
