import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import {
  DenoKvStore,
  type KvStore,
  MemoryKvStore,
  SqliteKvStore,
} from "@org/kv";

/** A store that a server uses until it stops. */
export interface OpenedStore {
  readonly kv: KvStore;
  close(): void | Promise<void>;
}

/** Opens the store of a server by its name; the same name, the same entries. */
export type OpenStore = (name: string) => OpenedStore | Promise<OpenedStore>;

/** A kind of store: what to call it, and how to make it in a folder. */
export interface StoreKind {
  readonly title: string;
  connect(folder: string): OpenStore;
}

/** The kinds that `--store` takes. */
export const STORE_KINDS = {
  deno: { title: "Deno KV on a file", connect: connectDenoKv },
  memory: { title: "memory", connect: connectMemory },
  sqlite: { title: "SQLite on a file", connect: connectSqlite },
} satisfies Record<string, StoreKind>;

function connectDenoKv(folder: string): OpenStore {
  return async (name) => {
    const db = await Deno.openKv(join(folder, `${name}.denokv`));
    return { kv: new DenoKvStore(db), close: () => db.close() };
  };
}

function connectMemory(): OpenStore {
  // Memory outlives a server, but not the process.
  const stores = new Map<string, MemoryKvStore>();
  return (name) => {
    const kv = stores.get(name) ?? new MemoryKvStore();
    stores.set(name, kv);
    return { kv, close() {} };
  };
}

function connectSqlite(folder: string): OpenStore {
  return (name) => {
    const db = new DatabaseSync(join(folder, `${name}.sqlite`));
    db.exec("PRAGMA journal_mode = WAL");
    return { kv: new SqliteKvStore(db), close: () => db.close() };
  };
}
