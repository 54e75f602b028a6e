/**
 * What an engine is, and loading the client that it needs.
 *
 * @module
 */

import { KvError } from "../kv/errors.ts";
import type { KvExtendedStore } from "../kv/store.ts";

/** Options of a store, which its driver checks. */
export type StoreOptions = Readonly<Record<string, unknown>>;

/** A store and the client that belongs to it. */
export interface OpenedStore {
  readonly store: KvExtendedStore;
  close(): void | Promise<void>;
}

/** Opens the stores of some kinds of URLs. */
export interface Engine {
  /** A URL, for messages and help. */
  readonly example: string;
  open(url: string, options: StoreOptions): Promise<OpenedStore>;
}

/**
 * Imports a client from the packages of the application. The specifier is not a
 * literal, so that no bundler or registry adds the package to this one.
 *
 * @param name The name of the package.
 * @param version The versions that work, for the install command.
 * @throws {KvError} If the package is not installed; the message says how to
 * install it.
 */
export async function importClient(
  name: string,
  version: string,
  // deno-lint-ignore no-explicit-any -- the types of the client are not loaded
): Promise<any> {
  try {
    return await import(name);
  } catch (cause) {
    const spec = `${name}@${version}`;
    throw new KvError(
      `Cannot load ${name}, which this store needs. Install it:\n` +
        `  Deno: deno add npm:${spec}\n` +
        `  npm:  npm install ${spec}\n` +
        `  pnpm: pnpm add ${spec}\n` +
        `  Yarn: yarn add ${spec}\n` +
        `  Bun:  bun add ${spec}`,
      { cause },
    );
  }
}

/** What follows the scheme of a URL that names a file. */
export function pathOf(url: string): string {
  const path = url.slice(url.indexOf(":") + 1);
  return decodeURIComponent(path.startsWith("//") ? path.slice(2) : path);
}
