/**
 * A Fedify server that runs on Cloudflare Workers, with its state in Workers KV
 * or in a Durable Object.
 *
 * @module
 */

import "./temporal.ts";
import { builder } from "./federation.ts";
import { serveNotes } from "./notes.ts";
import { type Env, openStore } from "./store.ts";

export { KvStoreDurableObject } from "@org/kv/durable-object";

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const kv = openStore(env);
    const { pathname } = new URL(request.url);
    if (pathname === "/notes") {
      return await serveNotes(request, kv, env.NOTES_TOKEN);
    }
    const federation = await builder.build({
      kv,
      allowPrivateAddress: env.ALLOW_PRIVATE_ADDRESS === "true",
    });
    return await federation.fetch(request, { contextData: { kv } });
  },
};
