/**
 * Keyv with one of its adapters.
 *
 * @module
 */
import { Keyv, type KeyvStoreAdapter } from "keyv";
import { joined } from "../keys.ts";
import { DAY_MILLISECONDS, type Subject } from "../subject.ts";

/** Keyv on an adapter, or on its own `Map`. */
export function keyvSubject(
  store?: KeyvStoreAdapter,
): Subject & { close(): Promise<void> } {
  // By default it turns errors into missing values.
  const keyv = store === undefined
    ? new Keyv()
    : new Keyv({ store, throwOnErrors: true });
  return {
    name: "Keyv",
    toKey: (key) => joined(key, ":"),
    get: (key) => keyv.get(key as string),
    set: (key, value) => keyv.set(key as string, value),
    setWithTtl: (key, value) =>
      keyv.set(key as string, value, DAY_MILLISECONDS),
    without: {
      "cas": "Keyv has none",
      "cas failing": "Keyv has none",
      "list": "Keyv lists no prefix",
      "mix": "left out: its entries would have to be loaded one by one",
    },
    close: () => keyv.disconnect(),
  };
}
