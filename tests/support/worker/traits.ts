/**
 * A worker that returns the traits of the stores for Cloudflare.
 *
 * @module
 */
import {
  type DurableObjectKvNamespace,
  DurableObjectKvStore,
  KvStoreDurableObject,
} from "../../../kv/durable_object.ts";
import {
  type WorkersKvNamespace,
  WorkersKvStore,
} from "../../../kv/workers.ts";

export { KvStoreDurableObject };

interface Env {
  readonly KV: WorkersKvNamespace;
  readonly OBJECTS: DurableObjectKvNamespace;
}

export default {
  fetch(_request: Request, { KV, OBJECTS }: Env): Response {
    return Response.json({
      WorkersKvStore: new WorkersKvStore(KV).traits,
      DurableObjectKvStore: new DurableObjectKvStore(OBJECTS).traits,
    });
  },
};
