/** Opens `deno:path` and `deno:https://…`, with the Deno KV of the runtime. */

import type { DenoKvClient } from "../kv/deno.ts";
import { type Engine, importClient, pathOf } from "./engine.ts";

type OpenKv = (path?: string) => Promise<DenoKvClient & { close(): void }>;

export const deno: Engine = {
  example: "deno:path/to/file.kv",
  async open(url, options) {
    const { DenoKvStore } = await import("../kv/deno.ts");
    const kv = await connectDeno(url);
    try {
      return { store: new DenoKvStore(kv, options), close: () => kv.close() };
    } catch (error) {
      kv.close();
      throw error;
    }
  },
};

/** Opens the database of a URL. */
export async function connectDeno(
  url: string,
): Promise<DenoKvClient & { close(): void }> {
  const target = url.slice("deno:".length);
  const openKv = await openerOf();
  return await openKv(
    /^https?:/.test(target) ? target : pathOf(url) || undefined,
  );
}

async function openerOf(): Promise<OpenKv> {
  const { Deno } = globalThis as { Deno?: { openKv?: OpenKv } };
  if (Deno?.openKv !== undefined) return Deno.openKv;
  if (Deno !== undefined) {
    throw new TypeError("Cannot open Deno KV: run Deno with --unstable-kv");
  }
  return (await importClient("@deno/kv", "^0.14.0")).openKv;
}
