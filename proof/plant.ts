/** Stores with a planted fault, which the checker must find. */
import type { KvStore } from "../kv/store.ts";
import type { Random } from "./random.ts";

/** The faults that can be planted. */
export const PLANTED = [
  "unchecked-cas",
  "lost-write",
  "stale-read",
  "torn-value",
  "reordered-pair",
  "long-life",
  "short-list",
] as const;

/** The name of a fault. */
export type Planted = typeof PLANTED[number];

/** How many calls the fault lies in. */
const SHARE = 0.1;

/**
 * Plants a fault into a store.
 *
 * - `"unchecked-cas"`: `cas` reads, compares and writes.
 * - `"lost-write"`: a `set` resolves without being applied.
 * - `"stale-read"`: a `get` resolves to what an earlier one did.
 * - `"torn-value"`: a `get` resolves to half of the value.
 * - `"reordered-pair"`: a `set` is applied after the next call.
 * - `"long-life"`: an entry outlives its TTL.
 * - `"short-list"`: a `list` leaves an entry out.
 */
export function plant(
  planted: Planted,
  kv: Required<KvStore>,
  random: Random,
): Required<KvStore> {
  const read = new Map<string, unknown>();
  const isHit = () => random() < SHARE;
  return {
    async get<T>(key: Parameters<KvStore["get"]>[0]) {
      const value = await kv.get(key);
      const old = read.get(String(key));
      read.set(String(key), value);
      if (planted === "stale-read" && isHit()) return old as T | undefined;
      if (planted === "torn-value" && isHit() && value !== undefined) {
        const { token } = value as { token: string };
        return { token } as T;
      }
      return value as T | undefined;
    },
    async set(key, value, options) {
      if (planted === "lost-write" && isHit()) return;
      if (planted === "reordered-pair" && isHit()) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const isLong = planted === "long-life" && options?.ttl !== undefined;
      await kv.set(key, value, isLong ? {} : options);
    },
    delete: (key) => kv.delete(key),
    async cas(key, expected, value, options) {
      if (planted !== "unchecked-cas") {
        return await kv.cas(key, expected, value, options);
      }
      const { token } = (await kv.get(key) ?? {}) as { token?: string };
      const wanted = (expected ?? {}) as { token?: string };
      if (token !== wanted.token) return false;
      await kv.set(key, value, options);
      return true;
    },
    async *list(prefix, options) {
      for await (const entry of kv.list(prefix, options)) {
        if (planted !== "short-list" || !isHit()) yield entry;
      }
    },
  };
}
