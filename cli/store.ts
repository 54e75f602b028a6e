/** Opening the store that a command works on. */

import type { Command } from "commander";
import { existsSync } from "node:fs";
import type { KvKey } from "../kv/store.ts";
import { pathOf } from "../open/engine.ts";
import { openKv, type OwningKvStore } from "../open/mod.ts";
import { Expected } from "./errors.ts";
import { checkReachable } from "./reach.ts";
import type { Terminal } from "./terminal.ts";

/** The options that every command has. */
interface GlobalOptions {
  readonly store?: string;
  readonly table?: string;
  readonly keyPrefix?: string;
  /** `false` with `--no-prepare`; otherwise `true`. */
  readonly prepare?: boolean;
  readonly json?: boolean;
}

/** The options that every command has, as they were given. */
export function globals(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/**
 * Opens the store of `--store` or `KV_URL`.
 *
 * @param terminal Where the command runs.
 * @param command The command.
 * @param mayCreate Whether a file that is missing is created.
 */
export async function openStore(
  terminal: Terminal,
  command: Command,
  mayCreate = false,
): Promise<OwningKvStore> {
  const { table, keyPrefix, prepare } = globals(command);
  const url = urlOf(terminal, command);
  if (!mayCreate) checkExists(url);
  await checkReachable(url);
  return await openKv(url, {
    ...table === undefined ? {} : { tableName: table },
    ...keyPrefix === undefined ? {} : { keyPrefix },
    ...prepare === false ? { prepare } : {},
  });
}

/** Throws if a URL names a file that is missing. */
export function checkExists(url: string): void {
  const isFile = /^(?:sqlite|deno):(?!:memory:|https?:)./.test(url);
  if (isFile && !existsSync(pathOf(url))) {
    throw new Expected(`there is no file ${pathOf(url)}`);
  }
}

/** The URL of `--store` or `KV_URL`, with its scheme in lower case. */
export function urlOf(terminal: Terminal, command: Command): string {
  const url = globals(command).store ?? terminal.env.KV_URL;
  if (url === undefined || url === "") {
    throw new Expected("no store is given: use --store URL, or set KV_URL", 2);
  }
  return url.replace(/^[\w+]+:/, (scheme) => scheme.toLowerCase());
}

/** A key or prefix: separate words, or one word that is a JSON array. */
export function keyOfWords(words: readonly string[]): readonly string[] {
  const [first] = words;
  if (words.length !== 1 || !first!.startsWith("[")) return words;
  let key: unknown;
  try {
    key = JSON.parse(first!);
  } catch {
    return words;
  }
  const isKey = Array.isArray(key) &&
    key.every((part) => typeof part === "string");
  if (!isKey) throw new Expected(`${first} is not an array of strings`, 2);
  return key as string[];
}

/** A key with at least one part. */
export function wholeKey(words: readonly string[]): KvKey {
  const key = keyOfWords(words);
  if (key.length === 0) throw new Expected("a key has one or more parts", 2);
  return key as unknown as KvKey;
}

/** A prefix, which may be empty. */
export function prefixOf(words: readonly string[]): KvKey | readonly [] {
  return keyOfWords(words) as unknown as KvKey;
}
