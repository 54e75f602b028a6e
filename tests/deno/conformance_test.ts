// The conformance suite on Deno KV in a file.
import { DenoKvStore } from "../../kv/deno.ts";
import { conformance } from "../../testing/mod.ts";
import { DatabaseFile } from "./databases.ts";

conformance({
  name: "DenoKvStore in memory",
  async open() {
    const kv = await Deno.openKv(":memory:");
    return { store: new DenoKvStore(kv), close: () => kv.close() };
  },
});

conformance({
  name: "DenoKvStore on a file",
  async open() {
    const file = new DatabaseFile();
    return {
      store: new DenoKvStore(await file.open()),
      peer: async () => new DenoKvStore(await file.open()),
      close: () => file[Symbol.dispose](),
    };
  },
});
