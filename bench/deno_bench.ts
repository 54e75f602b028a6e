import { DenoKvStore } from "../kv/deno.ts";
import { benchOperations, type Subject } from "./operations.ts";

const folder = Deno.makeTempDirSync();
const kv = await Deno.openKv(`${folder}/raw.db`);
const backing = await Deno.openKv(`${folder}/ours.db`);
addEventListener("unload", () => {
  kv.close();
  backing.close();
  Deno.removeSync(folder, { recursive: true });
});

const raw: Subject = {
  name: "raw Deno.Kv",
  get: async (key) => (await kv.get([...key])).value,
  set: (key, value, options) =>
    kv.set([...key], value, options && { expireIn: options.ttl as number }),
};

const ours = new DenoKvStore(backing);
await benchOperations("Deno KV", [
  raw,
  {
    name: "@org/kv",
    get: (key) => ours.get(key),
    set: (...args) => ours.set(...args),
  },
], { entries: 2_000 });
