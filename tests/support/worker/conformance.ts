/**
 * A worker that runs the cases of the conformance suite, one a request.
 *
 * @module
 */

// The cases about durations need it.
import "../../../examples/worker/temporal.ts";
import {
  type DurableObjectKvNamespace,
  DurableObjectKvStore,
  KvStoreDurableObject,
} from "../../../kv/durable_object.ts";
import type { KvStore, KvStoreTraits } from "../../../kv/store.ts";
import {
  type WorkersKvNamespace,
  WorkersKvStore,
} from "../../../kv/workers.ts";
import { cases, runCase } from "../../../testing/mod.ts";

export { KvStoreDurableObject };

interface Env {
  readonly KV: WorkersKvNamespace;
  readonly OBJECTS: DurableObjectKvNamespace;
}

/** How to open the stores of one case: all with the same entries. */
const stores: Record<
  string,
  (env: Env, name: string) => KvStore & { readonly traits: KvStoreTraits }
> = {
  workers: ({ KV }, name) => new WorkersKvStore(KV, { keyPrefix: name }),
  object: ({ OBJECTS }, name) => new DurableObjectKvStore(OBJECTS, { name }),
  shards: ({ OBJECTS }, name) =>
    new DurableObjectKvStore(OBJECTS, { name, shards: 3 }),
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, store, index] = new URL(request.url).pathname.split("/");
    const open = () => stores[store!]!(env, `${store} ${index}`);
    const { without } = open().traits;
    try {
      await runCase(
        cases[Number(index)]!,
        () => ({ store: open(), peer: open }),
        // The simulator takes milliseconds for each operation.
        { without, timeLimit: 120_000 },
      );
    } catch (error) {
      return new Response((error as Error).message, { status: 500 });
    }
    return new Response();
  },
};
