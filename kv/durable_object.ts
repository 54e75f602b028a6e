/**
 * A store in Cloudflare Durable Objects: the client for a binding, and the class
 * of the objects to export from a worker.
 *
 * ```ts ignore
 * import { DurableObjectKvStore } from "@org/kv/durable-object";
 *
 * export { KvStoreDurableObject } from "@org/kv/durable-object";
 *
 * export default {
 *   async fetch(_request, env) {
 *     const kv = new DurableObjectKvStore(env.KV_OBJECTS);
 *     const isFirst = await kv.cas(["leader"], undefined, "me", { ttl: 5_000 });
 *     return Response.json({ isFirst });
 *   },
 * };
 * ```
 *
 * @module
 */
export {
  DurableObjectKvStore,
  type DurableObjectKvStoreOptions,
} from "./durable_object/store.ts";
export {
  KvStoreDurableObject,
  type KvStoreDurableObjectState,
} from "./durable_object/object.ts";
export type { DurableObjectKvNamespace } from "./durable_object/client.ts";
