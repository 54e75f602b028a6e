// The types of Workers KV and Durable Object bindings are accepted.
import { createRequire } from "node:module";
import { assertEquals } from "@std/assert";
// @ts-types="../support/worker/miniflare.d.ts"
import { Miniflare } from "miniflare";
import types4 from "@cloudflare/workers-types-4" with {
  type: "text",
};
import types5 from "@cloudflare/workers-types-5" with {
  type: "text",
};
import config from "../../deno.json" with { type: "json" };
import { unsanitized } from "../support/worker/suite.ts";

const ROOT = new URL("../../", import.meta.url);

/** The bindings of the worker below, as `wrangler types` writes them down. */
const ENV = `
interface Env {
  KV: KVNamespace;
  KV_OBJECTS: DurableObjectNamespace<import("./worker.ts").KvStoreDurableObject>;
  ANY_OBJECTS: DurableObjectNamespace /* KvStoreDurableObject */;
}
`;

const WORKER = `/// <reference path="./worker-configuration.d.ts" />
import { DurableObjectKvStore } from "${ROOT}kv/durable_object.ts";
import { WorkersKvStore } from "${ROOT}kv/workers.ts";
export { KvStoreDurableObject } from "${ROOT}kv/durable_object.ts";

export default {
  async fetch(_request: Request, env: Env): Promise<Response> {
    const kv = new WorkersKvStore(env.KV);
    const objects = new DurableObjectKvStore(env.KV_OBJECTS);
    new DurableObjectKvStore(env.KV_OBJECTS.jurisdiction("eu"));
    new DurableObjectKvStore(env.ANY_OBJECTS, { shards: 2 });
    // @ts-expect-error A namespace of the other kind does not fit.
    new WorkersKvStore(env.KV_OBJECTS);
    // @ts-expect-error A namespace of the other kind does not fit.
    new DurableObjectKvStore(env.KV);
    // @ts-expect-error Workers KV has no compare-and-swap.
    kv.cas;
    await objects.cas(["a"], undefined, await kv.get(["a"]));
    return new Response();
  },
} satisfies ExportedHandler<Env>;
`;

for (const [version, types] of Object.entries({ 4: types4, 5: types5 })) {
  Deno.test(`bindings of @cloudflare/workers-types ${version} fit`, () =>
    check(types));
}

Deno.test({
  ...unsanitized,
  name: "bindings that wrangler generates types for fit",
  async fn() {
    await check(await generateRuntimeTypes());
  },
});

/** Type-checks the worker as a separate project, with the runtime's types. */
async function check(types: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  const npm = Object.entries(config.imports)
    .filter(([_, specifier]) => specifier.startsWith("npm:"));
  const project = {
    lock: false,
    nodeModulesDir: "none",
    imports: Object.fromEntries(npm),
    compilerOptions: { ...config.compilerOptions, lib: ["esnext"] },
  };
  const files = {
    "deno.json": JSON.stringify(project),
    "worker-configuration.d.ts": ENV + types,
    "worker.ts": WORKER,
  };
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "worker.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals({ success, stderr: new TextDecoder().decode(stderr) }, {
      success: true,
      stderr: "",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The types of the runtime: `wrangler types` makes them in just this way. */
async function generateRuntimeTypes(): Promise<string> {
  const { resolve } = createRequire(import.meta.resolve("miniflare"));
  const generator = new Miniflare({
    modules: [{
      type: "ESModule",
      path: "worker.mjs",
      contents: await Deno.readTextFile(resolve("workerd/worker.mjs")),
    }],
    compatibilityDate: "2024-01-01",
    compatibilityFlags: ["nodejs_compat", "rtti_api"],
  });
  try {
    const response = await generator.dispatchFetch("http://worker/2026-07-30");
    return await response.text();
  } finally {
    await generator.dispose();
  }
}
