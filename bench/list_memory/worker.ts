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

declare function gc(): void;

interface Env {
  readonly KV: WorkersKvNamespace;
  readonly OBJECTS: DurableObjectKvNamespace;
  /** Measures the heap. */
  readonly SAMPLE: { fetch(url: string): Promise<Response> };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, store, what] = new URL(request.url).pathname.split("/");
    const kv = store === "workers"
      ? new WorkersKvStore(env.KV)
      : new DurableObjectKvStore(env.OBJECTS);
    const sample = async () => {
      gc();
      await env.SAMPLE.fetch("http://sample/");
    };
    if (what === "fill") await fill(kv);
    else if (what === "sample") await sample();
    else if (what === "list") await read(kv);
    else {
      await read(kv, async (entries, value) => {
        if (entries % (value.length > 1_000 ? 5 : 100) === 0) await sample();
      });
    }
    return new Response();
  },
};
