// Starts workerd with a bundled worker.
// @ts-types="./miniflare.d.ts"
import { type KVNamespace, Miniflare } from "miniflare";
import { bundle } from "./bundle.ts";

/** A module that runs in workerd, with both kinds of bindings. */
export class Workerd implements AsyncDisposable {
  readonly #miniflare: Miniflare;
  readonly #folder: string;

  private constructor(miniflare: Miniflare, folder: string) {
    this.#miniflare = miniflare;
    this.#folder = folder;
  }

  /** Bundles and starts a module, by its path from the root of the project. */
  static async start(
    entry: string,
    options: {
      objects?: Record<string, string>;
      bindings?: Record<string, string>;
      compatibilityDate?: string;
      compatibilityFlags?: string[];
    } = {},
  ): Promise<Workerd> {
    const {
      objects = {},
      bindings = {},
      compatibilityDate = "2026-07-30",
      compatibilityFlags = [],
    } = options;
    // Miniflare does not wait until its own folder is removed.
    const folder = await Deno.makeTempDir();
    const miniflare = new Miniflare({
      modules: [{
        type: "ESModule",
        path: "worker.js",
        contents: await bundle(entry),
      }],
      compatibilityDate,
      compatibilityFlags,
      bindings,
      kvPersist: `${folder}/kv`,
      durableObjectsPersist: `${folder}/objects`,
      kvNamespaces: ["KV"],
      durableObjects: Object.fromEntries(
        Object.entries(objects).map(([binding, className]) => [
          binding,
          { className, useSQLite: true },
        ]),
      ),
    });
    await miniflare.ready;
    return new Workerd(miniflare, folder);
  }

  /** Sends a request to the worker. */
  fetch(url: string, init?: RequestInit): Promise<Response> {
    return this.#miniflare.dispatchFetch(url, init);
  }

  /** The namespace of Workers KV, through a proxy. */
  get kv(): Promise<KVNamespace> {
    return this.#miniflare.getKVNamespace("KV");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#miniflare.dispose();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
