// Deno KV on a file, with our store, Fedify's and the alternatives.
import denoKvDriver from "unstorage/drivers/deno-kv";
import { DenoKvStore } from "../../kv/deno.ts";
import { unstorageSubject } from "../alternatives/unstorage.ts";
import { makeFolder } from "../folder.ts";
import { type Backend, OURS, versionOf } from "../backend.ts";
import { DAY_MILLISECONDS, storeSubject, type Subject } from "../subject.ts";

/** A local file. */
export const deno: Backend = {
  name: "deno",
  title: "Deno KV file",
  async open() {
    const folder = makeFolder();
    const raw = await Deno.openKv(`${folder.path}/raw.db`);
    const ours = await Deno.openKv(`${folder.path}/ours.db`);
    const unstorage = unstorageSubject(
      denoKvDriver({ path: `${folder.path}/unstorage.db` }),
      { ttl: true },
    );
    return {
      subjects: [
        rawSubject(raw),
        storeSubject(OURS, new DenoKvStore(ours)),
        unstorage,
      ],
      absent: {
        Fedify: "its Deno KV store is on JSR only",
        Keyv: "it has no adapter for Deno KV",
      },
      versions: { unstorage: versionOf("unstorage") },
      async close() {
        await unstorage.close();
        raw.close();
        ours.close();
        folder.remove();
      },
    };
  },
};

function rawSubject(kv: Deno.Kv): Subject {
  return {
    name: "raw Deno.Kv",
    toKey: (key) => [...key],
    get: async (key) => (await kv.get(key as Deno.KvKey)).value,
    set: (key, value) => kv.set(key as Deno.KvKey, value),
    setWithTtl: (key, value) =>
      kv.set(key as Deno.KvKey, value, { expireIn: DAY_MILLISECONDS }),
    async cas(key, expected, value) {
      const entry = await kv.get(key as Deno.KvKey);
      if (JSON.stringify(entry.value) !== JSON.stringify(expected)) {
        return false;
      }
      return (await kv.atomic().check(entry).set(entry.key, value).commit()).ok;
    },
    async list(prefix) {
      let entries = 0;
      for await (
        const _ of kv.list({ prefix: prefix as Deno.KvKey }, { batchSize: 500 })
      ) entries++;
      return entries;
    },
    async load(entries) {
      for (let i = 0; i < entries.length; i += 64) {
        const atomic = kv.atomic();
        for (const { key, value, expires } of entries.slice(i, i + 64)) {
          const options = expires ? { expireIn: DAY_MILLISECONDS } : {};
          atomic.set(key as Deno.KvKey, value, options);
        }
        await atomic.commit();
      }
    },
  };
}
