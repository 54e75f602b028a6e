/**
 * unstorage with one of its drivers.
 *
 * @module
 */
import { createStorage, type Driver } from "unstorage";
import type { Subject } from "../subject.ts";
import { joined } from "../keys.ts";

/** unstorage on a driver; one that has no TTL says so. */
export function unstorageSubject(
  driver: Driver,
  options: { ttl: boolean; without?: Subject["without"] },
): Subject & { close(): Promise<void> } {
  const storage = createStorage({ driver });
  const subject: Subject & { close(): Promise<void> } = {
    name: "unstorage",
    toKey: (key) => joined(key.map(encodeURIComponent), ":"),
    get: (key) => storage.getItem(key as string),
    set: (key, value) => storage.setItem(key as string, value as object),
    async list(prefix) {
      const keys = await storage.getKeys(prefix as string);
      return (await storage.getItems(keys)).length;
    },
    without: {
      "cas": "unstorage has none",
      "cas failing": "unstorage has none",
      "mix": "left out: its entries would have to be loaded one by one",
      ...options.ttl ? {} : {
        "get with TTL": "this driver has no TTL",
        "set with TTL": "this driver has no TTL",
      },
      ...options.without,
    },
    close: () => storage.dispose(),
  };
  if (options.ttl) {
    subject.setWithTtl = (key, value) =>
      storage.setItem(key as string, value as object, { ttl: 86_400 });
  }
  return subject;
}
