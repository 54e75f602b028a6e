import { MemoryKvStore as FedifyMemoryKvStore } from "@fedify/fedify";
import { MemoryKvStore } from "../kv/memory.ts";
import { benchOperations, type Subject } from "./operations.ts";

const map = new Map<string, unknown>();
const raw: Subject = {
  name: "raw Map",
  get: (key) => Promise.resolve(map.get(JSON.stringify(key))),
  set: (key, value) => Promise.resolve(map.set(JSON.stringify(key), value)),
};

const fedify = new FedifyMemoryKvStore();
const fedifySubject: Subject = {
  name: "Fedify",
  get: (key) => fedify.get(key),
  set: (key, value, options) =>
    fedify.set(
      key,
      value,
      options &&
        {
          ttl: Temporal.Duration.from({ milliseconds: options.ttl as number }),
        },
    ),
};

const ours = new MemoryKvStore();
await benchOperations("memory", [
  raw,
  fedifySubject,
  {
    name: "@org/kv",
    get: (key) => ours.get(key),
    set: (...args) => ours.set(...args),
  },
]);
