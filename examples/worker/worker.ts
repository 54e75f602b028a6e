/**
 * A Fedify server that runs on Cloudflare Workers, with its state in Workers KV
 * or in a Durable Object.
 *
 * @module
 */

import "./temporal.ts";
import { builder } from "./federation.ts";
import { type Env, openStore } from "./store.ts";

export { KvStoreDurableObject } from "@org/kv/durable-object";

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const kv = openStore(env);
    const { pathname } = new URL(request.url);
    if (pathname === "/notes") {
      const notes = await Array.fromAsync(kv.list(["notes"]));
      return Response.json(notes.map(({ value }) => value));
    }
    const federation = await builder.build({
      kv,
      allowPrivateAddress: env.ALLOW_PRIVATE_ADDRESS === "true",
    });
    return await federation.fetch(request, { contextData: { kv } });
  },
};
