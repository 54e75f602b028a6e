/**
 * A worker that fills and lists a store, as a request says.
 *
 * @module
 */
import {
  type DurableObjectKvNamespace,
  DurableObjectKvStore,
  KvStoreDurableObject,
} from "../../kv/durable_object.ts";
import { type WorkersKvNamespace, WorkersKvStore } from "../../kv/workers.ts";
import { fill, read } from "./layout.ts";

export { KvStoreDurableObject };

interface Env {
  readonly KV: WorkersKvNamespace;
  readonly OBJECTS: DurableObjectKvNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    const kv = pathname.startsWith("/workers")
      ? new WorkersKvStore(env.KV)
      : new DurableObjectKvStore(env.OBJECTS);
    if (pathname.endsWith("/fill")) await fill(kv);
    else await read(kv);
    return new Response();
  },
};
