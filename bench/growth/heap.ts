/**
 * How many bytes of heap an entry of the memory store takes, in addition to its key and
 * its value. A separate program, since it needs a heap that nobody else uses.
 *
 * @module
 */
import { MemoryKvStore } from "../../kv/memory.ts";
import type { KvKey } from "../../mod.ts";
import { keyOf, separateValueOf } from "../values.ts";

declare function gc(): void;

const ENTRIES = 200_000;

/** Bytes of heap an entry. */
export interface HeapBytes {
  readonly withoutTtl: number;
  readonly withTtl: number;
}

/** Measures it in a separate process. */
export async function heapBytesPerEntry(): Promise<HeapBytes> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--v8-flags=--expose-gc",
      import.meta.filename!,
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return JSON.parse(new TextDecoder().decode(stdout));
}

if (import.meta.main) {
  const bytes: HeapBytes = {
    withoutTtl: await measure(),
    withTtl: await measure({ ttl: 86_400_000 }),
  };
  console.log(JSON.stringify(bytes));
}

async function measure(options?: { ttl: number }): Promise<number> {
  const store = new MemoryKvStore();
  // The store keeps copies: what is made for it is garbage, and counts once.
  const before = heapUsed();
  for (let i = 0; i < ENTRIES; i++) {
    await store.set(freshKey(i), separateValueOf(100, i), options);
  }
  const total = heapUsed() - before;
  const held = baseline();
  if (await store.get(freshKey(0)) === undefined) throw new Error("it is gone");
  return Math.round((total - held) / ENTRIES);
}

/** What the keys' last parts and the values alone take. */
function baseline(): number {
  const before = heapUsed();
  const keys = new Array<string>(ENTRIES);
  const values = new Array<unknown>(ENTRIES);
  for (let i = 0; i < ENTRIES; i++) {
    keys[i] = freshKey(i).at(-1)!;
    values[i] = separateValueOf(100, i);
  }
  const arrays = 2 * 8 * ENTRIES;
  const held = heapUsed() - before - arrays;
  if (keys.at(-1) === values.at(-1)) throw new Error("they are gone");
  return held;
}

/** A key whose text no other key shares. */
function freshKey(i: number): KvKey {
  return JSON.parse(JSON.stringify(keyOf("heap", i)));
}

function heapUsed(): number {
  gc();
  gc();
  return Deno.memoryUsage().heapUsed;
}
