// Chooses the worker's store by the bindings that it has.
import {
  type DurableObjectKvNamespace,
  DurableObjectKvStore,
} from "@org/kv/durable-object";
import { type WorkersKvNamespace, WorkersKvStore } from "@org/kv/workers";

/** What `wrangler.jsonc` binds; `wrangler types` would generate it. */
export interface Env {
  /** Where the state is. */
  readonly STORE: "durable-object" | "workers";
  readonly KV: WorkersKvNamespace;
  readonly KV_OBJECTS: DurableObjectKvNamespace;
  /** Whoever has it may read the received notes; without it, nobody may. */
  readonly NOTES_TOKEN?: string;
  /** Whether servers on this machine or network may be asked; for tests. */
  readonly ALLOW_PRIVATE_ADDRESS?: string;
}

/** The store of a request. */
export type Store = DurableObjectKvStore | WorkersKvStore;

/** Opens the store of a request. It costs nothing. */
export function openStore(env: Env): Store {
  return env.STORE === "workers"
    ? new WorkersKvStore(env.KV)
    : new DurableObjectKvStore(env.KV_OBJECTS);
}
