// The conformance suite on a remote Deno KV database.
import { DenoKvStore } from "../../kv/deno.ts";
import { isFull } from "../support/extent.ts";
import { conformance } from "../../testing/mod.ts";
import { KvConnectServer } from "./kv_connect.ts";

conformance({
  name: "DenoKvStore on a remote database",
  test: isFull ? Deno.test : Deno.test.ignore,
  async open() {
    const server = new KvConnectServer();
    const options = { location: "remote" } as const;
    return {
      store: new DenoKvStore(await server.open(), options),
      peer: async () => new DenoKvStore(await server.open(), options),
      close: () => server[Symbol.asyncDispose](),
    };
  },
});
