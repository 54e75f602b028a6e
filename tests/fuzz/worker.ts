// A worker that fuzzes a Durable Object: one seed a request.
import {
  type DurableObjectKvNamespace,
  DurableObjectKvStore,
  KvStoreDurableObject,
} from "../../kv/durable_object.ts";
import { fuzz } from "./fuzz.ts";
import { realTtls } from "./ttls.ts";

export { KvStoreDurableObject };

interface Env {
  readonly OBJECTS: DurableObjectKvNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const [seed, shards] = ["seed", "shards"].map((name) =>
      Number(searchParams.get(name))
    ) as [number, number];
    try {
      const report = await fuzz(() => {
        const name = crypto.randomUUID();
        const open = () =>
          new DurableObjectKvStore(env.OBJECTS, { name, shards });
        return Promise.resolve({
          clients: [open(), open()],
          ttls: realTtls,
          [Symbol.asyncDispose]: () => Promise.resolve(),
        });
      }, { seed, milliseconds: 0 });
      return Response.json(report);
    } catch (error) {
      return new Response((error as Error).message, { status: 500 });
    }
  },
};
