// The stores that keep their entries in memory.
import { MemoryKvStore as FedifyMemoryKvStore } from "@fedify/fedify";
import memoryDriver from "unstorage/drivers/memory";
import { MemoryKvStore } from "../../kv/memory.ts";
import { keyvSubject } from "../alternatives/keyv.ts";
import { unstorageSubject } from "../alternatives/unstorage.ts";
import { type Backend, OURS, versionOf } from "../backend.ts";
import { joined } from "../keys.ts";
import { storeSubject, type Subject } from "../subject.ts";

/** The memory of the process. */
export const memory: Backend = {
  name: "memory",
  title: "Memory",
  open() {
    return Promise.resolve({
      subjects: [
        mapSubject(),
        storeSubject(OURS, new MemoryKvStore()),
        storeSubject("Fedify", new FedifyMemoryKvStore()),
        unstorageSubject(memoryDriver(), { ttl: false }),
        keyvSubject(),
      ],
      absent: {},
      versions: {
        Fedify: versionOf("@fedify/fedify"),
        unstorage: versionOf("unstorage"),
        Keyv: versionOf("keyv"),
      },
      close: () => Promise.resolve(),
    });
  },
};

/** A bare `Map`, which keeps references. */
function mapSubject(): Subject {
  const map = new Map<unknown, unknown>();
  return {
    name: "raw Map",
    toKey: (key) => joined(key, " "),
    get: (key) => Promise.resolve(map.get(key)),
    set: (key, value) => Promise.resolve(map.set(key, value)),
    without: {
      "get with TTL": "a Map has no TTL",
      "set with TTL": "a Map has no TTL",
      "cas": "a Map has none",
      "cas failing": "a Map has none",
      "list": "a Map has no order",
      "mix": "a Map has no TTL",
    },
  };
}
