/**
 * The entries whose listing is measured.
 *
 * @module
 */
import type { KvKey, KvStore } from "../../mod.ts";

/** Peaks of memory in bytes, over what there was before. */
export interface Peaks {
  /** What is reachable. */
  readonly live: number;
  /** What the process has from the machine, where that tells something. */
  readonly resident?: number | undefined;
}

/** What all keys start with. */
export const PREFIX: KvKey = ["list-memory"];

/** The bytes of the largest values. */
const LARGEST = 1_048_576;

const SMALL = 3_000;
const LARGE = 600;

/** Writes small entries, and large ones that come after them. */
export async function fill(kv: KvStore): Promise<void> {
  for (let i = 0; i < SMALL; i += 500) {
    await Promise.all(Array.from(
      { length: 500 },
      (_, j) => kv.set([...PREFIX, "a", `${i + j}`.padStart(8, "0")], "small"),
    ));
  }
  // Text that a database cannot compress.
  let text = "";
  while (text.length < LARGEST) text += Math.random().toString(36).slice(2);
  for (let i = 0; i < LARGE; i++) {
    const at = i * 1_000;
    const value = text.slice(at, LARGEST) + text.slice(0, at);
    await kv.set([...PREFIX, "b", `${i}`.padStart(8, "0")], value);
  }
}

/** Lists what was written; throws if something is missing. */
export async function read(
  kv: KvStore,
  reached: (entries: number, value: string) => void | Promise<void> = () => {},
): Promise<void> {
  let entries = 0;
  for await (const { value } of kv.list(PREFIX)) {
    await reached(++entries, value as string);
  }
  if (entries !== SMALL + LARGE) {
    throw new Error(`Cannot measure: ${entries} entries were listed`);
  }
}
